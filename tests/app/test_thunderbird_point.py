"""Pointing a profile at mailproxy and putting it back, without Thunderbird: it is played by writing its `prefs.js`."""

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailproxy.app.routes import Route, parse
from mailproxy.app.thunderbird import keep, servers, socks
from mailproxy.app.thunderbird.accounts import Server
from mailproxy.app.thunderbird.error import ThunderbirdError
from mailproxy.app.thunderbird.plan import Change, Plan, changed
from mailproxy.app.thunderbird.point import PutBack, point, unpoint
from mailproxy.app.thunderbird.prefs import Prefs, Value, written
from tests.app.thunderbird_profile import PREFS
from tests.app.thunderbird_profile import profile as made

ALICE_POP = parse("2110=pop3s://pop.example.org:995")
ALICE_SMTP = parse("2525=smtp+starttls://SMTP.example.org:587")
BOB_POP = parse("[::1]:2111=pop3+starttls://pop.example.net")
BOB_SMTP = parse("0.0.0.0:2465=smtps://smtp.example.net")
ALL = (ALICE_POP, ALICE_SMTP, BOB_POP, BOB_SMTP)
ANEW = "Thunderbird keeps passwords by the name of the server: it asks for them anew for"
OAUTH2 = "pop3://pop.example.net:110 logs in with OAuth2, which goes by the server's name: use --how socks if it fails"

How = Callable[[Prefs], Plan]


def through(prefs: Prefs) -> Plan:
    """By SOCKS."""
    return socks.plan(prefs)


def in_place(prefs: Prefs) -> Plan:
    """In the place of the servers."""
    return servers.plan(prefs, Path("no filters"), ALL)


