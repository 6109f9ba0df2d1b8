"""What real programs print of a session, read: it is the session that the proxy recorded."""

import base64
import io
import json
import os
import poplib
import random
import shutil
import smtplib
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as some

from mailproxy.formats import record_json, talk
from mailproxy.formats.error import FormatError
from mailproxy.model.octets import Side
from mailproxy.model.session import Recording
from tests.formats.dirt import DIRT
from tests.formats.imports import asked, imported, notes, recognised, speech
from tests.whole.client import private
from tests.whole.loopback import Address
from tests.whole.need import missing, program
from tests.whole.proxy import COMMAND, LIMIT, Proxy, until
from tests.whole.terminal import Terminal

ALICE, BOB, PASSWORD = "alice@example.org", "bob@example.org", "practice"
MESSAGE: Final = (
    "From: bob@example.org\nTo: alice@example.org\nSubject: hi\n\n250 looks like a reply\n.a dot\n> quoted\n"
)
WHOLE: Final = {"swaks", "swaks-refused", "swaks-tls", "msmtp", "telnet", "s_client", "smtplib", "poplib"}
"""Who shows all octets; fetchmail shows no messages."""


class Servers:
    """The practice server, and the proxy in front of it."""

    def __init__(self, proxy: Proxy) -> None:
        self.smtp, self.smtps, self.pop3 = proxy.addresses
        self.proxy = proxy


Tool = Callable[[Servers, Path], str]


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    ready = folder / "practice.json"
    free = ("--smtp", "0", "--lmtp", "0", "--pop3", "0", "--pop2", "0", "--ready-file", str(ready))
    with subprocess.Popen([COMMAND, "practice", *free], stdout=subprocess.DEVNULL) as practice:
        try:
            until(lambda: ready.exists() or practice.poll() is not None)
            where = {each["protocol"]: each for each in json.loads(ready.read_text())["listeners"]}
            smtp, pop3 = (Address(where[name]["host"], where[name]["port"]) for name in ("smtp", "pop3"))
            routes = (f"0=smtp://{smtp}", f"smtps://127.0.0.1:0=smtp://{smtp}", f"0=pop3://{pop3}")
            with Proxy(folder / "proxy", *routes) as proxy:
                yield Servers(proxy)
                proxy.stop()
        finally:
            practice.kill()


def run(*command: str, given: str = "", home: Path) -> str:
    """All that a program prints, on both its outputs, as a terminal shows it."""
    ended = subprocess.run(
        [program(command[0]), *command[1:]],
        input=given.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LIMIT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "FETCHMAILHOME": str(home), "LC_ALL": "C"},
        check=False,
    )
    return ended.stdout.decode(errors="surrogateescape")


def swaks(at: Address, home: Path, *more: str, to: str = ALICE) -> str:
    return run("swaks", "--server", str(at), "--to", to, "--from", BOB, "--helo", "client.example", *more, home=home)


def swaks_sends(servers: Servers, home: Path) -> str:
    mail = home / "message"
    mail.write_text(MESSAGE)
    return swaks(servers.smtp, home, "--data", f"@{mail}", "-a", "PLAIN", "-au", ALICE, "-ap", PASSWORD)


def swaks_is_refused(servers: Servers, home: Path) -> str:
    return swaks(servers.smtp, home, "-a", "LOGIN", "-au", ALICE, "-ap", "wrong", to="nobody@example.org")


def swaks_under_tls(servers: Servers, home: Path) -> str:
    return swaks(servers.smtps, home, "--tls-on-connect", "--show-raw-text", "--show-time-lapse")


def msmtp(servers: Servers, home: Path) -> str:
    settings = private(
        home / "msmtprc",
        f"account default\nhost {servers.smtp.host}\nport {servers.smtp.port}\nauth plain\nuser {ALICE}\n"
        f"password {PASSWORD}\nfrom {BOB}\n",
    )
    return run("msmtp", "-d", "-C", str(settings), ALICE, given=MESSAGE, home=home)


