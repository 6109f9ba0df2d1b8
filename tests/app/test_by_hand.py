"""Sessions by hand with the practice servers, over loopback."""

import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import trio

from mailproxy.app import by_hand as module
from mailproxy.app.by_hand import Over, Target, Unreachable, by_hand, target
from mailproxy.app.practice import Addresses, practice_server
from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Frame, Note, Side
from mailproxy.model.session import How, Leg
from mailproxy.model.tls import Security, TlsFacts
from tests.app.setup_world import Tls, mail_server


class Script:
    """A person who types these lines and no more."""

    def __init__(self, *lines: str, patient: bool = True) -> None:
        self.patient = patient
        self.lines = [line.encode() for line in lines]
        self.seen: list[str] = []

    def read(self, prompt: str) -> bytes | None:
        """The next line."""
        return self.lines.pop(0) if self.lines else None

    def show(self, text: str) -> None:
        """Keep what was shown."""
        self.seen += text.split("\n")

    def warn(self, text: str) -> None:
        """Keep what was warned of."""
        self.seen.append(f"*** {text}")

    def remember(self, line: str) -> None:
        """Keep nothing."""


class Tape:
    """A record that keeps all."""

    def __init__(self) -> None:
        self.server: Leg | None = None
        self.tls: TlsFacts | None = None
        self.entries: list[Entry] = []
        self.verbs: list[str] = []
        self.over: Over | None = None

    def connected(self, server: Leg) -> None:
        """Keep it."""
        self.server = server

    def secured(self, facts: TlsFacts) -> None:
        """Keep it."""
        self.tls = facts

    def heard(self, entries: Sequence[Entry], exchanges: Sequence[Exchange]) -> None:
        """Keep it."""
        self.entries += entries
        self.verbs += [exchange.verb for exchange in exchanges]

    def ended(self, over: Over) -> None:
        """Keep it."""
        assert self.over is None
        self.over = over

    def said(self, side: Side) -> bytes:
        """What one side said, in recorded form."""
        return b"".join(each.octets for each in self.entries if isinstance(each, Frame) and each.side is side)

    def notes(self) -> list[str]:
        """What was noted besides."""
        return [f"{each.mark} {each.text}" for each in self.entries if isinstance(each, Note)]


def talk(person: Script, where: Callable[[Addresses], Target]) -> Tape:
    """The person's session with a practice server."""
    tape = Tape()

    async def run() -> None:
        async with practice_server() as addresses:
            with trio.fail_after(20):
                await by_hand(where(addresses), person, tape)

    trio.run(run)
    return tape


def smtp(addresses: Addresses) -> Target:
    """The practice server of SMTP, by its greeting."""
    return target(str(addresses.smtp))


def pop3(addresses: Addresses) -> Target:
    """The practice server of POP3."""
    return target(addresses.pop3.host, addresses.pop3.port, "pop3")


