"""`mailproxy probe`, run as a user runs it, before servers that are none, or not good ones."""

import http.server
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.cli.command import Mailproxy, program

POP3 = {b"CAPA": b"+OK\r\nUSER\r\n.\r\n", b"USER": b"+OK\r\n", b"PASS": b"-ERR [AUTH] no\r\n", b"QUIT": b"+OK bye\r\n"}
Talk = Callable[[socket.socket], None]


@contextmanager
def serving(talk: Talk) -> Iterator[int]:
    """The port of a server that has one connection."""
    with ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            stack.enter_context(connection)
            talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(20)


def pop3(connection: socket.socket) -> None:
    """Speak POP3, and let nobody in."""
    with connection, connection.makefile("rwb", buffering=0) as stream:
        stream.write(b"+OK POP3 ready\r\n")
        while line := stream.readline():
            stream.write(POP3.get(line[:4].upper(), b"-ERR what?\r\n"))
            if line.startswith(b"QUIT"):
                return


def silence(connection: socket.socket) -> None:
    """Say nothing."""


def web(connection: socket.socket) -> None:
    """Answer whatever comes as nginx answers a ClientHello."""
    with connection:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nServer: web\r\n\r\n")


def hang_up(connection: socket.socket) -> None:
    """Say nothing, and go."""
    connection.close()


def without_end(connection: socket.socket) -> None:
    """Greet a little at a time, and come to no end."""
    with connection:
        try:
            while True:
                connection.sendall(b"220-wait\r\n")
                if threading.Event().wait(0.05):
                    return
        except OSError:
            return


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


def test_the_ladder(mailproxy: Mailproxy) -> None:
    with serving(pop3) as port:
        ran = mailproxy("probe", f"127.0.0.1:{port}")
    assert ran.code == 0
    assert ran.lines[:2] == [f"pop3://127.0.0.1:{port}", "  ✓ name       an address"]
    assert ran.lines[2].startswith("  ✓ connect    127.0.0.1 in ")
    assert ran.lines[3:] == [
        "  ✓ greeting   +OK POP3 ready",
        "  ✓ CAPA       USER",
        "  - STLS       not offered: all is said in clear",
        "  ✓ AUTH       in clear: USER",
        "  ✓ QUIT       +OK bye",
        "  recorded as session 1: mailproxy show 1",
        "",
    ]
    assert f"... 127.0.0.1:{port} QUIT: passed" in ran.err.splitlines()


def test_a_terminal_of_ascii() -> None:
    port = free_port()
    ran = program("probe", f"smtps://127.0.0.1:{port}", PYTHONIOENCODING="ascii")
    assert ran.code == 1
    assert ran.lines == [
        f"smtps://127.0.0.1:{port}",
        "  [ok] name       an address",
        "  [no] connect    failed: 127.0.0.1: connection refused",
        "                  nobody listens at this port: submission is at 465 or 587, POP3 at 995 or 110",
        "  [  ] not reached: TLS, chain, trust, greeting, EHLO, AUTH, QUIT",
        "  recorded as session 1: mailproxy show 1",
        "",
    ]


def test_the_session_can_be_shown(mailproxy: Mailproxy) -> None:
    with serving(pop3) as port:
        mailproxy("probe", f"pop3://127.0.0.1:{port}")
    assert [line for line in mailproxy("show", "last").lines if " -> " in line] == [" -> CAPA", " -> QUIT"]
    [session] = mailproxy("sessions", "--client", "probe", "--json").json["sessions"]
    assert (session["upstream"], session["failed"]) == (f"pop3://127.0.0.1:{port}", False)


def test_nothing_is_kept_where_nobody_wants_it(mailproxy: Mailproxy, database: Path) -> None:
    with serving(pop3) as port:
        ran = mailproxy("probe", f"pop3://127.0.0.1:{port}", "--no-record")
    assert "recorded" not in ran.out
    assert not database.exists()


def test_a_document_for_programs(mailproxy: Mailproxy) -> None:
    with serving(pop3) as port:
        ran = mailproxy("probe", f"pop3://127.0.0.1:{port}", f"127.0.0.1:{free_port()}", "--json")
    assert (ran.code, ran.json["passed"]) == (1, False)
    good, bad = ran.json["servers"]
    assert (good["passed"], good["greeting"]) == (True, "+OK POP3 ready")
    assert {good["session"], bad["session"]} == {1, 2}
    assert good["offers"] == {"lines": ["USER"], "mechanisms": ["USER"]}
    assert (good["tls"], good["offers_under_tls"]) == (None, None)
    assert [stage["state"] for stage in bad["stages"]][:3] == ["passed", "failed", "not-reached"]


