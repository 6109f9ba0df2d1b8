"""Sessions typed by hand, as transcripts: what is typed, what is heard, and what mailproxy says of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.model.octets import Frame, Note, Side
from mailproxy.model.session import How
from mailproxy.protocols import PROTOCOLS, named
from mailproxy.talk.typist import Action, Close, Phase, Remember, Send, Show, TakeDown, Tell, Typist, Warn


class Session:
    """A session by hand that is played from a test: `>` is typed, `<` is heard."""

    def __init__(self, protocol: str = "smtp", *, sure: bool = True) -> None:
        self.typist = Typist(named(protocol), "mail.example.org port 25", sure=sure)
        self.actions: list[Action] = []

    def play(self, *lines: str) -> list[Action]:
        """What came of the last of the lines."""
        for line in lines:
            mark, said = line[0], line[1:].removeprefix(" ").encode()
            come = self.typist.typed(said, 0) if mark == ">" else self.typist.heard(said + b"\r\n", 0)
            self.actions += come
        return come

    def warnings(self, *lines: str) -> list[str]:
        """What mailproxy had to say of the last of the lines."""
        return [action.text for action in self.play(*lines) if isinstance(action, Warn)]

    def told(self, *lines: str) -> str:
        """What mailproxy answered the last of the lines with."""
        return "\n".join(action.text for action in self.play(*lines) if isinstance(action, Tell))

    def sent(self) -> bytes:
        """All that went out."""
        return b"".join(action.octets for action in self.actions if isinstance(action, Send))

    def shown(self) -> list[str]:
        """All lines of the server."""
        return [action.text for action in self.actions if isinstance(action, Show)]

    def recorded(self, side: Side) -> bytes:
        """All that was taken down of one side."""
        entries = [each for action in self.actions if isinstance(action, TakeDown) for each in action.entries]
        return b"".join(each.octets for each in entries if isinstance(each, Frame) and each.side is side)

    def notes(self) -> list[str]:
        """All notes that were taken down."""
        entries = [each for action in self.actions if isinstance(action, TakeDown) for each in action.entries]
        return [f"{each.mark} {each.text}" for each in entries if isinstance(each, Note)]

    def history(self) -> list[str]:
        """What the arrow keys recall."""
        return [action.text for action in self.actions if isinstance(action, Remember)]


GREETED = ("< 220 mail.example.org ESMTP",)
HELLO = (*GREETED, "> EHLO client.example.org", "< 250 mail.example.org")
MESSAGE = (
    *HELLO,
    "> MAIL FROM:<alice@example.org>",
    "< 250 2.1.0 Ok",
    "> RCPT TO:<bob@example.net>",
    "< 250 2.1.5 Ok",
    "> DATA",
    "< 354 go ahead",
)


def test_a_message_goes_out_as_it_was_typed() -> None:
    session = Session()
    assert session.warnings(*MESSAGE, "> Subject: hello", ">", "> ..dot", "> .") == []
    assert session.typist.phase is Phase.WAITING
    session.play("< 250 2.0.0 Ok: queued", "> QUIT", "< 221 2.0.0 Bye")
    typed = b"".join(line[2:].encode() + b"\r\n" for line in MESSAGE if line[0] == ">")
    assert session.sent() == typed + b"Subject: hello\r\n\r\n..dot\r\n.\r\nQUIT\r\n"
    assert session.recorded(Side.CLIENT) == session.sent()
    assert session.shown()[0] == "220 mail.example.org ESMTP"
    assert session.shown()[-1] == "221 2.0.0 Bye"


def test_whose_turn_it_is() -> None:
    session = Session()
    phases = [session.typist.phase]
    for line in (*MESSAGE, "> text", "> .", "< 250 Ok"):
        session.play(line)
        phases.append(session.typist.phase)
    waiting, command, content = Phase.WAITING, Phase.COMMAND, Phase.CONTENT
    assert phases == [waiting, command, *[waiting, command] * 3, waiting, content, content, waiting, command]


def test_a_dot_that_should_be_two() -> None:
    session = Session()
    assert "needs a second one" in session.warnings(*MESSAGE, "> .signature")[0]
    assert session.warnings("> ..signature", "> .") == []
    assert b"\r\n.signature\r\n..signature\r\n.\r\n" in session.sent()


def test_a_question_in_a_message_is_part_of_it() -> None:
    session = Session()
    assert session.told(*MESSAGE, "> ?") == ""
    assert session.sent().endswith(b"DATA\r\n?\r\n")


def test_bdat_takes_octets_and_no_dot() -> None:
    session = Session()
    assert session.warnings(*MESSAGE[:-2], "> BDAT 9 LAST", "> .x") == []
    phases = [session.typist.phase]
    session.play("> abc")
    assert [*phases, session.typist.phase] == [Phase.CONTENT, Phase.WAITING]


def test_a_slip_is_pointed_out_and_sent_all_the_same() -> None:
    session = Session()
    assert "RCPT TO:<address>" in session.warnings(*HELLO, "> MAIL TO:<bob@example.net>")[0]
    assert session.sent().endswith(b"MAIL TO:<bob@example.net>\r\n")


def test_all_commands_and_the_last_reply_are_explained() -> None:
    told = Session().told(*HELLO, "> VRFY bob", "< 550 5.1.1 unknown", "> ?")
    assert "MAIL FROM:<address>" in told
    assert "The reply 550: no: there is no such mailbox" in told
    assert told.endswith("5.1.1: there is no such mailbox.")


def test_one_command_is_explained() -> None:
    session = Session()
    told = session.told(*HELLO, "> ? rcpt")
    assert told.startswith("RCPT TO:<address>\n")
    assert "for example: RCPT TO:<bob@example.net>" in told
    assert "VERY is no command" in session.told("> ?very")
    assert session.told("> ? 452 4.2.2").endswith("4.2.2: the mailbox is full.")
    assert b"?" not in session.sent()


def test_what_354_means_while_the_message_has_not_begun() -> None:
    session = Session()
    session.play(*MESSAGE)
    assert "The reply 354: type the message now" in session.told("> \x1d", "> status")


def test_a_login_is_masked_in_the_record_and_in_the_history() -> None:
    session = Session()
    told = session.told(*HELLO, "> AUTH LOGIN", "< 334 UGFzc3dvcmQ6")
    assert told == "The server asks: Password:"
    assert session.typist.phase is Phase.SECRET
    session.play("> d29uZGVybGFuZA==", "< 235 2.7.0 ok", "> NOOP")
    assert b"\r\nd29uZGVybGFuZA==\r\nNOOP\r\n" in session.sent()
    assert b"d29uZGVybGFuZA" not in session.recorded(Side.CLIENT)
    assert session.history()[1:] == ["AUTH LOGIN", "<secret: LOGIN, user name 10 characters>", "NOOP"]


@pytest.mark.parametrize(
    ("protocol", "greeting", "line"),
    [
        ("pop3", "< +OK", "> PASS wonderland"),
        ("pop3", "< +OK", "> pass  wonderland"),
        ("pop3", "< +OK", "> APOP alice wonderland"),
        ("pop2", "< + POP2", "> HELO alice wonderland"),
        ("smtp", "< 220", "> AUTH PLAIN wonderland"),
        ("smtp", "< 220", "> PASS wonderland"),
    ],
)
def test_a_password_goes_out_and_is_kept_nowhere(protocol: str, greeting: str, line: str) -> None:
    session = Session(protocol)
    session.play(greeting, line)
    assert b"wonderland" in session.sent()
    kept = session.recorded(Side.CLIENT).decode() + "".join(session.history() + session.warnings("> ?"))
    assert "wonderland" not in kept
    assert "<secret: " in kept


def test_a_masked_line_that_was_recalled_is_not_sent() -> None:
    session = Session("pop3")
    assert "type the secret itself" in session.warnings("< +OK", "> PASS <secret: 10 characters>")[0]
    assert session.sent() == b""


def test_a_question_in_a_login() -> None:
    session = Session()
    assert "The reply 334: the login goes on" in session.told(*HELLO, "> AUTH LOGIN", "< 334 VXNlcm5hbWU6", "> ?")
    session.play("> ?=")
    assert session.sent().endswith(b"AUTH LOGIN\r\n?=\r\n")


@pytest.mark.parametrize(
    ("greeting", "protocol"),
    [
        ("220 mail.example.org ESMTP", "smtp"),
        ("554 no", "smtp"),
        ("220 mail.example.org LMTP ready", "lmtp"),
        ("+OK ready", "pop3"),
        ("+ POP2 ready", "pop2"),
        ("* OK IMAP4rev1", "smtp"),
    ],
)
def test_the_greeting_tells_the_protocol(greeting: str, protocol: str) -> None:
    session = Session(sure=False)
    for octet in greeting.encode() + b"\r\n":
        session.actions += session.typist.heard(bytes([octet]), 0)
    assert session.typist.protocol.name == protocol
    assert session.shown() == [greeting]
    assert session.recorded(Side.SERVER) == greeting.encode() + b"\r\n"


def test_who_types_before_the_greeting_is_answered_too() -> None:
    session = Session(sure=False)
    session.play("> EHLO client.example.org")
    assert session.sent() == b"EHLO client.example.org\r\n"


def test_lines_are_shown_as_they_end() -> None:
    session = Session()
    session.actions += session.typist.heard(b"220-one\n220 t", 0)
    assert session.shown() == ["220-one\\n"]
    session.actions += session.typist.heard(b"wo \x1b[2J\r\n25", 0)
    assert session.shown() == ["220-one\\n", "220 two \\x1b[2J"]
    session.actions += session.typist.ended(How.CLOSED, 0)
    assert session.shown()[2:] == ["25\\"]


def test_octets_that_pop2_counts_are_shown_without_a_line_end() -> None:
    session = Session("pop2")
    session.play("< + POP2", "> HELO alice wonderland", "< #1", "> READ", "< =5", "> RETR")
    session.actions += session.typist.heard(b"a\r\nbc", 0)
    assert session.shown()[-2:] == ["a", "bc\\"]
    assert session.typist.phase is Phase.COMMAND


def test_the_escape_character_leads_to_orders() -> None:
    session = Session()
    session.play(*HELLO, "> \x1d")
    assert session.typist.escaped
    assert session.told("> status").startswith("SMTP with mail.example.org port 25: a command can be typed.")
    assert not session.typist.escaped
    assert "Invalid command" in session.told("> \x1d", "> dance")
    assert session.play("> \x1dquit") == [Close()]
    assert session.sent() == b"EHLO client.example.org\r\n"


def test_an_empty_order_goes_back_to_the_session() -> None:
    session = Session()
    session.play(*HELLO, "> \x1d", ">", "> NOOP")
    assert session.sent().endswith(b"\r\nNOOP\r\n")


def test_the_record_says_how_it_ended() -> None:
    session = Session()
    session.actions += session.typist.connected("mail.example.org", "192.0.2.25", 0)
    session.play(*HELLO)
    session.actions += session.typist.typed_all(1) + session.typist.ended(How.CLOSED, 2) + session.typist.left(3)
    assert session.notes() == [
        "=== connected to mail.example.org (192.0.2.25)",
        "*** closed by the client without QUIT",
    ]
    assert session.typist.relay.over


def test_a_server_that_resets() -> None:
    session = Session()
    session.play(*HELLO)
    session.actions += session.typist.ended(How.RESET, 2) + session.typist.left(3)
    assert session.notes() == ["*** reset by the server"]
    assert session.typist.relay.endings[Side.SERVER].how is How.RESET


lines = st.binary(max_size=60).filter(lambda line: b"\n" not in line) | st.sampled_from(
    [b"DATA", b".", b"AUTH LOGIN", b"BDAT 5", b"RETR 1", b"?", b"\x1d", b"\xff\xfd\x01", b"PASS x"]
)
replies = st.binary(max_size=60) | st.sampled_from([b"220 x\r\n", b"354 x\r\n", b"334 ?\r\n", b"+OK\r\n", b"=9\r\n"])


@given(st.sampled_from(PROTOCOLS), st.booleans(), st.lists(st.tuples(st.booleans(), lines, replies), max_size=12))
def test_whatever_is_typed_and_heard(protocol: object, sure: bool, said: list[tuple[bool, bytes, bytes]]) -> None:
    session = Session(getattr(protocol, "name", ""), sure=sure)
    heard = b""
    for typed, line, octets in said:
        session.actions += session.typist.typed(line, 0) if typed else session.typist.heard(octets, 0)
        heard += b"" if typed else octets
    session.actions += session.typist.ended(How.CLOSED, 1)
    assert all(line.isprintable() for line in session.shown())
    frames = [each for action in session.actions if isinstance(action, TakeDown) for each in action.entries]
    assert sum(each.wire for each in frames if isinstance(each, Frame) and each.side is Side.SERVER
               and each.kind != "telnet") == len(heard)  # fmt: skip
