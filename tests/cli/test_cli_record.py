"""`mailproxy record` as its user meets it: a process, its screen, its signals, and what is in the database after."""

import errno
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
    """A running `mailproxy record`, whose standard output comes line by line, to its end or `enough`."""

    def __init__(self, process: subprocess.Popen[str], ready: Path, enough: str) -> None:
        self.process = process
        self._enough = enough
        self.ready = ready
        self.lines: Queue[str | None] = Queue()
        self.seen: list[str] = []
        self.complaints: Queue[str] = Queue()
        self._errors: list[str] = []
        self._readers = [threading.Thread(target=self._read), threading.Thread(target=self._read_errors)]
        for reader in self._readers:
            reader.start()

    @property
    def ports(self) -> list[int]:
        return [each["port"] for each in json.loads(self.ready.read_text())["listeners"]]

    def until(self, text: str) -> str:
        """The next line that has this text."""
        while (line := self.lines.get(timeout=LIMIT)) is not None:
            self.seen.append(line)
            if text in line:
                return line
        raise AssertionError(f"{text!r} was not printed:\n" + "\n".join(self.seen) + "".join(self._errors))

    def until_listening(self) -> bool:
        """Until the ready file is there, or will never be: whether it is."""
        deadline = time.monotonic() + LIMIT
        while not self.ready.exists() and self.process.poll() is None:
            assert time.monotonic() < deadline, self.errors
            time.sleep(0.01)
        return self.ready.exists()

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
            if self._enough and self._enough in line:
                break
        self.process.stdout.close()
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

    def start(
        *words: str,
        command: list[str] = MAILPROXY,
        listens: bool = True,
        environment: dict[str, str] | None = None,
        enough: str = "",
    ) -> Recording:
        ready = tmp_path / "ready.json"
        process = subprocess.Popen(
            [*command, "record", *words, "--ready-file", str(ready)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"PYTHONUNBUFFERED": ""} | (environment or {}),
        )
        recording = Recording(process, ready, enough)
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
    assert recording.lines.get(timeout=LIMIT) is None
    assert recording.seen[recording.seen.index("=== connected to 127.0.0.1") :] == [
        "=== connected to 127.0.0.1",
        "<-  220 mail.example.org ESMTP",
        " -> DATA",
        "<-  354 go ahead",
        " -> (message, 4 lines, 24 octets)",
        "<-  250 2.0.0 ok",
        " -> QUIT",
        "<-  250 2.0.0 ok",
        "*** closed by the client",
        "--- session 1 ok: 1 message sent",
    ]
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
    assert not recording.ready.exists()


def test_the_screen_says_what_to_enter_and_who_has_not_called(record: Record, server: Server) -> None:
    recording = record(f"0=smtp://{LOCAL}:{server.port}", f"{LOCAL}:0=pop3://{LOCAL}:{server.port}")
    first, second = recording.ports
    assert f"  SMTP, outgoing mail   server 127.0.0.1  port {first}" in recording.seen
    assert f"  POP3, incoming mail   server 127.0.0.1  port {second}" in recording.seen
    assert recording.seen[-1] == f"... no connection seen yet on 127.0.0.1:{first}, 127.0.0.1:{second}"
    document = json.loads(recording.ready.read_text())
    assert document == {
        "version": 1,
        "listeners": [
            {
                "protocol": "smtp",
                "host": LOCAL,
                "port": first,
                "security": "none",
                "upstream": f"smtp://{LOCAL}:{server.port}",
            },
            {
                "protocol": "pop3",
                "host": LOCAL,
                "port": second,
                "security": "none",
                "upstream": f"pop3://{LOCAL}:{server.port}",
            },
        ],
    }
    with call(first), call(second):
        assert recording.stop() == 0


def test_no_ready_file_unless_all_listen(record: Record, server: Server, tmp_path: Path) -> None:
    recording = record(f"0=smtp://{LOCAL}:{server.port}", f"{server.port}=smtp://{LOCAL}", listens=False)
    assert not recording.until_listening()
    assert recording.end() == 1
    assert list(tmp_path.glob("*ready*")) == []