HOWS = pytest.mark.parametrize("how", [through, in_place])


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A profile with accounts."""
    return made(tmp_path / "profile")


def prefs(profile: Path) -> bytes:
    """What is in its `prefs.js`."""
    return (profile / "prefs.js").read_bytes()


def rewritten(profile: Path, **more: Value) -> None:
    """Have Thunderbird write its preferences: those that are what they are anyway are left out, some are new."""
    default: dict[str, Value] = {"network.proxy.socks_version": 5, "network.proxy.no_proxies_on": ""}
    values = Prefs.parse(prefs(profile)).values() | {name.replace("__", "."): value for name, value in more.items()}
    own = (
        (name, value)
        for name, value in sorted(values.items())
        if default.get(name) != value and not (name.endswith(("socketType", "try_ssl")) and value == 0)
    )
    lines = [b"user_pref(%s, %s);\n" % (written(name), written(value)) for name, value in own]
    (profile / "prefs.js").write_bytes(PREFS[: PREFS.index(b"user_pref")] + b"".join(lines))


def test_socks_changes_the_proxy_and_no_server() -> None:
    assert socks.plan(Prefs.parse(PREFS), 1081) == Plan(
        (
            Change("network.proxy.type", None, 1),
            Change("network.proxy.socks", None, "127.0.0.1"),
            Change("network.proxy.socks_port", None, 1081),
            Change("network.proxy.socks_version", None, 5),
            Change("network.proxy.socks_remote_dns", None, True),
        )
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_server_on_this_machine_goes_through_the_proxy_too(host: str) -> None:
    local = Prefs.parse(PREFS).change("mail.server.server1.hostname", host)
    assert Change("network.proxy.allow_hijacking_localhost", None, True) in socks.plan(local).changes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("pop.example.org, intranet,  web.example.org", "intranet, web.example.org"),
        (".example.org *.example.net", ""),
        ("smtp.example.net:465,<local>", "<local>"),
        ("smtp.example.net:25, 10.0.0.0/8, [::1]:80", None),
    ],
)
def test_a_server_that_is_excepted_from_the_proxy_is_so_no_more(before: str, after: str | None) -> None:
    name = "network.proxy.no_proxies_on"
    [*found] = (each for each in socks.plan(Prefs.parse(PREFS).change(name, before)).changes if each.name == name)
    assert found == ([] if after is None else [Change(name, before, after)])


@pytest.mark.parametrize(
    ("entry", "host", "excepted"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "ten", False),
        ("::1", "::1", True),
        ("[::1]:995", "::1", True),
        ("[::1]:110", "::1", False),
        ("fe80::/10", "fe80::2", True),
        ("localhost", "localhost", True),
        ("<local>", "mail", True),
        ("<local>", "mail.test", False),
        ("MAIL.test:995", "mail.TEST", True),
        ("*", "mail.test", False),
    ],
)
def test_what_an_exception_is_about(entry: str, host: str, excepted: bool) -> None:
    assert socks.excepts(entry, Server("pop3", host, 995, "tls", "alice", "password", "key")) is excepted


@pytest.mark.parametrize(
    ("before", "warning"),
    [
        ({"network.proxy.type": 2}, "Thunderbird found its proxy by a script (PAC): now all goes to mailproxy, "),
        (
            {"network.proxy.type": 1, "network.proxy.socks": "proxy.test", "network.proxy.socks_port": 9050},
            "Thunderbird went through the SOCKS proxy proxy.test:9050: mailproxy connects directly",
        ),
        ({"network.proxy.type": 5, "network.proxy.socks": "proxy.test"}, ""),
    ],
)
def test_a_proxy_that_is_left_out_is_told(before: dict[str, Value], warning: str) -> None:
    said = Prefs.parse(PREFS)
    for name, value in before.items():
        said = said.change(name, value)
    assert "".join(socks.plan(said).warnings).startswith(warning)


def test_each_server_is_where_its_route_listens() -> None:
    assert servers.plan(Prefs.parse(PREFS), Path("no filters"), ALL) == Plan(
        (
            Change("mail.server.server1.hostname", "pop.example.org", "127.0.0.1"),
            Change("mail.server.server1.port", 995, 2110),
            Change("mail.server.server1.socketType", 3, 0),
            Change(
                "mail.identity.id1.fcc_folder",
                "mailbox://alice%40home@pop.example.org/Sent",
                "mailbox://alice%40home@127.0.0.1/Sent",
            ),
            Change("mail.server.server3.hostname", "pop.example.net", "::1"),
            Change("mail.server.server3.port", None, 2111),
            Change("mail.server.server3.socketType", 2, 0),
            Change("mail.smtpserver.smtp1.hostname", "smtp.example.org", "127.0.0.1"),
            Change("mail.smtpserver.smtp1.port", 587, 2525),
            Change("mail.smtpserver.smtp1.try_ssl", 2, 0),
            Change("mail.smtpserver.smtp2.hostname", "smtp.example.net", "127.0.0.1"),
            Change("mail.smtpserver.smtp2.port", None, 2465),
            Change("mail.smtpserver.smtp2.try_ssl", 3, 0),
        ),
        (f"{ANEW} 127.0.0.1, ::1", OAUTH2),
    )


@pytest.mark.parametrize(
    ("route", "asked", "security", "warned"),
    [
        (ALICE_SMTP, None, 0, False),
        (ALICE_SMTP, "none", 0, False),
        (ALICE_SMTP, "same", 2, False),
        (parse("2525=smtp://smtp.example.org:587"), None, 2, False),
        (parse("2525=smtp://smtp.example.org:587"), "none", 0, True),
        (parse("2525=smtp://smtp.example.org:587"), "same", 2, False),
    ],
)
def test_no_connection_loses_its_tls_unless_that_is_asked_for(
    route: Route, asked: str | None, security: int, warned: bool
) -> None:
    planned = servers.plan(Prefs.parse(PREFS), Path("no filters"), (route,), asked)
    after = changed(Prefs.parse(PREFS), planned.changes).values()
    assert after["mail.smtpserver.smtp1.try_ssl"] == security
    warning = "its route should go to smtp+starttls://smtp.example.org:587"
    assert any(warning in each for each in planned.warnings) is warned


def test_a_server_without_a_route_is_left_alone_and_named() -> None:
    planned = servers.plan(Prefs.parse(PREFS), Path("no filters"), (ALICE_SMTP,))
    assert {change.name.rpartition(".")[0] for change in planned.changes} == {"mail.smtpserver.smtp1"}
    assert planned.warnings == (
        "pop3://pop.example.org:995, pop3://pop.example.net:110, smtp://smtp.example.net:465: "
        "no route in mailproxy.toml, left alone",
        f"{ANEW} 127.0.0.1",
    )


def test_no_server_with_a_route() -> None:
    with pytest.raises(ThunderbirdError, match=r"none of pop3://pop\.example\.org:995, .* has a route: write one into"):
        servers.plan(Prefs.parse(PREFS), Path("no filters"), (parse("pop3://pop.example.org:110"),))


def test_two_accounts_that_would_become_one() -> None:
    same = Prefs.parse(PREFS).change("mail.server.server3.userName", "alice@home")
    other = parse("2111=pop3+starttls://pop.example.net")
    with pytest.raises(ThunderbirdError, match=r"alice@home of pop\.example\.org and of pop\.example\.net would both"):
        servers.plan(same, Path("no filters"), (ALICE_POP, other))
    servers.plan(Prefs.parse(PREFS), Path("no filters"), (ALICE_POP, other))


def test_filters_that_name_a_folder_by_its_server(profile: Path) -> None:
    rules = profile / "Mail" / "pop.example.org" / "msgFilterRules.dat"
    rules.parent.mkdir(parents=True)
    rules.write_text('name="lists"\nactionValue="mailbox://nobody@Local%20Folders/Lists"\n')
    servers.plan(Prefs.parse(PREFS), profile, ALL)
    rules.write_text('name="lists"\nactionValue="mailbox://alice%40home@pop.example.org/Lists"\n')
    with pytest.raises(ThunderbirdError, match=r"message filters move mail into folders of pop\.example\.org"):
        servers.plan(Prefs.parse(PREFS), profile, ALL)


@HOWS
def test_what_is_kept_meanwhile(profile: Path, how: How) -> None:
    pointed = point(profile, "some", how)
    assert (profile / keep.BACKUP).read_bytes() == PREFS
    assert prefs(profile) == changed(Prefs.parse(PREFS), pointed.changes).octets
    assert {path.name for path in profile.iterdir()} == {"prefs.js", keep.BACKUP, keep.NOTE, ".parentlock"}
    note = json.loads((profile / keep.NOTE).read_bytes())
    assert note["how"] == "some"
    assert note["changed"] == [change._asdict() for change in pointed.changes]
    if sys.platform != "win32":
        assert {path.stat().st_mode & 0o777 for path in profile.iterdir() if path.name != ".parentlock"} == {0o600}


@HOWS
def test_unwritten_it_is_put_back_octet_for_octet(profile: Path, how: How) -> None:
    odd = PREFS.replace(b"\n", b"\r\n").replace(b'user_pref("mail.smtpservers"', b" user_pref ('mail.smtpservers' ")
    (profile / "prefs.js").write_bytes(odd)
    (profile / "prefs.js").chmod(0o640)
    pointed = point(profile, "", how)
    back = tuple(sorted(Change(change.name, change.new, change.old) for change in pointed.changes))
    assert unpoint(profile) == PutBack(profile, back, whole=True)
    assert prefs(profile) == odd
    assert {path.name for path in profile.iterdir()} == {"prefs.js", ".parentlock"}
    if sys.platform != "win32":
        assert (profile / "prefs.js").stat().st_mode & 0o777 == 0o640


@HOWS
def test_written_by_thunderbird_what_was_changed_is_put_back_and_all_else_stays(profile: Path, how: How) -> None:
    point(profile, "", how)
    rewritten(profile, mail__new="kept", mail__rights__version=2)
    put_back = unpoint(profile)
    assert not put_back.whole
    new = Prefs.parse(PREFS).change("mail.new", "kept").change("mail.rights.version", 2)
    assert prefs(profile) == new.octets
    assert {path.name for path in profile.iterdir()} == {"prefs.js", ".parentlock"}


@HOWS
def test_written_but_for_nothing_else_it_is_octet_for_octet_what_it_was(profile: Path, how: How) -> None:
    point(profile, "", how)
    rewritten(profile)
    assert unpoint(profile).whole
    assert prefs(profile) == PREFS


def test_the_backup_can_be_forced(profile: Path) -> None:
    point(profile, "", through)
    rewritten(profile, mail__new="lost")
    (profile / keep.NOTE).write_text("{")
    with pytest.raises(ThunderbirdError, match="--force-backup puts all of"):
        unpoint(profile)
    put_back = unpoint(profile, force_backup=True)
    assert put_back.whole
    assert Change("mail.new", "lost", None) in put_back.changes
    assert prefs(profile) == PREFS


def test_an_account_that_is_gone_is_not_put_back(profile: Path) -> None:
    point(profile, "", in_place)
    now = Prefs.parse(prefs(profile))
    for statement in now.statements:
        if statement.name.startswith("mail.server.server3."):
            now = now.change(statement.name, None)
    (profile / "prefs.js").write_bytes(now.octets)
    put_back = unpoint(profile)
    assert put_back.left == tuple(f"mail.server.server3.{each}" for each in ("hostname", "port", "socketType"))
    assert b"server3.hostname" not in prefs(profile)
    assert b"smtp.example.net" in prefs(profile)


def test_dry_nothing_is_written(profile: Path) -> None:
    planned = point(profile, "", through, dry=True)
    assert prefs(profile) == PREFS
    assert {path.name for path in profile.iterdir()} == {"prefs.js", ".parentlock"}
    assert point(profile, "", through) == planned
    pointed = prefs(profile)
    assert unpoint(profile, dry=True).whole
    assert prefs(profile) == pointed
    assert unpoint(profile).whole


def test_pointed_twice(profile: Path) -> None:
    point(profile, "", through)
    with pytest.raises(ThunderbirdError, match="points at mailproxy already: mailproxy unpoint thunderbird puts it"):
        point(profile, "", in_place)


def test_nothing_to_put_back(profile: Path) -> None:
    for forced in (False, True):
        with pytest.raises(ThunderbirdError, match="there is nothing to put back"):
            unpoint(profile, forced)
    point(profile, "", lambda prefs: Plan(()))
    with pytest.raises(ThunderbirdError, match="there is nothing to put back"):
        unpoint(profile)


def test_no_account(profile: Path) -> None:
    (profile / "prefs.js").write_bytes(b"")
    with pytest.raises(ThunderbirdError, match=re.escape("has no account with POP3 or SMTP")):
        point(profile, "", through)


def test_user_js_overrides_what_is_changed(profile: Path) -> None:
    (profile / "user.js").write_text('user_pref("network.proxy.type", 0); user_pref("network.proxy.socks_version", 5);')
    assert point(profile, "", through).warnings == (
        "user.js overrides what was changed: take network.proxy.type out of it",
    )


@pytest.mark.parametrize("kept", [keep.BACKUP, keep.NOTE, "prefs.js"])
def test_what_is_interrupted_can_be_put_back(profile: Path, monkeypatch: pytest.MonkeyPatch, kept: str) -> None:
    write = keep.replace

    def interrupted(path: Path, octets: bytes) -> None:
        if path.name == kept:
            raise KeyboardInterrupt
        write(path, octets)

    monkeypatch.setattr(keep, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        point(profile, "", through)
    assert prefs(profile) == PREFS
    monkeypatch.setattr(keep, "replace", write)
    if kept != keep.BACKUP:
        assert unpoint(profile).whole
    assert prefs(profile) == PREFS
    assert {path.name for path in profile.iterdir()} == {"prefs.js", ".parentlock"}


def test_a_file_is_whole_or_as_it_was(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        keep.replace(profile / "prefs.js", b"half")
    assert prefs(profile) == PREFS
    assert {path.name for path in profile.iterdir()} == {"prefs.js", ".parentlock"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=40), st.binary(max_size=40), st.sampled_from([through, in_place]))
def test_any_file_is_put_back_octet_for_octet(profile: Path, before: bytes, behind: bytes, how: How) -> None:
    file = before + b"\n;\n" + PREFS + behind
    (profile / "prefs.js").write_bytes(file)
    try:
        point(profile, "", how)
    except ThunderbirdError:  # the odd octets hide every account
        assert prefs(profile) == file
    else:
        assert unpoint(profile).whole
        assert prefs(profile) == file
