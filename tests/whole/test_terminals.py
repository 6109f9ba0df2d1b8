"""People who type: telnet programs negotiate and interrupt, and the server hears nothing of it."""

from pathlib import Path
from typing import Final

import pytest

from mailproxy.model.escape import unescape

from .client import run
from .dovecot import PASSWORD, Dovecot, Mailbox
from .loopback import Address
from .messages import message, received, untraced, wire_lines
from .postfix import Postfix
from .proxy import Proxy, Session, said
from .terminal import Terminal

TYPED: Final = message("empty") + b"Gr\xfc\xdfe\r\n.one\r\n..\r\nlast\r\n"
# IAC WILL NAWS, WILL TSPEED, WILL TTYPE, WILL NEW-ENVIRON, DO ECHO, WILL SGA, DO SGA
OPENING: Final = b"\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x18\xff\xfb\x27\xff\xfd\x01\xff\xfb\x03\xff\xfd\x03"
REFUSAL: Final = b"\xff\xfe\x1f\xff\xfe\x20\xff\xfe\x18\xff\xfe\x27\xff\xfc\x01\xff\xfe\x03\xff\xfc\x03"
INTERRUPT: Final = b"\xff\xf4\xff\xfd\x06"  # IAC IP, IAC DO TIMING-MARK


def terminal(name: str, server: Address, home: Path) -> Terminal:
    """A telnet program connected to the server."""
    match name:
        case "telnet":
            return Terminal(home, "inetutils-telnet", server.host, str(server.port))
        case _:
            return Terminal(home, "plink", "-telnet", "-P", str(server.port), server.host)


def send(screen: Terminal, recipient: str) -> None:
    """Type a whole message, reading each reply before the next command."""
    screen.hears(rb"220 .*\r\n")
    for command, reply in (
        ("EHLO client.example", rb"(?:250-.*\r\n)*250 .*\r\n"),
        ("MAIL FROM:<bob@example.org>", rb"250 .*\r\n"),
        (f"RCPT TO:<{recipient}>", rb"250 .*\r\n"),
        ("DATA", rb"354 .*\r\n"),
    ):
        screen.types(command.encode())
        screen.hears(reply)
    for line in wire_lines(TYPED):
        screen.types(line.removesuffix(b"\r\n"))
    screen.types(b".")
    screen.hears(rb"250 .*\r\n")
    screen.types(b"QUIT")
    screen.hears(rb"221 .*\r\n")
    screen.ends()


def telnet(session: Session, origin: str) -> bytes:
    """The telnet commands of a session: those of the client (`peer`) or the answers of the proxy."""
    entries = session["entries"]
    return b"".join(
        unescape(each["octets"]) for each in entries if (each.get("kind"), each.get("origin")) == ("telnet", origin)
    )


@pytest.mark.parametrize("name", ["telnet", "plink"])
def test_a_message_typed(name: str, postfix: Postfix, mailbox: Mailbox, tmp_path: Path) -> None:
    with Proxy(tmp_path / "proxy", f"0=smtp://{postfix.smtp}") as proxy:
        with terminal(name, proxy.address("smtp"), tmp_path) as screen:
            send(screen, mailbox.address)
        proxy.stop()
        (session,) = proxy.sessions()
    postfix.delivered(mailbox.address)
    assert [untraced(mail) for mail in mailbox.messages] == [TYPED]
    assert said(session) == [
        "220",
        "EHLO client.example 250",
        "MAIL FROM:<bob@example.org> 250",
        f"RCPT TO:<{mailbox.address}> 250",
        "DATA 250",
        "QUIT 221",
    ]
    assert telnet(session, "peer").startswith(OPENING if name == "plink" else b"")
    assert telnet(session, "proxy").startswith(REFUSAL if name == "plink" else b"")
    assert bool(telnet(session, "peer")) == (name == "plink")


