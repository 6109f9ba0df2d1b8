"""Which password `mailproxy replay client` says: that of the environment, of a keyring, or the one that is typed."""

import base64
import os
import socketserver
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.cli.command import PROGRAM, Ran, program
from tests.whole.terminal import Terminal

SECRET: Final = "Zwiebel-41-kuchen"
OTHER: Final = "Kartoffel-97-salat"
RECORDED: Final = """pop3 110
=== connected
<-  +OK ready
 -> USER alice
<-  +OK 0 0
 -> PASS <secret: 17 characters>
<-  +OK 0 0
 -> AUTH PLAIN <secret: PLAIN, user alice, password 17 characters>
<-  +OK 0 0
 -> STAT
<-  +OK 0 0
 -> QUIT
<-  +OK 0 0
"""
KEYRING: Final = """
import keyring.backend

class Kept(keyring.backend.KeyringBackend):
    priority = 1

    def get_password(self, service, user):
        return {{("mailproxy", "alice"): "{password}"}}.get((service, user))

    def set_password(self, service, user, password):
        raise NotImplementedError

    def delete_password(self, service, user):
        raise NotImplementedError
"""
BREAKING: Final = """
import mailproxy.talk.play.saying

def broken(*anything):
    raise RuntimeError("it breaks")

mailproxy.talk.play.saying.Saying._answer_challenge = broken
"""
NO_KEYRING: Final = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "MAILPROXY_PASSWORD": ""}
unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the processes in /proc")


class Server(socketserver.TCPServer):
    """A POP3 server that grants everything. `said` is what it has heard; STAT waits until `may_go_on` is set."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.said: list[str] = []
        self.asked = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    @property
    def url(self) -> str:
        return f"pop3://127.0.0.1:{self.server_address[1]}"


class Answering(socketserver.StreamRequestHandler):
    """One connection."""

    server: Server

    def handle(self) -> None:
        self.wfile.write(b"+OK ready\r\n")
        for line in self.rfile:
            self.server.said.append(line.decode().rstrip())
            if line.startswith(b"STAT"):
                self.server.asked.set()
                self.server.may_go_on.wait()
            self.wfile.write(b"+OK 0 0\r\n")


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield server
        server.may_go_on.set()
        server.shutdown()
        serving.join()


@pytest.fixture
def words(server: Server, tmp_path: Path) -> list[str]:
    """The command that plays the recorded client to the server."""
    session = tmp_path / "session.talk"
    session.write_text(RECORDED)
    return ["replay", "client", str(session), server.url, "--db", str(tmp_path / "record.sqlite")]


def run(*words: str, **environment: str) -> Ran:
    """Run the command where nobody can be asked."""
    return program(*words, typed=b"", **environment)


def heard(user: str, password: str) -> list[str]:
    """What the server hears where this password is said."""
    plain = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    return [f"USER {user}", f"PASS {password}", f"AUTH PLAIN {plain}", "STAT", "QUIT"]


def kept(folder: Path, password: str) -> dict[str, str]:
    """The environment of a command that finds a keyring with Alice's password."""
    (folder / "kept_for_alice.py").write_text(KEYRING.format(password=password))
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return {"PYTHONPATH": path, "PYTHON_KEYRING_BACKEND": "kept_for_alice.Kept", "MAILPROXY_PASSWORD": ""}


