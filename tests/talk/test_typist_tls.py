"""TLS in sessions typed by hand: from the start, or once STARTTLS was typed and granted."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.model.octets import Frame, Note, Side
from mailproxy.model.session import How
from mailproxy.model.tls import Fault, Security, TlsFacts
from mailproxy.protocols import named
from mailproxy.talk.typist import Action, Phase, Send, StartTls, TakeDown, Tell, Typist, Warn
from mailproxy.talk.ways import Insecure
from tests.tls import FACTS, LEAF

GOOD: Final = TlsFacts(version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", chain=(LEAF,), checked=True)
AGREED: Final = "=== TLS with the server: TLSv1.3, TLS_AES_256_GCM_SHA384, certificate of mail.example.org"
GREETED: Final = ("< 220 mail.example.org ESMTP", "> EHLO client.example.org", "< 250-mail.example.org\r\n250 STARTTLS")
GRANTED: Final = (*GREETED, "> STARTTLS", "< 220 2.0.0 Ready to start TLS")


class Session:
    """A session by hand that is played from a test: `>` is typed, `<` is heard, `=` says that TLS has begun."""

    def __init__(self, protocol: str = "smtp", security: Security = Security.NONE, *, sure: bool = True) -> None:
        self.typist = Typist(named(protocol), "mail.example.org port 587", sure=sure, security=security)
        self.actions = self.typist.connected("mail.example.org", "192.0.2.25", 0)

    def play(self, *lines: str) -> list[Action]:
        """What came of the last of the lines."""
        come: list[Action] = []
        for line in lines:
            match line[0], line[1:].removeprefix(" ").encode():
                case ">", said:
                    come = self.typist.typed(said, 0)
                case "<", said:
                    come = self.typist.heard(said + b"\r\n", 0)
                case _:
                    come = self.typist.secured(GOOD, 0)
            self.actions += come
        return come

    def fails(self, why: str = "certificate has expired") -> list[Action]:
        """TLS fails."""
        come = self.typist.insecure(Insecure(why, by=Side.SERVER), 0)
        self.actions += come
        return come

    def phase(self) -> Phase:
        """What the next line that is typed is."""
        return self.typist.phase

    def sent(self) -> bytes:
        """All that went out."""
        return b"".join(action.octets for action in self.actions if isinstance(action, Send))

    def notes(self) -> list[str]:
        """All that was noted."""
        return [f"{each.mark} {each.text}" for each in taken_down(self.actions) if isinstance(each, Note)]

    def lines(self, secure: bool) -> list[str]:
        """What was said under TLS, or in clear."""
        spoken = [each for each in taken_down(self.actions) if isinstance(each, Frame) and each.secure == secure]
        return [line.decode() for each in spoken for line in each.octets.splitlines()]


def taken_down(actions: list[Action]) -> list[Frame | Note]:
    """All entries, as they were taken down."""
    return [entry for action in actions if isinstance(action, TakeDown) for entry in action.entries]


def told(actions: list[Action]) -> list[str]:
    """What mailproxy had to say."""
    said = [each for each in actions if isinstance(each, Tell | Warn)]
    return [f"*** {each.text}" if isinstance(each, Warn) else each.text for each in said]


def test_once_starttls_is_granted_tls_begins_and_the_person_goes_on() -> None:
    session = Session()
    assert session.play(*GRANTED)[-1] == StartTls()
    assert session.phase() is Phase.WAITING
    assert told(session.play("=")) == [AGREED]
    assert session.phase() is Phase.COMMAND
    session.play("> EHLO client.example.org", "< 250 mail.example.org", "> QUIT", "< 221 Bye")
    assert session.sent() == b"EHLO client.example.org\r\nSTARTTLS\r\nEHLO client.example.org\r\nQUIT\r\n"
    assert session.lines(secure=True) == ["EHLO client.example.org", "250 mail.example.org", "QUIT", "221 Bye"]
    assert session.lines(secure=False)[-1] == "220 2.0.0 Ready to start TLS"
    assert AGREED in session.notes()


def test_stls_too() -> None:
    session = Session("pop3")
    assert session.play("< +OK ready", "> stls", "< +OK begin")[-1] == StartTls()
    session.play("=", "> CAPA", "< +OK\r\nUSER\r\n.")
    assert session.lines(secure=True) == ["CAPA", "+OK", "USER", "."]


def test_what_is_refused_changes_nothing() -> None:
    session = Session()
    assert StartTls() not in session.play(*GREETED, "> STARTTLS", "< 454 4.7.0 not now")
    session.play("> NOOP", "< 250 Ok")
    assert session.sent().endswith(b"STARTTLS\r\nNOOP\r\n")
    assert session.lines(secure=True) == []


def test_what_is_typed_before_the_refusal_goes_out_behind_it() -> None:
    session = Session()
    session.play(*GREETED, "> STARTTLS", "> NOOP")
    assert session.sent().endswith(b"STARTTLS\r\n")
    session.play("< 454 4.7.0 not now")
    assert session.sent().endswith(b"STARTTLS\r\nNOOP\r\n")


def test_what_is_typed_before_the_grant_goes_nowhere_and_the_person_is_told() -> None:
    session = Session()
    session.play(*GREETED, "> STARTTLS", "> NOOP")
    assert told(session.play("< 220 go ahead")) == [
        "*** dropped 6 octets of the client behind STARTTLS: NOOP\\x0d\\x0a"
    ]
    session.play("=")
    assert session.sent().endswith(b"STARTTLS\r\n")


def test_what_is_typed_in_the_handshake_waits_for_its_end() -> None:
    session = Session()
    assert session.play(*GRANTED, "> EHLO client.example.org") == []
    assert session.sent().endswith(b"STARTTLS\r\n")
    session.play("=")
    assert session.sent().endswith(b"STARTTLS\r\nEHLO client.example.org\r\n")
    assert session.lines(secure=True) == ["EHLO client.example.org"]


def test_what_stands_behind_the_grant_in_clear_is_dropped() -> None:
    session = Session()
    granted = session.play(*GREETED, "> STARTTLS", "< 220 go ahead\r\n250 injected")
    assert told(granted) == ["*** dropped 14 octets of the server behind STARTTLS: 250 injected\\x0d\\x0a"]
    assert granted[-1] == StartTls()


def test_a_certificate_that_is_not_trusted_is_told_and_the_person_decides() -> None:
    session = Session()
    session.play(*GRANTED)
    session.actions += (come := session.typist.secured(FACTS, 0))
    assert told(come)[1:] == ["*** the server's certificate is not trusted: certificate has expired, hostname mismatch"]
    session.play("> NOOP")
    assert session.sent().endswith(b"NOOP\r\n")


@pytest.mark.parametrize("lines", [GRANTED, (*GRANTED, "=")])
def test_tls_that_fails_ends_the_session(lines: tuple[str, ...]) -> None:
    session = Session()
    session.play(*lines)
    session.fails()
    assert session.notes()[-1] == "*** TLS failed with the server: certificate has expired"
    assert session.typist.relay.over
    assert session.typist.relay.endings[Side.SERVER].how is How.FAILED


def test_tls_from_the_start() -> None:
    session = Session(security=Security.TLS)
    assert session.actions[-1] == StartTls()
    assert session.phase() is Phase.WAITING
    assert told(session.play("=")) == [AGREED]
    assert session.phase() is Phase.WAITING, "the greeting has not come"
    session.play("< 220 mail.example.org ESMTP", "> QUIT", "< 221 Bye")
    assert session.lines(secure=True) == ["220 mail.example.org ESMTP", "QUIT", "221 Bye"]
    assert session.lines(secure=False) == []


def test_the_greeting_under_tls_says_which_protocol_it_is() -> None:
    session = Session(security=Security.TLS, sure=False)
    session.play("=", "< +OK ready", "> STLS", "< -ERR that is so already")
    assert session.typist.protocol.name == "pop3"
    assert session.lines(secure=False) == []
    assert session.lines(secure=True) == ["+OK ready", "STLS", "-ERR that is so already"]


def test_a_server_in_clear_where_tls_comes_first() -> None:
    session = Session(security=Security.TLS)
    session.typist.insecure(Insecure("it speaks in clear", by=Side.SERVER, clear=b"220 hello\r\n"), 0)
    assert session.typist.relay.over


def test_the_status_tells() -> None:
    session = Session()
    session.play(*GRANTED)
    assert told(session.play("> \x1dstatus"))[0].startswith(
        "SMTP with mail.example.org port 587: the TLS handshake is under way."
    )
    session.play("=")
    assert told(session.play("> \x1dstatus"))[0].startswith(
        "SMTP with mail.example.org port 587, under TLSv1.3: a command can be typed."
    )


def test_how_it_ended() -> None:
    session = Session()
    session.play(*GRANTED, "=")
    session.actions += session.typist.ended(How.CLOSED, 0, False)
    assert "*** closed by the server (no close_notify)" in session.notes()
    broken = Session()
    broken.play(*GRANTED)
    broken.actions += broken.typist.ended(How.RESET, 0)
    assert broken.notes()[-1] == "*** reset by the server in the TLS handshake"


def test_what_is_typed_once_all_is_over_goes_nowhere() -> None:
    session = Session()
    session.play(*GRANTED, "=")
    session.typist.ended(How.CLOSED, 0, True)
    assert session.play("> NOOP") == []
    assert session.typist.typed_all(0) == []


STEPS: Final = st.one_of(
    st.binary(max_size=40).map(lambda said: (">", said)),
    st.sampled_from([b"STARTTLS", b"starttls", b"STLS", b"EHLO a", b"QUIT", b"DATA", b"."]).map(
        lambda said: (">", said)
    ),
    st.sampled_from([b"220 go\r\n", b"+OK\r\n", b"454 no\r\n", b"250 Ok\r\n", b"354 go\r\n"]).map(
        lambda said: ("<", said)
    ),
    st.binary(max_size=40).map(lambda said: ("<", said)),
)


@given(st.sampled_from(["smtp", "pop3", "pop2"]), st.booleans(), st.lists(STEPS, max_size=20))
def test_whatever_is_said_tls_begins_at_most_once_and_nothing_is_sent_in_its_handshake(
    protocol: str, sure: bool, steps: list[tuple[str, bytes]]
) -> None:
    typist = Typist(named(protocol), "mail.example.org port 587", sure=sure)
    begun = 0
    for mark, said in steps:
        come = typist.typed(said, 0) if mark == ">" else typist.heard(said, 0)
        if StartTls() in come:
            begun += 1
            assert come[-1] == StartTls()
            assert not [each for each in typist.typed(b"NOOP", 0) if isinstance(each, Send)]
            typist.secured(GOOD, 0)
    assert begun <= 1


def test_facts_without_a_chain() -> None:
    session = Session()
    session.play(*GRANTED)
    bare = TlsFacts(version="TLSv1.2", cipher="X", chain=(), faults=(Fault.OTHER,), reason="no certificate")
    assert told(session.typist.secured(bare, 0))[0] == "=== TLS with the server: TLSv1.2, X"