def test_without_the_proxy_the_opening_sticks_to_the_first_line(postfix: Postfix, tmp_path: Path) -> None:
    with terminal("plink", postfix.smtp, tmp_path) as screen:
        screen.hears(rb"220 .*\r\n")
        screen.types(b"EHLO client.example")
        screen.hears(rb"500 .*\r\n")


def test_a_line_interrupted(postfix: Postfix, tmp_path: Path) -> None:
    with Proxy(tmp_path / "proxy", f"0=smtp://{postfix.smtp}") as proxy:
        with terminal("telnet", proxy.address("smtp"), tmp_path) as screen:
            screen.hears(rb"220 .*\r\n")
            screen.presses(b"HELP M")
            screen.presses(b"\x03")
            screen.types(b"NOOP")
            screen.hears(rb"250 .*\r\n")
            screen.types(b"QUIT")
            screen.hears(rb"221 .*\r\n")
            screen.ends()
        proxy.stop()
        (session,) = proxy.sessions()
    assert said(session) == ["220", "NOOP 250", "QUIT 221"]
    assert telnet(session, "peer") == INTERRUPT
    assert telnet(session, "proxy") == b"\xff\xfc\x06"


@pytest.mark.parametrize("name", ["telnet", "plink"])
def test_a_message_read(name: str, dovecot: Dovecot, mailbox: Mailbox, tmp_path: Path) -> None:
    mailbox.put(message("leading-dots"))
    with Proxy(tmp_path / "proxy", f"0=pop3://{dovecot.pop3}") as proxy:
        with terminal(name, proxy.address("pop3"), tmp_path) as screen:
            screen.hears(rb"\+OK .*\r\n")
            for line in (f"USER {mailbox.name}", f"PASS {PASSWORD}", "LIST 1"):
                screen.types(line.encode())
                screen.hears(rb"\+OK.*\r\n")
            screen.types(b"RETR 1")
            screen.hears(rb"\+OK .*\r\n")
            assert screen.hears(rb"\r\n\.\r\n") + b"\r\n" == b"".join(wire_lines(received("leading-dots")))
            screen.types(b"QUIT")
            screen.hears(rb"\+OK .*\r\n")
            screen.ends()
        proxy.stop()
        assert proxy.keeps([PASSWORD.encode()]) == []
        (session,) = proxy.sessions()
    assert [line.split()[0] for line in said(session)] == ["+OK", "USER", "PASS", "LIST", "RETR", "QUIT"]
    assert {each["code"] for each in session["exchanges"]} == {"+OK"}


def test_a_message_from_a_pipe(postfix: Postfix, mailbox: Mailbox, tmp_path: Path) -> None:
    """All lines come at once, before the greeting, and end in a bare LF (plink leaves it so)."""
    lines = [b"EHLO client.example", b"MAIL FROM:<bob@example.org>", f"RCPT TO:<{mailbox.address}>".encode(), b"DATA"]
    lines += [line.removesuffix(b"\r\n") for line in wire_lines(TYPED)]
    lines += [b".", b"QUIT", b""]
    with Proxy(tmp_path / "proxy", f"0=smtp://{postfix.smtp}") as proxy:
        server = proxy.address("smtp")
        ran = run("plink", "-telnet", "-P", str(server.port), server.host, given=b"\n".join(lines), home=tmp_path)
        codes = [line[:3] for line in ran.succeeded().splitlines() if line[3:4] == b" "]
        proxy.stop()
        (session,) = proxy.sessions()
    assert codes == [b"220", b"250", b"250", b"250", b"354", b"250", b"221"]
    postfix.delivered(mailbox.address)
    assert [untraced(mail) for mail in mailbox.messages] == [TYPED]
    assert set(said(session)) >= {
        "220",
        "EHLO client.example 250",
        "MAIL FROM:<bob@example.org> 250",
        f"RCPT TO:<{mailbox.address}> 250",
        "DATA 250",
        "QUIT 221",
    }
    assert telnet(session, "peer").startswith(OPENING)
