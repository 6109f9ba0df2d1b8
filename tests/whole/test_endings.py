"""Sessions that do not end as they should, and are recorded all the same."""

import socket
from pathlib import Path

from mailproxy.model.escape import unescape

from .client import Login
from .dovecot import PASSWORD, Dovecot, Mailbox
from .fetchers import FETCHERS
from .loopback import HOST, Address, free
from .messages import message
from .postfix import Postfix
from .proxy import Proxy, Session, notes, said
from .senders import swaks

PATIENCE = 20.0  # seconds


def stream(session: Session, side: str) -> bytes:
    """All that one side said."""
    return b"".join(unescape(each["octets"]) for each in session["entries"] if each.get("side") == side)


def hear(connection: socket.socket, octets: bytes) -> None:
    """Take exactly these octets off the connection."""
    heard = b""
    while len(heard) < len(octets):
        more = connection.recv(len(octets) - len(heard))
        assert more, heard
        heard += more
    assert heard == octets


def test_connection_refused(mailbox: Mailbox, tmp_path: Path) -> None:
    with Proxy(tmp_path / "proxy", f"0=smtp://{free()}", f"0=pop3://{free()}") as proxy:
        assert swaks(proxy.address("smtp"), mailbox.address, message("plain"), tmp_path).status != 0
        login = Login(mailbox.name, PASSWORD, "USER")
        assert FETCHERS["mpop"](proxy.address("pop3"), login, tmp_path).ran.status != 0
        proxy.stop()
        sessions = proxy.sessions()
    assert [session["protocol"] for session in sessions] == ["smtp", "pop3"]
    for session in sessions:
        assert (session["outcome"], session["failed"]) == ("failed: connection refused", True)
        assert notes(session) == ["*** connection refused"]
        assert session["server"]["ending"]["how"] == "refused"


def test_the_client_hangs_up(dovecot: Dovecot, mailbox: Mailbox, tmp_path: Path) -> None:
    mailbox.put(message("plain"))
    with Proxy(tmp_path / "proxy", f"0=pop3://{dovecot.pop3}") as proxy:
        with socket.create_connection(proxy.address("pop3"), PATIENCE) as client, client.makefile("rb") as replies:
            for line in ("", f"USER {mailbox.name}\r\n", f"PASS {PASSWORD}\r\n", "DELE 1\r\n"):
                client.sendall(line.encode())
                assert replies.readline().startswith(b"+OK")
        dovecot.daemon.wait_for(f"pop3({mailbox.name})", "Disconnected")
        proxy.stop()
        (session,) = proxy.sessions()
    assert [line.split()[0] for line in said(session)] == ["+OK", "USER", "PASS", "DELE"]
    assert "*** closed by the client without QUIT" in notes(session)
    assert len(mailbox.messages) == 1  # DELE takes effect at QUIT only (RFC 1939 section 6)


def test_the_proxy_is_killed(tmp_path: Path) -> None:
    """Whatever a peer has got is in the record, however little time there was to write it."""
    client_said = [
        b"EHLO client.example\r\n",
        b"MAIL FROM:<bob@example.org>\r\n",
        b"DATA\r\n",
        b"Subject: x\r\n\xff\r\n.\r",
    ]
    server_said = [
        b"220 mail.example.org\r\n",
        b"250-mail.example.org\r\n250 8BITMIME\r\n",
        b"250 Ok\r\n",
        b"354 go\r\n",
    ]
    with (
        socket.create_server((HOST, 0)) as listener,
        Proxy(tmp_path / "proxy", f"0=smtp://{Address(*listener.getsockname())}") as proxy,
        socket.create_connection(proxy.address("smtp"), PATIENCE) as client,
    ):
        listener.settimeout(PATIENCE)
        server, _ = listener.accept()
        with server:
            server.settimeout(PATIENCE)
            for asked, replied in zip(client_said, server_said, strict=True):
                server.sendall(replied)
                hear(client, replied)
                client.sendall(asked)
                hear(server, asked)
            proxy.kill()
        (session,) = proxy.sessions()
    assert stream(session, "server") == b"".join(server_said)
    assert stream(session, "client") == b"".join(client_said)
    assert [line.split()[0] for line in said(session)] == ["220", "EHLO", "MAIL", "DATA"]
    assert session["outcome"] != ""


def test_the_proxy_is_killed_while_a_message_is_on_its_way(postfix: Postfix, mailbox: Mailbox, tmp_path: Path) -> None:
    """The sessions before are kept, the open one too, and the next `record` goes on in the same database."""
    folder = tmp_path / "proxy"
    with Proxy(folder, f"0=smtp://{postfix.smtp}") as proxy:
        swaks(proxy.address("smtp"), mailbox.address, message("plain"), tmp_path).succeeded()
        with socket.create_connection(proxy.address("smtp"), PATIENCE) as client, client.makefile("rb") as replies:
            assert replies.readline().startswith(b"220")
            client.sendall(b"HELO client.example\r\n")
            assert replies.readline().startswith(b"250")
            proxy.kill()
    (folder / "ready.json").unlink()
    with Proxy(folder, f"0=smtp://{postfix.smtp}") as proxy:
        swaks(proxy.address("smtp"), mailbox.address, message("plain"), tmp_path).succeeded()
        proxy.stop()
        first, second, third = proxy.sessions()
    assert (first["outcome"], third["outcome"]) == ("ok: 1 message sent", "ok: 1 message sent")
    assert said(second) == ["220", "HELO client.example 250"]