def fetchmail(servers: Servers, home: Path) -> str:
    settings = private(
        home / "fetchmailrc",
        f"poll {servers.pop3.host} protocol pop3 service {servers.pop3.port} auth password no envelope\n"
        f'user "{ALICE}" password "{PASSWORD}" is nobody here sslproto "" fetchall keep no rewrite\n'
        f"smtphost {servers.smtp.host}/{servers.smtp.port} smtpname {BOB}\n",
    )
    lock = str(settings.with_name("fetchmail.pid"))  # root's is one for all otherwise
    return run("fetchmail", "--nodetach", "-v", "-f", str(settings), "--pidfile", lock, home=home)


def python_sends(servers: Servers, home: Path) -> str:
    with redirect_stderr(io.StringIO()) as printed:
        client = smtplib.SMTP(local_hostname="client.example", timeout=LIMIT)
        client.set_debuglevel(1)
        client.connect(*servers.smtp)
        client.login(ALICE, PASSWORD)
        client.sendmail(BOB, [ALICE, "nobody@example.org"], MESSAGE.replace("\n", "\r\n"))
        client.quit()
    return printed.getvalue()


def python_fetches(servers: Servers, home: Path) -> str:
    with redirect_stdout(io.StringIO()) as printed:
        client = poplib.POP3(*servers.pop3, timeout=LIMIT)
        print("*get*", client.getwelcome() + b"\r\n")
        client.set_debuglevel(2)
        client.user(ALICE)
        client.pass_(PASSWORD)
        client.list()
        client.uidl()
        client.top(1, 1)
        client.retr(1)
        client.quit()
    return printed.getvalue()


SECRETS: Final = (
    f'"{PASSWORD}"',
    f" {PASSWORD}\n",
    *(
        base64.b64encode(secret.encode()).decode()
        for secret in (PASSWORD, "wrong", f"\0{ALICE}\0{PASSWORD}", f"\0{ALICE}\0wrong")
    ),
)
NEEDS: Final = {
    "swaks": "swaks",
    "swaks-refused": "swaks",
    "swaks-tls": "swaks",
    "msmtp": "msmtp",
    "telnet": "telnet",
    "s_client": "openssl",
    "fetchmail": "fetchmail",
}
COMMANDS: Final = (
    (b"EHLO client.example", rb"(?:250-.*\r\n)*250 .*\r\n"),
    (b"AUTH LOGIN", rb"334 .*\r\n"),
    (b"YWxpY2VAZXhhbXBsZS5vcmc=", rb"334 .*\r\n"),
    (b"cHJhY3RpY2U=", rb"235 .*\r\n"),
    (b"MAIL FROM:<bob@example.org>", rb"250 .*\r\n"),
    (b"rcpt TO:<nobody@example.org>", rb"550 .*\r\n"),
    (b"rcpt TO:<alice@example.org>", rb"250 .*\r\n"),
    (b"DATA", rb"354 .*\r\n"),
    (b"Subject: hi\r\r250 looks like a reply\r.", rb"250 2.0.0.*\r\n"),
    (b"quit", rb"221 .*\r\n"),
)


class Screen(Terminal):
    """A terminal that keeps all that stood on it."""

    seen = b""

    def _read(self, patience: float) -> bool:
        known = len(self._unread)
        more = super()._read(patience)
        self.seen += self._unread[known:]
        return more


def typed(home: Path, *command: str) -> str:
    """What stands on the screen when a person has typed a session."""
    with Screen(home, *command) as screen:
        screen.hears(rb"220 .*\r\n")
        for line, reply in COMMANDS:
            screen.types(line)
            screen.hears(reply)
        screen.ends()
        return screen.seen.decode(errors="surrogateescape").replace("\r\n", "\n")


def telnet(servers: Servers, home: Path) -> str:
    return typed(home, "telnet", *map(str, servers.smtp))


def s_client(servers: Servers, home: Path) -> str:
    return typed(home, "openssl", "s_client", "-crlf", "-connect", str(servers.smtps))


TOOLS: Final[dict[str, Tool]] = {
    "swaks": swaks_sends,
    "swaks-refused": swaks_is_refused,
    "swaks-tls": swaks_under_tls,
    "msmtp": msmtp,
    "telnet": telnet,
    "s_client": s_client,
    "smtplib": python_sends,
    "poplib": python_fetches,
    "fetchmail": fetchmail,
}