class TestAScreenThatTakesNothing:
    """What is said goes on between the peers and into the database all the same."""

    def test_its_reader_has_gone(self, record: Record, server: Server) -> None:
        recording = record(f"0=smtp://{LOCAL}:{server.port}", enough="<-  220")
        [port] = recording.ports
        with call(port) as client:
            recording.until("<-  220")
            assert recording.lines.get(timeout=LIMIT) is None
            for _ in range(3):
                assert ask(client, b"NOOP\r\n") == b"250 2.0.0 ok\r\n"
        with call(port) as client:
            assert ask(client, b"QUIT\r\n") == b"250 2.0.0 ok\r\n"
        assert recording.stop() == 0
        assert recording.errors == ""
        assert shown("1").count(" -> NOOP") == 3
        assert [each["failed"] for each in sessions()] == [False, False]

    def test_its_encoding_lacks_characters(self, record: Record, server: Server) -> None:
        recording = record(f"0=smtp://{LOCAL}:{server.port}", environment={"PYTHONIOENCODING": "latin-1"})
        with call(recording.ports[0]) as client:
            assert ask(client, "NOOP \N{GREEK SMALL LETTER PI}\r\n".encode()) == b"250 2.0.0 ok\r\n"
            recording.until(r" -> NOOP \u03c0")
            assert ask(client, b"QUIT\r\n") == b"250 2.0.0 ok\r\n"
        assert recording.stop() == 0
        assert recording.errors == ""
        assert " -> NOOP \N{GREEK SMALL LETTER PI}" in shown()

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is wanted")
    def test_its_disk_is_full(self, record: Record, server: Server) -> None:
        full = "import sys; sys.stdout = open('/dev/full', 'w'); from mailproxy.cli.main import main; main()"
        recording = record(f"0=smtp://{LOCAL}:{server.port}", command=[sys.executable, "-c", full], listens=False)
        assert recording.until_listening(), recording.errors
        with call(recording.ports[0]) as client:
            assert ask(client, b"QUIT\r\n") == b"250 2.0.0 ok\r\n"
        assert recording.stop() == 0
        assert recording.errors == "mailproxy: nothing is shown any more: No space left on device\n"
        assert " -> QUIT" in shown()


def test_nothing_is_printed_of_sessions_where_nobody_wants_it(record: Record, server: Server) -> None:
    recording = record(f"0=smtp://{LOCAL}:{server.port}", "--quiet")
    with call(recording.ports[0]) as client:
        ask(client, b"QUIT\r\n")
    recording.stop()
    assert recording.lines.get(timeout=LIMIT) is None
    assert len(sessions()) == 1


def test_ended_sessions_are_told_in_json(record: Record, server: Server) -> None:
    recording = record(f"0=smtp://{LOCAL}:{server.port}", "--json", listens=False)
    assert recording.until_listening(), recording.errors
    with call(recording.ports[0]) as client:
        ask(client, b"QUIT\r\n")
    line = recording.lines.get(timeout=LIMIT)
    assert line
    document = json.loads(line)
    assert (document["version"], [each["id"] for each in document["sessions"]]) == (1, [1])
    assert document["sessions"][0]["outcome"] == "ok: no message"
    recording.stop()
    assert recording.lines.get(timeout=LIMIT) is None


@pytest.mark.parametrize(
    ("said", "outcome", "rule"), [(b"QUIT\r\n", "ok", "ok"), (b"DATA\r\n", "failed", "broken-off")]
)
def test_ended_sessions_are_told_with_their_verdict(
    record: Record, server: Server, said: bytes, outcome: str, rule: str
) -> None:
    """The same as `diagnose --json` tells of them."""
    recording = record(f"0=smtp://{LOCAL}:{server.port}", "--json", listens=False)
    assert recording.until_listening(), recording.errors
    with call(recording.ports[0]) as client:
        ask(client, said)
    line = recording.lines.get(timeout=LIMIT)
    recording.stop()
    assert line
    [told] = json.loads(line)["sessions"]
    assert (told["verdict"]["outcome"], told["verdict"]["rule"]) == (outcome, rule)
    done = subprocess.run([*MAILPROXY, "diagnose", "1", "--json"], capture_output=True, timeout=LIMIT)
    assert told["verdict"] == json.loads(done.stdout)["sessions"][0]["verdict"]


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


@pytest.mark.parametrize(
    ("content", "kept", "left_out"),
    [("full", ["Subject: x", "hello"], []), ("headers", ["Subject: x"], ["hello"]), ("none", [], ["Subject", "hello"])],
)
def test_so_much_of_messages_is_kept(
    record: Record, server: Server, content: str, kept: list[str], left_out: list[str]
) -> None:
    recording = record(f"0=smtp://{LOCAL}:{server.port}", "--content", content)
    with call(recording.ports[0]) as client:
        ask(client, b"DATA\r\n")
        assert ask(client, b"Subject: x\r\n\r\nhello\r\n.\r\n") == b"250 2.0.0 ok\r\n"
        assert ask(client, b"QUIT\r\n") == b"250 2.0.0 ok\r\n"
    recording.until(" ok: 1 message sent")
    recording.stop()
    said = shown()
    assert [text for text in kept if f" -> {text}\n" not in said] == []
    assert [text for text in left_out if text in said] == []
    assert ("octets of the client left out" in said) is bool(left_out)
    assert " -> QUIT\n" in said


