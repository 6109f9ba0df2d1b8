"""The same recordings in a real PostgreSQL, which several machines may share."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailproxy.app.library import complete, keep, open_library, recordings
from mailproxy.app.make_room import make_room
from mailproxy.formats.talk import read
from mailproxy.protocols.turn import Terms

from .loopback import free
from .need import missing

MAILPROXY = Path(sys.executable).with_name("mailproxy")
TALK = """smtp 25
=== connected to mail.example.org (192.0.2.25)
<-  220 mail.example.org \\x00\\xff ESMTP
 -> EHLO client.example.org
<-  250 mail.example.org
 -> DATA
<-  354 go ahead
 -> Subject: NUL \\x00 and \\xff
 -> .
<-  250 2.0.0 ok
 -> QUIT
<-  221 bye
*** closed by the server
"""


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL cluster of its own, which runs as an unprivileged user: it refuses root."""
    programs = _programs()
    folder = tmp_path_factory.mktemp("postgresql")
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        for each in (folder, *folder.parents[:2]):
            each.chmod(0o755)
        shutil.chown(folder, user)

    def run(program: str, *words: str) -> None:
        command = [str(programs / program), "--pgdata", str(folder / "data"), *words]
        subprocess.run(command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=60)

    address = free()
    run("initdb", "--username=mailproxy", "--auth=trust", "--no-sync")
    options = f"-p {address.port} -c listen_addresses={address.host} -c unix_socket_directories='' -c fsync=off"
    run("pg_ctl", "--log", str(folder / "log"), "--wait", "--options", options, "start")
    try:
        yield f"postgresql://mailproxy@{address}/postgres"
    finally:
        run("pg_ctl", "--mode=immediate", "stop")


def _programs() -> Path:
    found = shutil.which("initdb") or next(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), None)
    if not found:
        missing("initdb of PostgreSQL is not installed")
    return Path(found).resolve().parent


def test_what_is_kept_is_loaded_again(database_url: str) -> None:
    (recording,) = [complete(each, "x.talk", Terms()) for each in read(TALK)]
    engine = open_library(database_url)
    number = keep(engine, recording).id
    engine.dispose()
    (found,) = recordings(database_url, [str(number)])
    assert found.entries == recording.entries
    assert found.exchanges == recording.exchanges


def test_a_demonstration_is_recorded_shown_and_pruned(database_url: str) -> None:
    def mailproxy(*words: str) -> str:
        done = subprocess.run(
            [MAILPROXY, *words, "--db", database_url], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    numbers = [each["id"] for each in json.loads(mailproxy("demo", "--json"))["sessions"]]
    listed = json.loads(mailproxy("sessions", "--json", "--limit", "4"))["sessions"]
    assert sorted(each["id"] for each in listed) == sorted(numbers)
    assert "550 5.1.1" in mailproxy("show", "last-failed~1")
    assert [each["failed"] for each in json.loads(mailproxy("sessions", "--json", "--code", "550"))["sessions"]] == [
        True
    ]
    assert len(json.loads(mailproxy("sessions", "--json", "--text", "no such user"))["sessions"]) == 1
    assert make_room(database_url, None, 0).sessions >= len(numbers)
    assert json.loads(mailproxy("sessions", "--json"))["sessions"] == []
