"""Each rule and each text of servers decides the session that it is for, and leaves its neighbour alone."""

import pytest

from mailproxy.analysis.diagnose import diagnose
from mailproxy.analysis.rules import RULES
from mailproxy.analysis.texts import TEXTS
from mailproxy.model.finding import Outcome
from tests.analysis.cases import (
    BARE,
    BYE,
    CASES,
    ENVELOPE,
    FETCHED,
    GREETING,
    HELLO,
    LOGGED_IN,
    LOGIN,
    MAIL,
    MESSAGE,
    POP,
    QUIT,
    SENT,
    USER,
    pop3,
    recorded,
    smtp,
)
from tests.analysis.refusals import PLACES, REFUSALS

SUMMARIES = {row.name: row.summary for row in TEXTS}


def test_each_rule_has_its_sessions() -> None:
    assert sorted(CASES) == sorted(rule.name for rule in RULES)


def test_each_text_has_its_refusals() -> None:
    assert sorted(REFUSALS) == sorted(SUMMARIES)


@pytest.mark.parametrize("name", CASES)
def test_a_rule_decides(name: str) -> None:
    verdict = diagnose(recorded(CASES[name].bad))
    assert verdict.rule == name
    assert verdict.outcome in {Outcome.FAILED, Outcome.PARTIAL}
    assert verdict.evidence
    assert verdict.remedy


@pytest.mark.parametrize("name", CASES)
def test_a_rule_leaves_alone(name: str) -> None:
    assert diagnose(recorded(CASES[name].good)).rule != name


@pytest.mark.parametrize("name", REFUSALS)
def test_a_text_explains(name: str) -> None:
    """By itself, or through a rule that looked it up."""
    refusal = REFUSALS[name]
    assert diagnose(recorded(PLACES[refusal.where](refusal.bad))).summary == SUMMARIES[name]


@pytest.mark.parametrize("name", REFUSALS)
def test_a_text_leaves_alone(name: str) -> None:
    refusal = REFUSALS[name]
    verdict = diagnose(recorded(PLACES[refusal.where](refusal.good)))
    assert verdict.outcome is Outcome.FAILED
    assert verdict.summary != SUMMARIES[name]


@pytest.mark.parametrize(("talk", "said"), [(SENT, "1 message was sent."), (FETCHED, "1 message was fetched.")])
def test_what_went_well(talk: str, said: str) -> None:
    verdict = diagnose(recorded(talk))
    assert (verdict.outcome, verdict.rule, verdict.summary) == (Outcome.OK, "ok", said)


def test_the_first_cause_counts() -> None:
    """Not the last line: what comes behind the refused login follows from it."""
    refused = " -> MAIL FROM:<alice@example.org>\n<-  530 5.7.0 Authentication required"
    login = LOGGED_IN.replace("235 2.7.0 welcome", "535 5.7.8 authentication failed")
    verdict = diagnose(recorded(smtp(HELLO, login, refused)))
    assert (verdict.stage, verdict.rule) == ("auth", "bad-credentials")


def test_what_mailproxy_cut_is_unfinished() -> None:
    verdict = diagnose(recorded(smtp(HELLO, LOGGED_IN, "*** cut off: mailproxy was stopped")))
    assert (verdict.outcome, verdict.stage) == (Outcome.UNFINISHED, "none")


FETCHING = pop3(POP, USER, " -> RETR 1\n<-  +OK 740 octets\n<-  Subject: Hello\n<-\n<-  Hi")
SENDING = smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE)


@pytest.mark.parametrize("talk", [FETCHING, SENDING])
def test_what_breaks_off_is_unfinished(talk: str) -> None:
    verdict = diagnose(recorded(talk))
    assert (verdict.outcome, verdict.rule) == (Outcome.UNFINISHED, "ok")


@pytest.mark.parametrize("talk", [FETCHING, SENDING])
def test_what_breaks_off_at_a_gap_is_an_excerpt(talk: str) -> None:
    assert diagnose(recorded(f"{talk}\n... and so on")).outcome is Outcome.OK


@pytest.mark.parametrize("talk", [FETCHING, SENDING])
def test_what_breaks_off_with_an_error_failed(talk: str) -> None:
    verdict = diagnose(recorded(f"{talk}\n*** I/O error, broken pipe"))
    assert (verdict.outcome, verdict.rule) == (Outcome.FAILED, "broken-off")


NO_TLS = "TOP UIDL USER".replace(" ", "\n<-  ")
LOOKED = pop3(POP, f" -> CAPA\n<-  +OK\n<-  {NO_TLS}\n<-  .")
LEFT = "*** closed by the client without QUIT"


