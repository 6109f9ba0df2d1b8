"""What a diagnosis sees of a session: stages, offers, what held when, and which refusals stand."""

import pytest

from mailproxy.analysis.standing import standing
from mailproxy.analysis.step import said
from mailproxy.analysis.view import View
from tests.analysis.cases import (
    BARE,
    BYE,
    CAPA,
    ENVELOPE,
    FETCHED,
    GREETING,
    HELLO,
    LOGGED_IN,
    MAIL,
    MESSAGE,
    POP,
    QUIT,
    SENT,
    TAKEN,
    TWO,
    USER,
    pop3,
    recorded,
    smtp,
)

SECURED = smtp(
    HELLO, " -> STARTTLS\n<-  220 go ahead\n=== TLS with the client: TLSv1.3\n=== TLS with the server: TLSv1.3",
    " ~> EHLO client.example\n<~  250-mail.example.org\n<~  250 AUTH PLAIN\n ~> QUIT\n<~  221 bye",
)  # fmt: skip
REFUSED = " -> RCPT TO:<bob@example.net>\n<-  550 5.1.1 no such user"


def view(talk: str) -> View:
    return View(recorded(talk))


def verbs(talk: str) -> list[str]:
    """The verbs of what was refused and stands."""
    seen = view(talk)
    return [seen.steps[index].verb for index in standing(seen)]


def test_the_stages_of_sending() -> None:
    seen = view(SENT)
    assert [seen.stage(index).value for index in range(len(seen.steps))] == [
        "greeting", "hello", "auth", "mail", "rcpt", "content", "quit",
    ]  # fmt: skip


def test_the_stages_of_fetching() -> None:
    seen = view(FETCHED)
    assert [seen.stage(index).value for index in range(len(seen.steps))] == [
        "greeting", "auth", "auth", "transaction", "transaction", "update",
    ]  # fmt: skip


def test_leaving_before_the_login_updates_nothing() -> None:
    seen = view(pop3(POP, BYE))
    assert seen.stage(1) == "auth"


def test_what_went_through() -> None:
    assert (view(SENT).sent, view(SENT).fetched) == (1, 0)
    assert (view(FETCHED).sent, view(FETCHED).fetched) == (0, 1)
    assert view(smtp(HELLO, ENVELOPE, MESSAGE, " -> .\n<-  451 4.3.0 not now")).sent == 0


def test_a_message_sent_in_parts_is_one() -> None:
    parts = " -> BDAT 3\n -> abc\\\n<-  250 3 octets\n -> BDAT 3 LAST\n -> def\\\n<-  250 queued"
    assert view(smtp(BARE, ENVELOPE, parts, QUIT)).sent == 1


def test_what_was_offered() -> None:
    seen = view(SENT)
    assert seen.capabilities(1) is None
    assert seen.offers(2, "STARTTLS") is True
    assert seen.offers(2, "PIPELINING") is False
    assert seen.mechanisms(2) == frozenset({"PLAIN", "LOGIN"})


def test_what_a_listing_of_capabilities_offered() -> None:
    seen = view(pop3(CAPA, USER, BYE))
    assert seen.offers(2, "UIDL") is True
    assert seen.offers(2, "STLS") is False
    assert seen.mechanisms(2) == frozenset({"PLAIN"})


def test_what_helo_offers_is_not_known() -> None:
    assert view(smtp(GREETING, " -> HELO client.example\n<-  250 mail.example.org", QUIT)).capabilities(2) is None


def test_where_tls_begins() -> None:
    seen = view(SECURED)
    assert [seen.secure(index) for index, each in enumerate(seen.steps) if each.command] == [False, False, True, True]
    assert view(SENT).secure_from is None


def test_the_login() -> None:
    seen = view(SENT)
    assert seen.login == 2
    assert not seen.logged_in(2)
    assert seen.logged_in(3)


def test_an_excerpt_knows_that_it_is_one() -> None:
    seen = view(f"smtp 587\n...\n{MAIL}\n...")
    assert seen.begins_with_gap
    assert seen.ends_with_gap
    assert not view(SENT).begins_with_gap
    assert not view(SENT).ends_with_gap


def test_the_words_of_a_reply() -> None:
    seen = view(smtp(HELLO))
    assert said(seen.steps[1]) == "mail.example.org SIZE 10000 STARTTLS AUTH PLAIN LOGIN"


@pytest.mark.parametrize(
    ("talk", "stand"),
    [
        (smtp(HELLO, LOGGED_IN, MAIL, REFUSED, QUIT), ["RCPT"]),
        (smtp(HELLO, " -> VRFY bob\n<-  502 no", ENVELOPE, MESSAGE, TAKEN, QUIT), []),
        (smtp(GREETING, " -> EHLO x\n<-  502 no\n -> HELO x\n<-  250 ok", QUIT), []),
        (smtp(GREETING, " -> EHLO x\n<-  502 no", QUIT), ["EHLO"]),
        (smtp(HELLO, " -> AUTH CRAM-MD5\n<-  504 no", LOGGED_IN, QUIT), []),
        (smtp(HELLO, MAIL, REFUSED, " -> RCPT TO:<carol@example.net>\n<-  250 ok", MESSAGE, TAKEN, QUIT), ["RCPT"]),
        (smtp(HELLO, MAIL, REFUSED, REFUSED.replace("550 5.1.1 no such user", "250 ok"), MESSAGE, TAKEN, QUIT), []),
        (smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE, TAKEN, " -> RSET\n<-  421 bye"), []),
        (smtp(HELLO, LOGGED_IN, " -> RSET\n<-  421 bye"), ["RSET"]),
        (pop3(POP, USER, " -> TOP 1 0\n<-  -ERR no", TWO, BYE), []),
        (pop3(POP, USER, " -> RETR 9\n<-  -ERR no such message", BYE), ["RETR"]),
        (pop3(POP, USER, " -> STTA\n<-  -ERR what", TWO, BYE), []),
    ],
)  # fmt: skip
def test_which_refusals_stand(talk: str, stand: list[str]) -> None:
    assert verbs(talk) == stand