def forms(password: str) -> list[bytes]:
    """The password as it is, in hex, and what its base64 has in common whatever stands before it."""
    octets = password.encode()
    wrapped = [base64.b64encode(bytes(before) + octets)[-(-before * 4 // 3) :] for before in range(3)]
    return [octets, octets.hex().encode(), octets.hex().upper().encode(), *(form.rstrip(b"=")[:-1] for form in wrapped)]


def leaks(folder: Path, *printed: bytes, secret: str = SECRET) -> list[str]:
    """Where a secret stands: in which files, and whether on the screen."""
    found = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".py"}
    found["the screen"] = b"".join(printed)
    return [name for name, octets in found.items() if any(form in octets for form in forms(secret))]


def test_the_environment_tells_the_password(server: Server, words: list[str], tmp_path: Path) -> None:
    ran = run(*words, MAILPROXY_PASSWORD=SECRET)
    assert (ran.code, server.said) == (0, heard("alice", SECRET)), ran.err
    assert leaks(tmp_path, ran.octets, ran.err.encode()) == []


def test_another_user_is_named_by_an_option(server: Server, words: list[str]) -> None:
    ran = run(*words, "--user", "bob@example.org", MAILPROXY_PASSWORD=SECRET)
    assert "what matters, at auth" in ran.out
    assert server.said == heard("bob@example.org", SECRET)


def test_a_keyring_tells_the_password(server: Server, words: list[str], tmp_path: Path) -> None:
    ran = run(*words, **kept(tmp_path, SECRET))
    assert (ran.code, server.said) == (0, heard("alice", SECRET)), ran.err
    assert leaks(tmp_path, ran.octets, ran.err.encode()) == []


def test_the_environment_goes_before_the_keyring(server: Server, words: list[str], tmp_path: Path) -> None:
    assert run(*words, **{**kept(tmp_path, OTHER), "MAILPROXY_PASSWORD": SECRET}).code == 0
    assert server.said == heard("alice", SECRET)


@pytest.mark.parametrize("keyring", ["keyring.backends.fail.Keyring", "keyring.backends.null.Keyring", "no.such.Ring"])
def test_where_nobody_can_be_asked_it_goes_as_far_as_the_login(keyring: str, server: Server, words: list[str]) -> None:
    ran = run(*words, **{**NO_KEYRING, "PYTHON_KEYRING_BACKEND": keyring})
    assert (ran.code, ran.err) == (1, "")
    assert "  stop  PASS: the password is masked in the record, and none is given (put it into" in ran.out
    assert server.said == ["USER alice", "QUIT"]


@pytest.mark.parametrize("mechanism", ["EXTERNAL", "ANONYMOUS"])
def test_nobody_is_asked_where_no_password_is_needed(
    mechanism: str, server: Server, words: list[str], tmp_path: Path
) -> None:
    told = f"AUTH {mechanism} <secret: {mechanism}, empty>"
    (tmp_path / "session.talk").write_text(f"pop3\n=== connected\n<-  +OK ready\n -> {told}\n<-  +OK\n")
    run(*words, **NO_KEYRING)
    assert server.said[:1] == [f"AUTH {mechanism} ="]


def test_a_keyring_without_this_user_is_no_help(server: Server, words: list[str], tmp_path: Path) -> None:
    ran = run(*words, "--user", "bob", **kept(tmp_path, SECRET))
    assert (ran.code, server.said) == (2, [])


@pytest.mark.parametrize("option", [["--password", SECRET], [f"--password={SECRET}"], ["--pass", SECRET]])
def test_no_argument_tells_a_password(option: list[str], server: Server, words: list[str]) -> None:
    ran = run(*words, *option, **NO_KEYRING)
    assert (ran.code, server.said) == (2, [])
    assert "No such option" in ran.failure
    assert SECRET not in ran.err


def test_a_password_in_the_url_is_not_taken_and_not_repeated(words: list[str], server: Server, tmp_path: Path) -> None:
    words[3] = words[3].replace("pop3://", f"pop3://alice:{SECRET}@")
    ran = run(*words, **NO_KEYRING)
    assert (ran.code, server.said) == (2, [])
    assert leaks(tmp_path, ran.octets, ran.err.encode()) == []


def test_what_cannot_be_a_password_is_not_repeated(words: list[str], server: Server, tmp_path: Path) -> None:
    ran = run(*words, MAILPROXY_PASSWORD=f"{SECRET}\r\nDELE 1")
    assert (ran.code, server.said) == (2, [])
    assert ran.failure.startswith("Invalid value for --user: no line end and no NUL can stand in")
    assert leaks(tmp_path, ran.octets, ran.err.encode()) == []


def test_no_document_holds_the_password(words: list[str], tmp_path: Path) -> None:
    played = run(*words, "--json", MAILPROXY_PASSWORD=SECRET)
    db = words[-2:]
    shown = [run(*asked, *db).octets for asked in (("show", "1"), ("export", "1"), ("diff", words[2], "1"))]
    assert all([played.octets, *shown])
    assert leaks(tmp_path, played.octets, played.err.encode(), *shown) == []


def test_no_traceback_holds_the_password(server: Server, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(BREAKING)
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    ran = run(*words, MAILPROXY_PASSWORD=SECRET, MAILPROXY_DEBUG="1", PYTHONPATH=path)
    assert "Traceback" in ran.err
    assert "RuntimeError: it breaks" in ran.err
    assert leaks(tmp_path, ran.octets, ran.err.encode()) == []


@unix
def test_it_is_asked_for_and_not_shown(server: Server, words: list[str], tmp_path: Path) -> None:
    with Terminal(tmp_path, *PROGRAM, *words) as terminal:
        screen = terminal.hears(b"Password of alice: ")
        terminal.types(SECRET.encode())
        screen += terminal.hears(b"session 1 plays the client of ")
        terminal.ends()
    assert server.said == heard("alice", SECRET)
    assert leaks(tmp_path, screen, terminal.unread) == []


@linux
def test_no_other_process_sees_what_was_typed(server: Server, words: list[str], tmp_path: Path) -> None:
    server.may_go_on.clear()
    with Terminal(tmp_path, *PROGRAM, *words) as terminal:
        terminal.hears(b"Password of alice: ")
        terminal.types(SECRET.encode())
        assert server.asked.wait(20)
        process = Path("/proc", str(terminal.pid))
        seen = [(process / name).read_bytes() for name in ("cmdline", "environ")]
        server.may_go_on.set()
        terminal.ends()
    assert b"replay" in seen[0]
    assert leaks(tmp_path, *seen) == []
    assert server.said == heard("alice", SECRET)


@unix
@pytest.mark.parametrize("key", [b"\x03", b"\x04"])
def test_who_is_asked_may_leave(key: bytes, server: Server, words: list[str], tmp_path: Path) -> None:
    with Terminal(tmp_path, *PROGRAM, *words) as terminal:
        terminal.hears(b"Password of alice: ")
        terminal.presses(key)
        terminal.ends()
    assert b"Traceback" not in terminal.unread
    assert b"Error" not in terminal.unread
    assert server.said == []
    assert not (tmp_path / "record.sqlite").exists()