def test_words_win_over_the_settings_file(record: Record, server: Server, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text('content = "none"\nwhen_full = "stop"\n[[route]]\nupstream = "smtp://nowhere.example.org"\n')
    recording = record(f"0=smtp://{LOCAL}:{server.port}", "--config", str(other), "--content", "full")
    with call(recording.ports[0]) as client:
        ask(client, b"DATA\r\n")
        ask(client, b"Subject: x\r\n\r\nhello\r\n.\r\n")
    recording.stop()
    assert " -> hello" in shown()


def test_the_settings_file_names_the_database(record: Record, server: Server, tmp_path: Path) -> None:
    (tmp_path / "mailproxy.toml").write_text('db = "mail.sqlite"\n')
    recording = record(f"0=smtp://{LOCAL}:{server.port}", environment={"MAILPROXY_DB": ""})
    with call(recording.ports[0]) as client:
        ask(client, b"QUIT\r\n")
    recording.stop()
    assert sessions() == []
    assert len(sessions("--db", str(tmp_path / "mail.sqlite"))) == 1


def test_the_settings_file_may_allow_addresses_that_others_reach(record: Record, tmp_path: Path) -> None:
    """The address is for documentation, so nobody can reach it after all (RFC 5737)."""
    route = '[[route]]\nlisten = "192.0.2.1:0"\nupstream = "smtp://mail.example.org"\n'
    (tmp_path / "mailproxy.toml").write_text(route)
    refused = record(listens=False)
    assert refused.end() == 2
    assert "add --public" in refused.errors
    (tmp_path / "mailproxy.toml").write_text(f"public = true\n{route}")
    allowed = record(listens=False)
    assert allowed.end() == 1
    assert allowed.errors == f"mailproxy: 192.0.2.1:0: {os.strerror(errno.EADDRNOTAVAIL)}\n"


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
        ((f"[::]:0=smtp://{LOCAL}",), "others could reach [::]:0: add --public if they shall", 2),
        ((f"192.0.2.1:0=smtp://{LOCAL}",), "others could reach 192.0.2.1:0: add --public if they shall", 2),
        ((f"192.0.2.1:0=smtp://{LOCAL}", "--public"), f"192.0.2.1:0: {os.strerror(errno.EADDRNOTAVAIL)}", 1),
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
    taken = f"{LOCAL}:{server.port}: {os.strerror(errno.EADDRINUSE)}"
    assert recording.errors == f"mailproxy: {taken}: name another port, or 0 for any that is free\n"


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


LIMITED = (
    "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)); from mailproxy.cli.main import main; main()"
)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are wanted")
def test_a_full_disk_is_told_and_new_connections_are_refused(record: Record, server: Server) -> None:
    recording = record(f"0=smtp://{LOCAL}:{server.port}", command=[sys.executable, "-c", LIMITED])
    [port] = recording.ports
    with call(port) as client:
        fill(client)
        assert ask(client, b"NOOP\r\n") == b"250 2.0.0 ok\r\n"
        with socket.create_connection((LOCAL, port), timeout=LIMIT) as late:
            assert late.recv(10) == b""
    recording.stop()
    [line, *_] = recording.errors.splitlines()
    assert line.startswith("mailproxy: NOTHING IS RECORDED any more: ")
    assert "new connections are refused" in line
    assert " -> DATA\n" in shown("1")


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are wanted")
def test_a_full_disk_lets_new_connections_through_where_that_is_wanted(record: Record, server: Server) -> None:
    words = f"0=smtp://{LOCAL}:{server.port}", "--when-full", "relay"
    recording = record(*words, command=[sys.executable, "-c", LIMITED])
    [port] = recording.ports
    with call(port) as client:
        fill(client)
        with call(port) as late:
            assert ask(late, b"NOOP\r\n") == b"250 2.0.0 ok\r\n"
        assert ask(client, b"NOOP\r\n") == b"250 2.0.0 ok\r\n"
    recording.stop()
    assert "; sessions go on UNRECORDED\n" in recording.errors
    assert [each["id"] for each in sessions()] == [1]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are wanted")
def test_a_full_disk_ends_it_where_that_is_wanted(record: Record, server: Server) -> None:
    words = f"0=smtp://{LOCAL}:{server.port}", "--when-full", "stop"
    recording = record(*words, command=[sys.executable, "-c", LIMITED])
    with call(recording.ports[0]) as client:
        client.sendall(b"DATA\r\n" + b"x" * 1_000_000)
        recording.end()
    assert "; mailproxy stops\n" in recording.errors
    assert " -> DATA\n" in shown("1")


def fill(client: socket.socket) -> None:
    """Send more than the disk takes."""
    assert ask(client, b"DATA\r\n") == b"354 go ahead\r\n"
    assert ask(client, b"x" * 1_000_000 + b"\r\n.\r\n") == b"250 2.0.0 ok\r\n"
