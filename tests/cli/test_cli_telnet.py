"""`mailproxy telnet` as a program: with a pipe, and with a terminal."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.command import Mailproxy

MAILPROXY = [sys.executable, "-c", "from mailproxy.cli.main import main; main()"]
PROGRAM = [*MAILPROXY, "telnet"]
ANSWERS = {b"USER": b"+OK go on\r\n", b"PASS": b"-ERR [AUTH] no\r\n", b"QUIT": b"+OK bye\r\n"}


def serve(listener: socket.socket) -> None:
    """A server of POP3 that takes one connection and knows three commands."""
    connection, _ = listener.accept()
    with connection, connection.makefile("rwb", buffering=0) as stream:
        stream.write(b"+OK POP3 ready\r\n")
        while line := stream.readline():
            stream.write(ANSWERS.get(line[:4].upper(), b"-ERR what? " + line))
            if line.upper().startswith(b"QUIT"):
                return


@pytest.fixture
def port() -> Iterator[int]:
    """The port of such a server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(20)


def run(typed: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """The program, with these octets in its pipe."""
    return subprocess.run([*PROGRAM, *arguments], input=typed, capture_output=True, timeout=30, check=False)


def test_a_script_waits_for_each_reply(port: int) -> None:
    done = run(b"USER alice\r\nPASS wonderland \nquit", f"127.0.0.1:{port}")
    assert done.stdout.decode().splitlines() == [
        "Trying 127.0.0.1…",
        "Connected to 127.0.0.1.",
        "Escape character is '^]'.",
        "+OK POP3 ready",
        "+OK go on",
        "-ERR [AUTH] no",
        "+OK bye",
        "Connection closed by foreign host.",
    ]
    assert done.stderr.decode().splitlines() == [
        "*** a blank at an end of the password counts as a part of it",
        "=== recorded as session 1: mailproxy show 1",
    ]
    assert done.returncode == 0


def test_an_empty_pipe_ends_the_session(port: int) -> None:
    done = run(b"", "127.0.0.1", str(port))
    assert done.stdout.decode().splitlines()[-2:] == ["+OK POP3 ready", "Connection closed by foreign host."]
    assert done.stderr == b"=== recorded as session 1: mailproxy show 1\n"


def test_it_is_recorded_with_its_password_masked(port: int) -> None:
    run(b"USER alice\nPASS secret123\nQUIT\n", "127.0.0.1", str(port))
    shown = subprocess.run([*MAILPROXY, "show", "last"], capture_output=True, check=True).stdout.decode()
    assert " -> PASS <secret: 9 characters>" in shown
    assert "secret123" not in shown


@pytest.fixture
def practice() -> Iterator[dict[str, int]]:
    """The ports of practice servers."""
    free = [word for name in ("smtp", "lmtp", "pop3", "pop2") for word in (f"--{name}", "0")]
    with subprocess.Popen([*MAILPROXY, "practice", "--json", *free], stdout=subprocess.PIPE) as program:
        assert program.stdout
        said = b"".join(iter(program.stdout.readline, b"}\n")) + b"}"
        yield {each["protocol"]: each["port"] for each in json.loads(said)["listeners"]}
        program.kill()


def test_a_message_typed_by_hand_is_there(practice: dict[str, int], mailproxy: Mailproxy) -> None:
    sent = run(
        b"EHLO client.example.org\nAUTH PLAIN AGJvYgBwcmFjdGljZQ==\nMAIL FROM:<bob@example.org>\n"
        b"RCPT TO:<alice@example.org>\nDATA\nSubject: by hand\n\nShall we?\n.\nQUIT\n",
        f"127.0.0.1:{practice['smtp']}",
    )
    assert sent.stderr == b"=== recorded as session 1: mailproxy show 1\n"
    shown = mailproxy("show", "last").lines
    assert shown[0].endswith(f", smtp with smtp://127.0.0.1:{practice['smtp']}")
    assert " -> AUTH PLAIN <secret: PLAIN, user bob, password 8 characters>" in shown
    assert shown[-1] == "# ok: 1 message sent"
    assert mailproxy("export", "last", "-f", "eml").octets == b"Subject: by hand\r\n\r\nShall we?\r\n"


def test_a_session_by_hand_that_failed_is_found(practice: dict[str, int], mailproxy: Mailproxy) -> None:
    run(b"USER alice\nPASS wonderland\nQUIT\n", f"127.0.0.1:{practice['pop3']}")
    assert "# failed: PASS: -ERR [AUTH] User name or password is wrong" in mailproxy("show", "last-failed").lines
    assert mailproxy("sessions", "--client", "by hand", "--text", "wonderland").lines == ["No session is like that."]
    [session] = mailproxy("sessions", "--client", "by hand", "--json").json["sessions"]
    assert (session["protocol"], session["user"]) == ("pop3", "alice")


def test_it_is_told_in_json(port: int) -> None:
    done = run(b"USER alice\nQUIT\n", "127.0.0.1", str(port), "--json")
    [session] = json.loads(done.stdout)["sessions"]
    assert (session["id"], session["user"], session["failed"]) == (1, "alice", False)
    assert b"+OK POP3 ready" in done.stderr


def test_it_is_not_recorded_where_nobody_wants_it(port: int, database: Path) -> None:
    assert run(b"QUIT\n", "127.0.0.1", str(port), "--no-record").stderr == b""
    assert not database.exists()


def test_what_is_asked_is_answered_and_not_sent(port: int) -> None:
    done = run(b"? dele\nQUIT\n", "127.0.0.1", str(port))
    assert b"  for example: DELE 1" in done.stdout
    assert b"-ERR what?" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere:smtp"], "nowhere:smtp is no HOST or HOST:PORT"),
        (["127.0.0.1", "--protocol", "imap"], "imap is no protocol known here"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], told: str) -> None:
    done = run(b"", *arguments)
    assert done.returncode == 2
    assert told in " ".join(done.stderr.decode().split())


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo terminal is wanted")
class TestTerminal:
    """With line editing."""

    @pytest.fixture
    def terminal(self, port: int) -> Iterator["Screen"]:
        """The program in a terminal, with the greeting on it."""
        import pty

        outer, inner = pty.openpty()
        environment = os.environ | {"TERM": "xterm", "INPUTRC": os.devnull}
        with subprocess.Popen(
            [*PROGRAM, "127.0.0.1", str(port)], stdin=inner, stdout=inner, stderr=inner, env=environment
        ) as program:
            os.close(inner)
            screen = Screen(outer, program)
            screen.until("+OK POP3 ready")
            yield screen
            program.kill()
            os.close(outer)

    def test_what_is_typed_is_answered(self, terminal: "Screen") -> None:
        terminal.types("USER alice\r", "+OK go on")
        terminal.types("QUIT\r", "Connection closed by foreign host.")
        assert terminal.program.wait(30) == 0

    def test_a_slip_is_pointed_out(self, terminal: "Screen") -> None:
        terminal.types("STARTTLS\r", "*** STARTTLS is no POP3 command: say STLS")
        terminal.types("", "-ERR what? STARTTLS")

    def test_the_escape_character(self, terminal: "Screen") -> None:
        terminal.types("half a li\x1d", "telnet> ")
        terminal.types("status\r", "POP3 with 127.0.0.1 port")
        terminal.types("\x1d", "telnet> ")
        terminal.types("quit\r", "Connection closed.")
        assert terminal.program.wait(30) == 0

    def test_an_arrow_key_recalls_a_line_and_no_password(self, terminal: "Screen") -> None:
        terminal.types("USER alice\r", "+OK go on")
        terminal.types("PASS wonderland\r", "-ERR [AUTH] no")
        terminal.types("\x1b[A", "PASS <secret: 10 characters>")
        terminal.types("\r", "not sent")
        terminal.types("\x1b[A\x1b[A", "USER alice")
        terminal.types("\r", "+OK go on")

    def test_end_of_file_ends_the_session(self, terminal: "Screen") -> None:
        terminal.types("\x1d", "telnet> ")  # now the line editor reads, and no longer the terminal's own
        terminal.types("\x04", "Connection closed by foreign host.")
        assert terminal.program.wait(30) == 0

    def test_an_interrupt_is_no_traceback(self, terminal: "Screen") -> None:
        terminal.types("\x1d", "telnet> ")
        terminal.program.send_signal(signal.SIGINT)
        assert terminal.program.wait(30) == 130
        assert "Traceback" not in terminal.rest()

    def test_the_terminal_is_left_as_it_was(self, port: int) -> None:
        import pty
        import termios

        outer, inner = pty.openpty()
        before = termios.tcgetattr(inner)
        with subprocess.Popen([*PROGRAM, "127.0.0.1", str(port)], stdin=inner, stdout=inner, stderr=inner) as program:
            screen = Screen(outer, program)
            screen.until("+OK POP3 ready")
            screen.types("QUIT\r", "Connection closed by foreign host.")
            assert program.wait(30) == 0
        assert termios.tcgetattr(inner) == before
        os.close(inner)
        os.close(outer)


class Screen:
    """What stands on a terminal, from its other end."""

    def __init__(self, end: int, program: "subprocess.Popen[bytes]") -> None:
        self.program = program
        self._end = end
        self._text = ""

    def types(self, text: str, awaited: str) -> None:
        """Type a text and wait for another."""
        os.write(self._end, text.encode())
        self.until(awaited)

    def until(self, awaited: str) -> None:
        """Wait until this stands there; what stood before it is forgotten."""
        while awaited not in self._text:
            come = self._read()
            assert come, f"{awaited!r} is not on the terminal: {self._text!r}"
            self._text += come
        self._text = self._text.partition(awaited)[2]

    def rest(self) -> str:
        """What still comes until the program has ended."""
        while come := self._read():
            self._text += come
        return self._text

    def _read(self) -> str:
        """What comes next; nothing where the program has ended or says no more."""
        if not select.select([self._end], [], [], 20)[0]:
            return ""
        with suppress(OSError):
            return os.read(self._end, 4096).decode()
        return ""
