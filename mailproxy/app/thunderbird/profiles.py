"""Thunderbird's profiles: where they are, and which one is meant."""

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from mailproxy.app.thunderbird.error import ThunderbirdError

PREFS: Final = "prefs.js"
_LINUX: Final = (
    ".thunderbird",
    "snap/thunderbird/common/.thunderbird",
    ".var/app/org.mozilla.Thunderbird/.thunderbird",
)


class Profile(NamedTuple):
    """A profile: its name, its directory, and whether Thunderbird opens it when it is asked for none."""

    name: str
    path: Path
    default: bool


def roots(platform: str, home: Path, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The directories that may hold a `profiles.ini`, of a platform as `sys.platform` names it."""
    match platform:
        case "darwin":
            return (home / "Library" / "Thunderbird",)
        case "win32":
            return (Path(environment.get("APPDATA") or home / "AppData" / "Roaming") / "Thunderbird",)
        case _:  # Debian's and Mozilla's own, Ubuntu's snap, flatpak
            return tuple(home / each for each in _LINUX)


def own_roots() -> tuple[Path, ...]:
    """The directories of this machine and user."""
    return roots(sys.platform, Path.home(), os.environ)


def profiles(places: tuple[Path, ...] | None = None) -> list[Profile]:
    """The profiles that have been used, of these directories or the user's. Raises ThunderbirdError."""
    return [profile for root in places or own_roots() for profile in _listed(root) if (profile.path / PREFS).is_file()]


def choose(named: str | None = None, places: tuple[Path, ...] | None = None) -> Path:
    """The directory of the profile that is meant: by its path, by its name, or the default one.

    Raises ThunderbirdError where there is none, or several and none is the default.
    """
    if named and (Path(named) / PREFS).is_file():
        return Path(named)
    found = profiles(places)
    if named:
        wanted = [profile for profile in found if named in (profile.name, profile.path.name)]
    else:
        wanted = [profile for profile in found if profile.default] or found
    match wanted:
        case [profile]:
            return profile.path
        case []:
            raise ThunderbirdError(_none(named, found))
    several = ", ".join(str(profile.path) for profile in wanted)
    raise ThunderbirdError(f"there are several profiles, say which with --profile: {several}")


def _none(named: str | None, found: list[Profile]) -> str:
    if named and Path(named).is_dir():
        return f"{named} has no {PREFS}: open Thunderbird with this profile once"
    if named:
        known = ", ".join(profile.name for profile in found)
        return f"no profile {named!r}: give a directory{f' or one of {known}' if known else ' that holds prefs.js'}"
    return "no Thunderbird profile here: open Thunderbird once, or give its directory with --profile"


def _listed(root: Path) -> Iterator[Profile]:
    """The profiles of one directory. A default of an installation counts before the old mark of a profile."""
    ini, other = _ini(root / "profiles.ini"), _ini(root / "installs.ini")
    sections = [ini[name] for name in ini.sections() if name.startswith("Profile") and "Path" in ini[name]]
    installs = [ini[name] for name in ini.sections() if name.startswith("Install")]
    installs += [other[name] for name in other.sections()]
    opened = {section["Default"] for section in installs if "Default" in section}
    for section in sections:
        path = section["Path"]
        default = path in opened if opened else section.get("Default") == "1"
        place = root / path if section.get("IsRelative", "1") == "1" else Path(path)
        yield Profile(section.get("Name", place.name), place, default)


def _ini(path: Path) -> configparser.ConfigParser:
    ini = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",), comment_prefixes=(";", "#"))
    try:
        ini.read_string(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ThunderbirdError(f"{path}: {error.strerror}; give the profile's directory with --profile") from error
    except (configparser.Error, UnicodeDecodeError) as error:
        raise ThunderbirdError(f"{path} cannot be read: give the profile's directory with --profile") from error
    return ini