def test_a_message_typed_by_hand() -> None:
    person = Script(
        "EHLO client.example.org",
        "MAIL FROM:<bob@example.org>",
        "RCPT TO:<alice@example.org>",
        "DATA",
        "Subject: by hand",
        "",
        ".",
        "QUIT",
    )
    tape = talk(person, smtp)
    assert person.seen[:3] == ["Trying 127.0.0.1…", "Connected to 127.0.0.1.", "Escape character is '^]'."]
    assert person.seen[3].startswith("220 ")
    assert person.seen[-1] == "Connection closed by foreign host."
    assert [line[:3] for line in person.seen if line[:2] in {"35", "22"}] == ["220", "354", "221"]
    assert tape.verbs == ["", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
    assert tape.over is not None
    assert tape.over.protocol == "smtp"
    assert tape.over.quit
    assert tape.over.endings[Side.SERVER].how is How.CLOSED


def test_a_mailbox_read_by_hand() -> None:
    person = Script("USER alice", "PASS practice", "STAT", "? retr", "RETR 1", "QUIT")
    tape = talk(person, pop3)
    assert tape.said(Side.CLIENT) == b"USER alice\r\nPASS <secret: 8 characters>\r\nSTAT\r\nRETR 1\r\nQUIT\r\n"
    assert "RETR n" in person.seen
    assert "." in person.seen
    assert tape.over is not None
    assert tape.over.user == "alice"
    assert tape.server is not None
    assert (tape.server.address, tape.server.local_address) == ("127.0.0.1", "127.0.0.1")
    assert tape.notes()[0] == "=== connected to 127.0.0.1"


def test_the_end_of_the_input_ends_the_session() -> None:
    person = Script("NOOP")
    tape = talk(person, pop3)
    assert tape.notes()[1] == "*** closed by the client without QUIT"
    assert person.seen[-1] == "Connection closed by foreign host."


def test_an_order_to_close() -> None:
    person = Script("NOOP", "\x1d", "close", "QUIT")
    tape = talk(person, pop3)
    assert person.seen[-1] == "Connection closed."
    assert person.lines == [b"QUIT"]
    assert tape.said(Side.CLIENT) == b"NOOP\r\n"
    assert tape.notes()[1] == "*** closed by the client without QUIT"


def test_a_slip_is_warned_of_before_the_server_refuses_it() -> None:
    person = Script("HELO", "QUIT")
    talk(person, smtp)
    warned = person.seen.index("*** the name is missing: HELO client.example.org, or HELO [192.0.2.7]")
    assert person.seen[warned + 1].startswith("501")


def typed_under_tls(person: Script, tls: Tls, folder: Path, security: Security, port: int) -> Tape:
    """The person's session with a server on `port` whose root is known."""
    root, tape = folder / "root.pem", Tape()
    root.write_bytes(tls.pem)

    async def run() -> None:
        with trio.fail_after(20):
            await by_hand(Target("localhost", port, "smtp", True, security), person, tape, (root,))

    trio.run(run)
    return tape


def test_a_session_under_tls(tmp_path: Path) -> None:
    person, tls = Script("EHLO client.example.org", "QUIT"), Tls("localhost")
    with mail_server("220 hello\r\n", {"EHLO": "250 hello\r\n", "QUIT": "221 bye\r\n"}, tls.server) as port:
        tape = typed_under_tls(person, tls, tmp_path, Security.TLS, port)
    [agreed] = [line for line in person.seen if line.startswith("=== ")]
    assert agreed.startswith("=== TLS with the server: TLSv1.3, ")
    assert person.seen[-4:-1] == ["220 hello", "250 hello", "221 bye"]
    assert tape.verbs == ["", "EHLO", "QUIT"]
    assert {each.secure for each in tape.entries if isinstance(each, Frame)} == {True}
    assert tape.tls is not None
    assert (tape.tls.checked, tape.tls.faults, tape.tls.server_name) == (True, (), "localhost")


def test_a_certificate_for_another_host_is_warned_of(tmp_path: Path) -> None:
    person, tls = Script("QUIT"), Tls("mail.example.org")
    with mail_server("220 hello\r\n", {"QUIT": "221 bye\r\n"}, tls.server) as port:
        tape = typed_under_tls(person, tls, tmp_path, Security.TLS, port)
    assert "*** the server's certificate is not trusted: hostname mismatch" in person.seen
    assert tape.verbs == ["", "QUIT"]


def test_tls_with_a_server_that_speaks_in_clear(tmp_path: Path) -> None:
    person, tape = Script("QUIT"), Tape()
    with mail_server("220 hello\r\n", {}) as port:
        where = Target("localhost", port, "smtp", True, Security.TLS)
        with pytest.raises(
            Unreachable, match=f"^localhost port {port}: TLS failed with the server: it speaks in clear$"
        ):
            trio.run(by_hand, where, person, tape)
    assert tape.notes()[-1] == "*** TLS failed with the server: it speaks in clear"
    assert tape.said(Side.SERVER) == b"220 hello\r\n"


def test_on_a_port_for_tls_the_person_is_told_what_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TLS_PORTS", range(65536))
    person = Script("QUIT")
    tape = talk(person, smtp)
    assert tape.server is not None
    told = f"*** on port {tape.server.port} a server waits for a TLS handshake: say --tls to begin with one"
    assert told in person.seen


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


def test_nobody_listens() -> None:
    person, tape, port = Script(), Tape(), free_port()
    with pytest.raises(Unreachable, match=f"^127.0.0.1 port {port}: connection refused$"):
        trio.run(by_hand, target("127.0.0.1", port), person, tape)
    assert person.seen == ["Trying 127.0.0.1…"]
    assert tape.notes() == ["*** connection refused"]
    assert tape.over is not None
    assert tape.over.endings[Side.SERVER].how is How.REFUSED


def test_no_such_host() -> None:
    with pytest.raises(Unreachable, match="no such host"):
        trio.run(by_hand, target("nowhere.invalid", 25), Script())


def reset_at_once(server: socket.socket) -> None:
    """Take one connection and break it."""
    connection, _ = server.accept()
    with connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_a_server_that_resets() -> None:
    person, tape = Script(), Tape()

    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.to_thread.run_sync, reset_at_once, server)
                with trio.fail_after(20):
                    await by_hand(target("127.0.0.1", server.getsockname()[1]), person, tape)

    trio.run(run)
    assert person.seen[-1] == "Connection reset by foreign host."
    assert tape.notes()[-1] == "*** reset by the server"