@pytest.mark.parametrize(
    ("talk", "scheme", "told"),
    [
        (silence, "", "✗ TLS        failed: no handshake within 0.3 s"),
        (silence, "smtp://", "✗ greeting   failed: no answer within 0.3 s"),
        (silence, "pop3s://", "✗ TLS        failed: no handshake within 0.3 s"),
        (hang_up, "smtp://", "✗ greeting   failed: closed by the server"),
        (without_end, "smtp://", "✗ greeting   failed: no answer within 0.3 s"),
    ],
)
def test_a_server_that_never_comes_to_the_point(talk: Talk, scheme: str, told: str, mailproxy: Mailproxy) -> None:
    with serving(talk) as port:
        ran = mailproxy("probe", f"{scheme}127.0.0.1:{port}", "--timeout", "0.3")
    assert ran.code == 1
    assert [line.strip() for line in ran.lines if "✗" in line] == [told]


def test_a_web_server(mailproxy: Mailproxy) -> None:
    with serving(web) as port:
        ran = mailproxy("probe", f"127.0.0.1:{port}", "--timeout", "0.3")
    assert ran.code == 1
    [told] = [line for line in ran.lines if "✗" in line]
    assert told.endswith("it speaks in clear: that is no mail server, but a web server: HTTP/1.1 400 Bad Request")


def test_a_web_server_that_waits_for_more(mailproxy: Mailproxy) -> None:
    class Quiet(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing of it."""

    with http.server.HTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        ran = mailproxy("probe", f"127.0.0.1:{server.server_port}", "--timeout", "0.5")
        server.shutdown()
        thread.join(20)
    assert ran.code == 1
    assert len([line for line in ran.lines if "✗ TLS        failed: " in line]) == 1


def test_a_name_that_nobody_knows_is_told_of_once(mailproxy: Mailproxy) -> None:
    ran = mailproxy("probe", "nowhere.invalid")
    assert ran.code == 1
    assert [line for line in ran.lines if "✗" in line] == ["  ✗ name       failed: no such host"]
    assert mailproxy("sessions").lines == ["No session."]


@pytest.mark.skipif(os.name == "nt", reason="it may have mail servers")
def test_the_usual_ports_of_a_host_are_asked(mailproxy: Mailproxy) -> None:
    ran = mailproxy("probe", "127.0.0.7", "--json", "--timeout", "1")
    assert [server["port"] for server in ran.json["servers"]] == [465, 587, 25, 995, 110]


@pytest.mark.parametrize("option", [[], ["--insecure-login"]])
def test_a_password_is_not_said_in_clear_unless_that_is_wanted(
    option: list[str], mailproxy: Mailproxy, database: Path
) -> None:
    with serving(pop3) as port:
        words = ("probe", f"pop3://127.0.0.1:{port}", "--user", "alice", "--password-file", "-", *option)
        ran = program(*words, typed=b"Zwiebel-41-kuchen\r\nmore\n")
    assert ran.code == 1
    told = "failed: -ERR [AUTH] no" if option else "failed: not tried: the connection is not under TLS"
    assert f"  ✗ login      {told}" in ran.lines
    assert (b" -> PASS <secret: 17 characters>" in mailproxy("show", "last").octets) == bool(option)
    assert not any(b"Zwiebel" in path.read_bytes() for path in database.parent.rglob("*") if path.is_file())
    assert "Zwiebel" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["alice@example.org"], "'alice@example.org' is no server"),
        (["imap://mail.example.org"], "'imap://mail.example.org' is no server"),
        (["mail.example.org:99999"], "a port is between 1 and 65535"),
        (["mail.example.org", "--password-file", "-"], "whose password? name the --user"),
        (["mail.example.org", "--user", "alice"], "nobody can be asked for the password: add --password-file -"),
        (["mail.example.org", "--trust", os.devnull], f"{os.devnull} holds no certificate"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anybody_is_asked(words: list[str], told: str) -> None:
    ran = program("probe", *words)
    assert told in ran.failure
    assert ran.code == (1 if "--trust" in words else 2)
