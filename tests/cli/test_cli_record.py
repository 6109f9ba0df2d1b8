"""`mailproxy record` as its user meets it: a process, its screen, its signals, and what is in the database after."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest

MAILPROXY = [sys.executable, "-c", "from mailproxy.cli.main import main; main()"]
LIMIT = 20.0
LOCAL = "127.0.0.1"


class Server:
    """A mail server that greets and answers every line with `250 ok`, each connection in a thread of its own."""

    def __init__(self, host: str = LOCAL) -> None:
        self._listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=_answer, args=(peer,), daemon=True).start()


def _answer(peer: socket.socket) -> None:
    content = False
    with peer, peer.makefile("rb") as lines:
        peer.sendall(b"220 mail.example.org ESMTP\r\n")
        for line in lines:
            if content and line != b".\r\n":
                continue
            content = line == b"DATA\r\n"
            peer.sendall(b"354 go ahead\r\n" if content else b"250 2.0.0 ok\r\n")


@pytest.fixture
def server() -> Iterator[Server]:
    opened = Server()
    yield opened
    opened.close()


class Recording:
    """A running `mailproxy record`, whose standard output comes line by line."""

    def __init__(self, process: subprocess.Popen[str], ready: Path) -> None:
        self.process = process
        self._ready = ready
        self.lines: Queue[str | None] = Queue()
        self.seen: list[str] = []
        self.complaints: Queue[str] = Queue()
        self._errors: list[str] = []
        self._readers = [threading.Thread(target=self._read), threading.Thread(target=self._read_errors)]
        for reader in self._readers:
            reader.start()

    @property
    def ports(self) -> list[int]:
        return [each["port"] for each in json.loads(self._ready.read_text())["listeners"]]

    def until(self, text: str) -> str:
        """The next line that has this text."""
        while (line := self.lines.get(timeout=LIMIT)) is not None:
            self.seen.append(line)
            if text in line:
                return line
        raise AssertionError(f"{text!r} was not printed:\n" + "\n".join(self.seen) + "".join(self._errors))

    def until_listening(self) -> None:
        """Until the ready file is there."""
        deadline = time.monotonic() + LIMIT
        while not self._ready.exists():
            assert time.monotonic() < deadline, self.errors
            assert self.process.poll() is None, self.errors
            time.sleep(0.01)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.end()

    def end(self) -> int:
        code = self.process.wait(LIMIT)
        for reader in self._readers:
            reader.join(LIMIT)
        return code

    @property
    def errors(self) -> str:
        return "".join(self._errors)

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def _read_errors(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self._errors.append(line)
            self.complaints.put(line)


Record = Callable[..., Recording]


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    """Starts `mailproxy record` and waits until it listens."""
    started: list[Recording] = []

    def start(*words: str, command: list[str] = MAILPROXY, listens: bool = True) -> Recording:
        ready = tmp_path / "ready.json"
        process = subprocess.Popen(
            [*command, "record", *words, "--ready-file", str(ready)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        recording = Recording(process, ready)
        started.append(recording)
        if listens:
            recording.until("no connection seen yet on")
        return recording

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.end()
        for pipe in (each.process.stdout, each.process.stderr):
            if pipe:
                pipe.close()


@contextmanager
def call(port: int, host: str = LOCAL) -> Iterator[socket.socket]:
    with socket.create_connection((host, port), timeout=LIMIT) as client:
        assert client.recv(100) == b"220 mail.example.org ESMTP\r\n"
        yield client


def ask(client: socket.socket, said: bytes) -> bytes:
    client.sendall(said)
    return client.recv(1000)


def sessions(*words: str) -> list[dict[str, object]]:
    done = subprocess.run([*MAILPROXY, "sessions", "--json", *words], capture_output=True, check=True, timeout=LIMIT)
    found: list[dict[str, object]] = json.loads(done.stdout)["sessions"]
    return found


def shown(number: str = "last") -> str:
    done = subprocess.run([*MAILPROXY, "show", number, "--full"], capture_output=True, check=True, timeout=LIMIT)
    return done.stdout.decode()


def test_a_session_is_shown_as_it_goes_on(record: Record, server: Server) -> None:
    recording = record(f"0=smtp://{LOCAL}:{server.port}")
    [port] = recording.ports
    assert f"port {port}" in "\n".join(recording.seen)
    with call(port) as client:
        recording.until("=== session 1: 127.0.0.1 port ")
        recording.until("<-  220 mail.example.org ESMTP")
        assert ask(client, b"DATA\r\n") == b"354 go ahead\r\n"
        recording.until(" -> DATA")
        assert ask(client, b"Subject: x\r\n\r\nhello\r\n.\r\n") == b"250 2.0.0 ok\r\n"
        recording.until(" -> (message, 4 lines, 24 octets)")
        assert ask(client, b"QUIT\r\n") == b"250 2.0.0 ok\r\n"
    recording.until("--- session 1 ok: 1 message sent")
    assert recording.stop() == 0
    assert recording.errors == ""
    assert " -> hello" in shown()


def test_lines_of_several_sessions_carry_their_numbers(record: Record, server: Server) -> None:
    recording = record(f"0=smtp://{LOCAL}:{server.port}")
    [port] = recording.ports
    with call(port) as first:
        recording.until("<-  220")
        with call(port) as second:
            recording.until("   2 <-  220")
            ask(first, b"NOOP\r\n")
            recording.until("   1  -> NOOP")
            ask(second, b"RSET\r\n")
            recording.until("   2  -> RSET")
        recording.until("--- session 2 ")
        ask(first, b"NOOP\r\n")
        assert recording.until(" -> NOOP") == " -> NOOP"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_cuts_open_sessions_off(record: Record, server: Server, number: signal.Signals) -> None:
    recording = record(f"0=smtp://{LOCAL}:{server.port}")
    with call(recording.ports[0]) as client:
        ask(client, b"EHLO x\r\n")
        assert recording.stop(number) == 0
        assert client.recv(10) == b""
    assert sessions()[0]["outcome"] == "unfinished: no message, cut off: mailproxy was stopped"
    assert " -> EHLO x" in shown()
    assert not (Path.cwd() / "ready.json").exists()


def test_nothing_is_printed_of_sessions_where_nobody_wants_it(record: Record, server: Server) -> None:
    recording = record(f"0=smtp://{LOCAL}:{server.port}", "--quiet")
    with call(recording.ports[0]) as client:
        ask(client, b"QUIT\r\n")
    recording.stop()
    assert recording.lines.get(timeout=LIMIT) is None
    assert len(sessions()) == 1


def test_ended_sessions_are_told_in_json(record: Record, server: Server) -> None:
    recording = record(f"0=smtp://{LOCAL}:{server.port}", "--json", listens=False)
    recording.until_listening()
    with call(recording.ports[0]) as client:
        ask(client, b"QUIT\r\n")
    line = recording.lines.get(timeout=LIMIT)
    assert line
    document = json.loads(line)
    assert (document["version"], [each["id"] for each in document["sessions"]]) == (1, [1])
    recording.stop()
    assert recording.lines.get(timeout=LIMIT) is None


def test_several_routes_and_ipv6(record: Record, server: Server) -> None:
    try:
        six = Server("::1")
    except OSError:
        pytest.skip("there is no IPv6 on loopback here")
    recording = record(f"0=smtp://{LOCAL}:{server.port}", f"[::1]:0=smtp://[::1]:{six.port}")
    first, second = recording.ports
    with call(first), call(second, "::1"):
        pass
    recording.stop()
    six.close()
    assert {each["upstream"] for each in sessions()} == {
        f"smtp://{LOCAL}:{server.port}",
        f"smtp://[::1]:{six.port}",
    }


def test_routes_stand_in_the_settings_file(record: Record, server: Server, tmp_path: Path) -> None:
    upstream = f'upstream = "smtp://{LOCAL}:{server.port}"'
    (tmp_path / "mailproxy.toml").write_text(f'content = "none"\n\n[[route]]\nlisten = "0"\n{upstream}\n')
    recording = record()
    with call(recording.ports[0]) as client:
        ask(client, b"DATA\r\n")
        ask(client, b"Subject: private\r\n\r\nprivate\r\n.\r\n")
    recording.stop()
    assert "private" not in shown()
    assert "octets of the client left out" in shown()


@pytest.mark.parametrize(("words", "kept"), [((), False), (("--keep-secrets",), True)])
def test_secrets(record: Record, server: Server, words: tuple[str, ...], kept: bool) -> None:
    recording = record(f"0=smtp://{LOCAL}:{server.port}", *words)
    with call(recording.ports[0]) as client:
        ask(client, b"PASS open sesame\r\n")
    recording.stop()
    assert ("open sesame" in shown()) is kept
    assert ("open sesame" in "\n".join([*recording.seen, recording.errors])) is False


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        ((f"0.0.0.0:0=smtp://{LOCAL}",), "--public", 2),
        (("0=imap://example.org",), "'imap://example.org' is no server", 2),
        (("99999=smtp://example.org",), "a port is at most 65535", 2),
        ((), "name a server", 2),
        (("0=smtp://example.org", "--config", "nowhere.toml"), "nowhere.toml: No such file", 2),
        ((f"192.0.2.1:0=smtp://{LOCAL}", "--public"), "192.0.2.1:0: Cannot assign requested address", 1),
    ],
)
def test_what_cannot_be_is_told_in_one_line(record: Record, words: tuple[str, ...], told: str, code: int) -> None:
    recording = record(*words, listens=False)
    assert recording.end() == code
    [line] = recording.errors.splitlines()
    assert told in line


def test_a_port_that_is_taken(record: Record, server: Server) -> None:
    recording = record(f"{server.port}=smtp://example.org", listens=False)
    assert recording.end() == 1
    assert recording.errors == f"mailproxy: {LOCAL}:{server.port}: Address already in use\n"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_nothing_is_lost_by_kill_9(record: Record, server: Server) -> None:
    recording = record(f"0=smtp://{LOCAL}:{server.port}")
    with call(recording.ports[0]) as client:
        ask(client, b"EHLO x\r\n")
        client.sendall(b"HALF A LINE")
        recording.until(" -> EHLO x")
        ask(client, b" AND THE REST\r\n")
        recording.process.kill()
        recording.end()
    assert sessions()[0]["outcome"] == "unfinished: no message, the proxy was killed"
    assert " -> HALF A LINE AND THE REST" in shown()


def test_a_locked_database_loses_nothing_and_is_told(record: Record, server: Server, database: Path) -> None:
    recording = record(f"0=smtp://{LOCAL}:{server.port}")
    [port] = recording.ports
    with sqlite3.connect(database, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        for _ in range(3):
            with call(port) as client:
                ask(client, b"NOOP\r\n")
            recording.until("--- session ")
        complaint = recording.complaints.get(timeout=LIMIT)
        other.execute("ROLLBACK")
    other.close()
    with call(port) as client:
        ask(client, b"NOOP\r\n")
    recording.stop()
    assert complaint.startswith("mailproxy: the database takes nothing: database is locked; what is said is kept")
    assert len(sessions()) == 4
    assert all(each["outcome"] == "ok: no message, closed by the client without QUIT" for each in sessions())


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are wanted")
def test_a_full_disk_is_told_and_new_connections_are_refused(record: Record, server: Server) -> None:
    limited = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)); from mailproxy.cli.main import main; main()"
    )
    recording = record(f"0=smtp://{LOCAL}:{server.port}", command=[sys.executable, "-c", limited])
    [port] = recording.ports
    with call(port) as client:
        assert ask(client, b"DATA\r\n") == b"354 go ahead\r\n"
        assert ask(client, b"x" * 1_000_000 + b"\r\n.\r\n") == b"250 2.0.0 ok\r\n"
        assert ask(client, b"NOOP\r\n") == b"250 2.0.0 ok\r\n"
        with socket.create_connection((LOCAL, port), timeout=LIMIT) as late:
            assert late.recv(10) == b""
    recording.stop()
    [line, *_] = recording.errors.splitlines()
    assert line.startswith("mailproxy: NOTHING IS RECORDED any more: ")
    assert "new connections are refused" in line
