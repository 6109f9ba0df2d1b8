"""`mailproxy point` and `unpoint`, on a profile that Thunderbird makes, opens while it points, and opens again."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from json import dumps
from pathlib import Path
from typing import Final

import pytest

from mailproxy.app.routes import parse
from mailproxy.app.thunderbird import servers, socks
from mailproxy.app.thunderbird.accounts import Account, Server, accounts
from mailproxy.app.thunderbird.error import ThunderbirdError
from mailproxy.app.thunderbird.plan import Plan
from mailproxy.app.thunderbird.point import point, unpoint
from mailproxy.app.thunderbird.prefs import Prefs

from . import need
from .loopback import Address, free
from .marionette import Marionette
from .proxy import until
from .thunderbird import ALONE, QUIET
from .thunderbird_scripts import FETCH, SEND, SERVICES

HOST: Final = "pop.mail.test"
ROUTES: Final = (parse(f"2110=pop3s://{HOST}:995"), parse("2525=smtp+starttls://smtp.mail.test:587"))
LIMIT: Final = 60.0  # seconds after which Thunderbird is held to be stuck

How = Callable[[Prefs], Plan]


def through(prefs: Prefs) -> Plan:
    """By SOCKS."""
    return socks.plan(prefs)


def in_place(prefs: Prefs) -> Plan:
    """In the place of the servers."""
    return servers.plan(prefs, Path("no filters"), ROUTES)


MAKE: Final = (
    SERVICES
    + """
    const accounts = MailServices.accounts;
    const incoming = accounts.createIncomingServer("alice", given[0], "pop3");
    Object.assign(incoming, {port: 995, socketType: 3, loginAtStartUp: false, doBiff: false, valid: true});
    const smtp = MailServices.outgoingServer.createServer("smtp").QueryInterface(Ci.nsISmtpServer);
    Object.assign(smtp, {hostname: "smtp.mail.test", port: 587});
    const outgoing = smtp.QueryInterface(Ci.nsIMsgOutgoingServer);
    Object.assign(outgoing, {username: "alice", socketType: 2});
    const identity = accounts.createIdentity();
    Object.assign(identity, {email: "alice@mail.test", fullName: 'Alice "Ä"', smtpServerKey: outgoing.key});
    const account = accounts.createAccount();
    account.addIdentity(identity);
    account.incomingServer = incoming;
    accounts.defaultAccount = account;
    MailServices.outgoingServer.defaultServer = outgoing;
    identity.fccFolderURI = `${incoming.rootFolder.URI}/Sent`;
"""
)
HELD: Final = """
    return given.map(name => {
        switch (Services.prefs.getPrefType(name)) {
            case Services.prefs.PREF_STRING: return Services.prefs.getStringPref(name);
            case Services.prefs.PREF_INT: return Services.prefs.getIntPref(name);
            case Services.prefs.PREF_BOOL: return Services.prefs.getBoolPref(name);
        }
        return null;
    });
"""
SERVERS: Final = (
    SERVICES
    + """
    const {incomingServer, defaultIdentity} = MailServices.accounts.defaultAccount;
    const outgoing = MailServices.outgoingServer.defaultServer;
    const smtp = outgoing.QueryInterface(Ci.nsISmtpServer);
    return [incomingServer.hostname, incomingServer.port, incomingServer.socketType,
        smtp.hostname, smtp.port, outgoing.socketType,
        defaultIdentity.fccFolderURI === `${incomingServer.rootFolder.URI}/Sent`];
"""
)


@contextmanager
def opened(profile: Path) -> Iterator[Marionette]:
    """Thunderbird with this profile, until it has ended as its user ends it, with its preferences written."""
    errors = profile.parent / "errors"
    with errors.open("wb") as output:
        process = subprocess.Popen(
            [need.program("thunderbird"), *ALONE, "--profile", profile],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "HOME": str(profile.parent), "LC_ALL": "C.UTF-8"},
        )
    try:
        address = marionette(profile)
        until(lambda: process.poll() is not None or listens(address))
        assert process.poll() is None, errors.read_text(errors="replace")[-2000:]
        with Marionette(address) as thunderbird:
            yield thunderbird
            thunderbird.tell("Marionette:Quit", flags=["eForceQuit"])
        process.wait(LIMIT)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def marionette(profile: Path) -> Address:
    """Where Thunderbird hears what it is told."""
    port = Prefs.parse((profile / "user.js").read_bytes()).values()["marionette.port"]
    assert isinstance(port, int)
    return Address("127.0.0.1", port)


def listens(address: Address) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(address) == 0


def lasting(profile: Path) -> bytes:
    """Its `prefs.js`, but for the line that Thunderbird changes with every start."""
    lines = (profile / "prefs.js").read_bytes().splitlines(keepends=True)
    return b"".join(line for line in lines if b'"toolkit.startup.' not in line)


def make(profile: Path, host: str) -> Path:
    """Have Thunderbird make a profile with an account, and settle in it."""
    profile.mkdir()
    quiet = {**QUIET, "marionette.port": free().port}
    (profile / "user.js").write_text("".join(f"user_pref({dumps(name)}, {dumps(quiet[name])});\n" for name in quiet))
    with opened(profile) as thunderbird:
        thunderbird.run(MAKE, host)
    with opened(profile):
        return profile


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile that Thunderbird has made."""
    return make(tmp_path_factory.mktemp("made") / "profile", HOST)