class Came(NamedTuple):
    """What a tool printed, and what the proxy recorded of it."""

    text: str
    recorded: list[Recording]

    def __repr__(self) -> str:
        return f"{len(self.recorded)} recorded"


@pytest.fixture(scope="module")
def came(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Came]:
    """Every tool that is there, run once, one after the other."""
    printed: dict[str, str] = {}
    with servers(tmp_path_factory.mktemp("servers")) as there:
        for name, tool in TOOLS.items():
            if not os.environ.get("CI") and name in NEEDS and not shutil.which(NEEDS[name]):
                continue
            printed[name] = tool(there, tmp_path_factory.mktemp(name))
        there.proxy.stop()
        numbers = [str(session["id"]) for session in there.proxy.sessions()]
        sessions = record_json.read(there.proxy.run("export", *numbers, "--format", "json").decode())
    assert len(sessions) == len(printed) + ("fetchmail" in printed), printed
    return {name: Came(printed[name], [sessions.pop(0) for _ in range(1 + (name == "fetchmail"))]) for name in printed}


def came_of(came: dict[str, Came], name: str) -> Came:
    if name not in came:
        missing(f"{NEEDS[name]} is not installed")
    return came[name]


@pytest.mark.parametrize("name", TOOLS)
def test_what_was_heard_is_what_the_proxy_recorded(came: dict[str, Came], name: str) -> None:
    text, recorded = came_of(came, name)
    read = imported(text)
    assert [each.session.protocol for each in read] == [each.session.protocol for each in recorded]
    for ours, proxys in zip(read, recorded, strict=True):
        assert asked(ours.exchanges) == asked(proxys.exchanges)
        assert ours.session.user == proxys.session.user
        assert (ours.session.server.port == 0) == (name in {"s_client", "telnet", "poplib"})


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_every_octet_is_the_one_that_the_proxy_recorded(came: dict[str, Came], name: str) -> None:
    text, [recorded] = came_of(came, name)
    [read] = imported(text)
    for side in Side:
        assert speech(read, side) == speech(recorded, side)
    assert not any("not understood" in note for note in notes(read)), notes(read)


@pytest.mark.parametrize("name", ["swaks-tls", "s_client"])
def test_what_was_said_under_tls_is_told_so(came: dict[str, Came], name: str) -> None:
    [read] = imported(came_of(came, name).text)
    assert "=== TLS with the server: TLSv1.3, TLS_AES_256_GCM_SHA384" in notes(read)
    assert all(speech(read, side, secure=True) and not speech(read, side, secure=False) for side in Side)


@pytest.mark.parametrize("name", TOOLS)
def test_no_secret_is_left(came: dict[str, Came], name: str) -> None:
    for recording in imported(came_of(came, name).text):
        left = "\n".join(talk.write(recording)) + record_json.write([recording])
        assert not [secret for secret in SECRETS if secret in left]


@settings(deadline=None, max_examples=25)
@given(some.sampled_from(sorted(TOOLS)), some.sets(some.sampled_from(sorted(DIRT)), min_size=1, max_size=3))
def test_however_dirty_it_is_the_same_is_heard(came: dict[str, Came], name: str, ways: set[str]) -> None:
    assume(name in came)
    clean, dirty = imported(came[name].text), came[name].text.replace("\r\n", "\n")
    for way in sorted(ways):
        dirty = DIRT[way](dirty)
    assert [asked(each.exchanges) for each in imported(dirty)] == [asked(each.exchanges) for each in clean]


@settings(deadline=None, max_examples=25)
@given(some.sampled_from(sorted(TOOLS)), some.randoms(use_true_random=False))
def test_of_a_part_no_secret_is_left_either(came: dict[str, Came], name: str, chance: random.Random) -> None:
    assume(name in came)
    text = came[name].text
    part = "\n".join(line for line in text.split("\n") if chance.random() < 0.8)
    with suppress(FormatError):
        for recording in imported(part, recognised(text)):
            left = "\n".join(talk.write(recording))
            assert not [secret for secret in SECRETS if secret in left]