@pytest.mark.parametrize(
    ("where", "port", "protocol", "meant"),
    [
        ("mail.example.org", None, None, ("mail.example.org", 25, "smtp", True)),
        ("mail.example.org:587", None, None, ("mail.example.org", 587, "smtp", True)),
        ("mail.example.org", 110, None, ("mail.example.org", 110, "pop3", True)),
        ("mail.example.org:24", None, None, ("mail.example.org", 24, "lmtp", True)),
        ("mail.example.org", 109, None, ("mail.example.org", 109, "pop2", True)),
        ("mail.example.org", None, "pop3", ("mail.example.org", 110, "pop3", True)),
        ("mail.example.org:2525", None, None, ("mail.example.org", 2525, "smtp", False)),
        ("mail.example.org:2525", None, "lmtp", ("mail.example.org", 2525, "lmtp", True)),
        ("[2001:db8::25]:110", None, None, ("2001:db8::25", 110, "pop3", True)),
        ("[2001:db8::25]", None, None, ("2001:db8::25", 25, "smtp", True)),
        ("2001:db8::25", 25, None, ("2001:db8::25", 25, "smtp", True)),
    ],
)
def test_what_is_meant(where: str, port: int | None, protocol: str | None, meant: tuple[object, ...]) -> None:
    assert target(where, port, protocol) == (*meant, Security.NONE)


@pytest.mark.parametrize(
    ("where", "tls", "meant"),
    [
        ("smtps://mail.example.org", False, ("mail.example.org", 465, "smtp", True, Security.TLS)),
        ("pop3s://[2001:db8::25]:9950", False, ("2001:db8::25", 9950, "pop3", True, Security.TLS)),
        ("smtp://mail.example.org", False, ("mail.example.org", 25, "smtp", True, Security.NONE)),
        ("smtp://mail.example.org:4650", True, ("mail.example.org", 4650, "smtp", True, Security.TLS)),
        ("mail.example.org:465", True, ("mail.example.org", 465, "smtp", True, Security.TLS)),
        ("mail.example.org", True, ("mail.example.org", 465, "smtp", True, Security.TLS)),
        ("mail.example.org:4650", True, ("mail.example.org", 4650, "smtp", False, Security.TLS)),
    ],
)
def test_what_is_meant_with_tls(where: str, tls: bool, meant: tuple[object, ...]) -> None:
    assert target(where, tls=tls) == meant


def test_what_cannot_begin_with_tls() -> None:
    with pytest.raises(ValueError, match=r"^smtp\+starttls://a: connect in clear, with smtp://, and type STARTTLS$"):
        target("smtp+starttls://a")
    with pytest.raises(ValueError, match="imaps://a"):
        target("imaps://a")
    with pytest.raises(ValueError, match=r"^pop2 has no port of its own for TLS: name one$"):
        target("a", None, "pop2", True)


@pytest.mark.parametrize("where", ["", "a:b", "mail.example.org:", "mail.example.org:99999", "[::1", "a b"])
def test_what_is_no_place(where: str) -> None:
    with pytest.raises(ValueError, match=r" is no "):
        target(where)


def test_no_such_protocol() -> None:
    with pytest.raises(KeyError):
        target("mail.example.org", 143, "imap")