@pytest.mark.parametrize(
    ("talk", "stage", "confidence"),
    [
        (f"{LOOKED}\n{LEFT}", "tls", "low"),
        (f"{LOOKED}\n# STLS not supported.\n{LEFT}", "tls", "medium"),
        (f"{LOOKED}\n -> QUIT\n<-  +OK bye", "none", "high"),
        (f"{LOOKED}\n -> QUIT\n<-  +OK bye\n# the server does not support TLS via the STLS command", "tls", "medium"),
        (smtp(BARE, LEFT, port=25), "tls", "low"),
        (smtp(BARE, QUIT, port=25), "none", "high"),
        (smtp(BARE, "*** Host did not advertise STARTTLS", QUIT, port=25), "tls", "medium"),
        (smtp(BARE, "*** Host did not advertise authentication", QUIT, port=25), "auth", "medium"),
        (smtp(BARE.replace("client.example", "localhost"), QUIT, port=25), "tls", "low"),
        (smtp(BARE.replace("client.example", "healthcheck"), LEFT, port=25), "none", "high"),
        (smtp(GREETING, QUIT), "none", "high"),
        (smtp(GREETING, LEFT), "none", "high"),
    ],
)
def test_a_probe_and_a_client_that_misses_something(talk: str, stage: str, confidence: str) -> None:
    verdict = diagnose(recorded(talk))
    assert (verdict.stage, verdict.confidence) == (stage, confidence)
    assert (verdict.outcome is Outcome.OK) == (stage == "none")
    assert {verdict.blame, *(other.blame for other in verdict.also_possible)} >= (
        set() if stage == "none" else {"client-config", "server-fault"}
    )


@pytest.mark.parametrize(("port", "blame"), [(25, "server-fault"), (587, "server-fault"), (2525, "client-config")])
def test_a_login_where_none_is_offered(port: int, blame: str) -> None:
    """A server for tests, at a port of its own, often knows no login."""
    verdict = diagnose(recorded(smtp(BARE, LOGIN, "<-  502 5.5.1 not implemented", QUIT, port=port)))
    assert (verdict.rule, verdict.blame) == ("mechanism-not-offered", blame)


def test_a_login_that_only_a_gap_tells_of() -> None:
    refused = " -> RCPT TO:<bob@example.net>\n<-  553 Relaying disallowed"
    verdict = diagnose(recorded(smtp("... logged in", MAIL, refused, QUIT)))
    assert (verdict.rule, verdict.blame) == ("relay-denied", "server-policy")


@pytest.mark.parametrize(
    ("told", "blame"),
    [
        ("TLS startup failed (connect(): SSL routines:ssl3_get_record:wrong version number)", "client-config"),
        ("STARTTLS attempted but failed: certificate has expired", "server-fault"),
        ("javax.net.ssl.SSLHandshakeException: no shared cipher", "server-fault"),
    ],
)
def test_tls_failed_in_other_words(told: str, blame: str) -> None:
    verdict = diagnose(recorded(smtp(HELLO, " -> STARTTLS\n<-  220 go ahead", f"*** {told}")))
    assert (verdict.rule, verdict.stage, verdict.blame) == ("tls-failed", "tls", blame)


@pytest.mark.parametrize(
    ("name", "blame"),
    [("[192.0.2.7]", "client-program"), ("", "client-program"), ("_", "client-program"), ("my_pc", "client-config")],
)
def test_who_chose_the_name_of_a_hello(name: str, blame: str) -> None:
    """An address is put there by a program, a name is that of the machine or of a setting."""
    refused = "<-  501 5.5.4 Invalid domain name"
    verdict = diagnose(recorded(smtp(GREETING, f" -> EHLO {name}\n{refused}", QUIT)))
    assert (verdict.rule, verdict.blame) == ("hello-refused", blame)


def test_only_the_server_is_heard() -> None:
    """Its leave does not make good what it refused."""
    replies = ("250 2.1.0 Ok", "554 5.7.1 <b@example.net>: Recipient address rejected: Access denied", "221 2.0.0 Bye")
    talk = smtp(GREETING, *(f"<-  {reply}" for reply in replies), port=25)
    assert (diagnose(recorded(talk)).outcome, diagnose(recorded(talk)).stage) == (Outcome.FAILED, "rcpt")
    assert diagnose(recorded(talk.replace("554 5.7.1", "250 2.1.5"))).outcome is Outcome.OK