@pytest.fixture
def profile(made: Path, tmp_path: Path) -> Path:
    """The same for one test."""
    return shutil.copytree(made, tmp_path / "profile", symlinks=True)


def test_the_accounts_that_thunderbird_made_are_read(profile: Path) -> None:
    pop3 = Server("pop3", HOST, 995, "tls", "alice", "password", "mail.server.server1")
    smtp = Server("smtp", "smtp.mail.test", 587, "starttls", "alice", "password", "mail.smtpserver.smtp1")
    assert accounts(profile) == [Account("alice@mail.test", "alice@mail.test", pop3, (smtp,))]


@pytest.mark.parametrize("how", [through, in_place])
def test_unopened_it_is_put_back_octet_for_octet(profile: Path, how: How) -> None:
    before = (profile / "prefs.js").read_bytes()
    files = sorted(profile.iterdir())
    point(profile, "", how)
    assert (profile / "prefs.js").read_bytes() != before
    assert unpoint(profile).whole
    assert (profile / "prefs.js").read_bytes() == before
    assert sorted(profile.iterdir()) == files


@pytest.mark.parametrize("how", [through, in_place])
def test_thunderbird_takes_what_was_changed_and_all_is_put_back(profile: Path, how: How) -> None:
    before = lasting(profile)
    pointed = point(profile, "", how)
    with opened(profile) as thunderbird:
        assert thunderbird.run(HELD, *(change.name for change in pointed.changes)) == [
            change.new for change in pointed.changes
        ]
        with pytest.raises(ThunderbirdError, match="close it first"):
            unpoint(profile)
    assert lasting(profile) != before
    put_back = unpoint(profile)
    assert not put_back.left
    assert lasting(profile) == before
    with opened(profile) as thunderbird:
        assert thunderbird.run(SERVERS) == [HOST, 995, 3, "smtp.mail.test", 587, 2, True]
    assert lasting(profile) == before


def test_in_the_place_of_its_servers_thunderbird_finds_mailproxy_and_its_folders(profile: Path) -> None:
    point(profile, "", in_place)
    with opened(profile) as thunderbird:
        assert thunderbird.run(SERVERS) == ["127.0.0.1", 2110, 0, "127.0.0.1", 2525, 0, True]


@pytest.mark.parametrize(
    ("host", "script", "server"),
    [
        (HOST, FETCH, (HOST, 995)),
        ("127.0.0.1", FETCH, ("127.0.0.1", 995)),
        (HOST, SEND, ("smtp.mail.test", 587)),
    ],
    ids=["fetch", "fetch from loopback", "send"],
)
def test_through_socks_thunderbird_asks_for_its_servers_by_name(
    tmp_path: Path, host: str, script: str, server: tuple[str, int]
) -> None:
    profile = make(tmp_path / "profile", host)
    with socket.create_server(("127.0.0.1", 0)) as mailproxy:
        mailproxy.settimeout(LIMIT)
        point(profile, "socks", lambda prefs: socks.plan(prefs, mailproxy.getsockname()[1]))
        with opened(profile) as thunderbird:
            thunderbird.run(SERVICES + script, "bob@mail.test", "Lunch", "At noon?")
            assert server in iter(lambda: asked(mailproxy), None)  # it asks for pages of its maker's too


def asked(mailproxy: socket.socket) -> tuple[str, int]:
    """The server that a client of SOCKS names (RFC 1928, sections 3 and 4), before it is left alone."""
    client, _ = mailproxy.accept()
    with client, client.makefile("rwb", 0) as stream:
        assert stream.read(3) == b"\x05\x01\x00"
        stream.write(b"\x05\x00")
        *head, length = stream.read(5)
        assert bytes(head) == b"\x05\x01\x00\x03"
        return stream.read(length).decode(), int.from_bytes(stream.read(2))
