"""Profiles: where they are, which one is meant, and whether Thunderbird runs with it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mailproxy.app.thunderbird.error import ThunderbirdError
from mailproxy.app.thunderbird.profiles import choose, profiles, roots
from mailproxy.app.thunderbird.running import closed
from tests.app.thunderbird_profile import profile

NEW = """
[Profile1]
Name=default
IsRelative=1
Path=1.default
Default=1

[InstallFDC34C9F024745EB]
Default=0.default-release
Locked=1

[Profile0]
Name=100% mine
IsRelative=1
Path=0.default-release

[General]
StartWithLastProfile=1
Version=2
"""
OLD = NEW.replace("[InstallFDC34C9F024745EB]\nDefault=0.default-release\nLocked=1\n", "")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory with two profiles."""
    for name in ("0.default-release", "1.default"):
        profile(tmp_path / name)
    return tmp_path


def test_where_profiles_are() -> None:
    home = Path("home")
    assert roots("linux", home, {}) == (
        home / ".thunderbird",
        home / "snap/thunderbird/common/.thunderbird",
        home / ".var/app/org.mozilla.Thunderbird/.thunderbird",
    )
    assert roots("darwin", home, {}) == (home / "Library/Thunderbird",)
    assert roots("win32", home, {"APPDATA": "roaming"}) == (Path("roaming/Thunderbird"),)
    assert roots("win32", home, {}) == (home / "AppData/Roaming/Thunderbird",)


@pytest.mark.parametrize(
    ("ini", "installs", "name"),
    [
        (NEW, "", "0.default-release"),
        ("\ufeff" + NEW, "", "0.default-release"),
        (OLD, "", "1.default"),
        (OLD, "[FDC34C9F024745EB]\nDefault=0.default-release\n", "0.default-release"),
    ],
)
def test_the_one_that_thunderbird_opens_is_meant(root: Path, ini: str, installs: str, name: str) -> None:
    (root / "profiles.ini").write_text(ini)
    (root / "installs.ini").write_text(installs)
    assert choose(None, (root, root / "nothing")) == root / name


def test_one_that_was_never_used_is_not_meant(root: Path) -> None:
    (root / "profiles.ini").write_text(OLD)
    (root / "1.default" / "prefs.js").unlink()
    assert [each.name for each in profiles((root,))] == ["100% mine"]
    assert choose(None, (root,)) == root / "0.default-release"


def test_by_name_and_by_path(root: Path, tmp_path: Path) -> None:
    (root / "profiles.ini").write_text(OLD.replace("IsRelative=1\nPath=1", f"IsRelative=0\nPath={root / '1'}"))
    assert choose("100% mine", (root,)) == root / "0.default-release"
    assert choose("1.default", (root,)) == root / "1.default"
    assert choose(str(root / "1.default"), ()) == root / "1.default"


@pytest.mark.parametrize(
    ("ini", "named", "told"),
    [
        (
            OLD.replace("Default=1\n", ""),
            None,
            "say which with --profile: {0}/1.default, {0}/0.default-release",
        ),
        ("", None, "no Thunderbird profile here: open Thunderbird once, or give its directory with --profile"),
        (OLD, "work", "no profile 'work': give a directory or one of default, 100% mine"),
        ("", "work", "no profile 'work': give a directory that holds prefs.js"),
        (OLD, "{0}", "{0} has no prefs.js: open Thunderbird with this profile once"),
        ("Name=x", None, "{0}/profiles.ini cannot be read: give the profile's directory with --profile"),
    ],
)
def test_which_one_cannot_be_told(root: Path, ini: str, named: str | None, told: str) -> None:
    (root / "profiles.ini").write_text(ini)
    with pytest.raises(ThunderbirdError, match=re.escape(told.format(root))):
        choose(named and named.format(root), (root,))


HOLD = """
import fcntl, sys
file = open(sys.argv[1], "r+b")
fcntl.lockf(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a running program's file from being opened")
def test_the_lock_of_a_running_thunderbird_is_seen(root: Path) -> None:
    used = root / "1.default"
    words = [sys.executable, "-c", HOLD, str(used / ".parentlock")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stdout.readline() == b"locked\n"
        with pytest.raises(ThunderbirdError, match="close it first"), closed(used):
            pass
        running.communicate()
    with closed(used):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such links")
def test_the_link_of_a_running_thunderbird_is_seen(root: Path) -> None:
    used = root / "1.default"
    (used / "lock").symlink_to(f"127.0.1.1:{os.getpid()}")
    with pytest.raises(ThunderbirdError, match="close it first"), closed(used):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such links")
@pytest.mark.parametrize("link", ["127.0.1.1:+{}", "127.0.1.1:999999999", "elsewhere"])
def test_the_link_of_one_that_has_crashed_counts_for_nothing(root: Path, link: str) -> None:
    used = root / "1.default"
    (used / "lock").symlink_to(link.format(os.getpid()))
    with closed(used):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps an open file from being opened")
def test_thunderbird_cannot_lock_it_meanwhile(root: Path) -> None:
    used = root / "1.default"
    with closed(used):
        words = [sys.executable, "-c", HOLD.replace("LOCK_EX", "LOCK_EX | fcntl.LOCK_NB"), str(used / ".parentlock")]
        ended = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True)
    assert b"BlockingIOError" in ended.stderr