def test_words_against_the_code_beside_them() -> None:
    said = " -> RCPT TO:<bob@example.net>\n<-  452 4.1.1"
    assert diagnose(recorded(smtp(HELLO, LOGGED_IN, MAIL, f"{said} too many messages sent"))).rule == "too-much"
    assert diagnose(recorded(smtp(HELLO, LOGGED_IN, MAIL, f"{said} not here"))).rule == "unknown-recipient"


@pytest.mark.parametrize(("side", "blame"), [("client", "client-program"), ("server", "server-fault")])
def test_who_has_a_tls_that_is_too_old(side: str, blame: str) -> None:
    talk = smtp(HELLO, " -> STARTTLS\n<-  220 go ahead", f"*** TLS failed with the {side}: unsupported protocol")
    verdict = diagnose(recorded(talk))
    assert (verdict.rule, verdict.blame) == ("tls-failed", blame)


@pytest.mark.parametrize(
    ("hello", "sender", "rule"),
    [
        ("250-mail.example.org\n<-  250 AUTH PLAIN", "alice@example.org", "relay-without-login"),
        ("250-mail.example.org\n<-  250 AUTH PLAIN", "alice@example.net", "relay-denied"),
        ("250-mail.example.org\n<-  250 AUTH PLAIN", "alice@mple.org", "relay-denied"),
        ("250-mail.example.org\n<-  250 SIZE 10000", "alice@example.org", "relay-denied"),
    ],
)
def test_relaying_by_the_senders_own_server(hello: str, sender: str, rule: str) -> None:
    refused = " -> RCPT TO:<bob@example.com>\n<-  554 5.7.1 Relay access denied"
    mail = f" -> MAIL FROM:<{sender}>\n<-  250 2.1.0 ok"
    talk = smtp(GREETING, f" -> EHLO client.example\n<-  {hello}", mail, refused, QUIT, port=25)
    assert diagnose(recorded(talk)).rule == rule


@pytest.mark.parametrize(("name", "blame"), [("localhost", "client-config"), ("mail.example.net", "server-fault")])
def test_a_server_that_hangs_up_at_hello(name: str, blame: str) -> None:
    verdict = diagnose(recorded(smtp(GREETING, f" -> EHLO {name}", "*** closed by the server")))
    assert (verdict.rule, verdict.stage, verdict.blame) == ("broken-off", "hello", blame)


def test_too_many_sessions_are_no_lock() -> None:
    talk = pop3("<-  -ERR [IN-USE] Too many simultaneous connections", "*** closed by the server")
    assert diagnose(recorded(talk)).blame == "server-policy"
    assert diagnose(recorded(talk.replace("Too many simultaneous connections", "it is locked"))).blame == "mailbox"


@pytest.mark.parametrize(
    ("said", "blame"),
    [
        ("550-Unrouteable address\n<-  550 Sender verify failed", "client-config"),
        ("550-The account may not exist\n<-  550 Sender verify failed", "server-policy"),
        ("550 Sender verify failed", "server-policy"),
    ],
)
def test_a_sender_that_is_looked_up(said: str, blame: str) -> None:
    verdict = diagnose(recorded(smtp(BARE, MAIL, f" -> RCPT TO:<bob@example.net>\n<-  {said}", QUIT, port=25)))
    assert (verdict.stage, verdict.blame) == ("rcpt", blame)


def test_relaying_where_no_login_is_offered() -> None:
    refused = " -> RCPT TO:<bob@example.net>\n<-  550 Relaying denied"
    assert diagnose(recorded(smtp(BARE, MAIL, refused, QUIT))).rule == "relay-denied"


def test_a_server_that_is_out_of_order_from_the_start() -> None:
    verdict = diagnose(recorded(smtp("<-  421 Unexpected failure, please try later", "*** closed by the server")))
    assert (verdict.stage, verdict.blame) == ("greeting", "server-fault")


@pytest.mark.parametrize(("dot", "blame"), [(" -> .\n", "server-fault"), ("", "network")])
def test_a_message_and_no_answer(dot: str, blame: str) -> None:
    """What came to its end came through."""
    talk = smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE, f"{dot}*** timed out waiting for the server")
    assert (diagnose(recorded(talk)).rule, diagnose(recorded(talk)).blame) == ("broken-off", blame)


def test_a_gap_elsewhere_hides_no_lone_dot() -> None:
    message = " -> RETR 1\n<-  +OK\n<-  Subject: Hello\n<-  .\n<-  and the rest of it\n<-  ."
    assert diagnose(recorded(pop3(POP, "... logged in", message, BYE))).rule == "pop3-dot-not-doubled"
    assert diagnose(recorded(pop3(POP, "... logged in", message.replace("Hello", "Hello\n...")))).outcome is Outcome.OK
