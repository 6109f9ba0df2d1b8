"""Point a Thunderbird profile at mailproxy, and put it back."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from mailproxy.app.thunderbird import keep
from mailproxy.app.thunderbird.accounts import servers
from mailproxy.app.thunderbird.error import ThunderbirdError
from mailproxy.app.thunderbird.plan import Change, Plan, changed, same
from mailproxy.app.thunderbird.prefs import Prefs, Value
from mailproxy.app.thunderbird.profiles import PREFS
from mailproxy.app.thunderbird.running import closed

_OVER: Final = "user.js"
_BACK: Final = "mailproxy unpoint thunderbird"


class Pointed(NamedTuple):
    """What was changed in a profile, or would be, and what the user should know."""

    profile: Path
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]


class PutBack(NamedTuple):
    """What was put back in a profile, or would be.

    `whole` tells whether `prefs.js` is octet for octet what it was; else the changed preferences are, `left` apart:
    those belong to an account that is gone.
    """

    profile: Path
    changes: tuple[Change, ...]
    whole: bool
    left: tuple[str, ...] = ()


def point(profile: Path, how: str, plan: Callable[[Prefs], Plan], dry: bool = False) -> Pointed:
    """Change a profile as planned, with `prefs.js` kept as it is now; `how` is for the note. Dry changes nothing.

    Raises ThunderbirdError where Thunderbird runs with it, or it points at mailproxy already, and OSError.
    """
    with closed(profile):
        if keep.note(profile) or keep.backup(profile) is not None:
            raise ThunderbirdError(f"{profile} points at mailproxy already: {_BACK} puts it back first")
        prefs = _prefs(profile)
        if not servers(prefs):
            raise ThunderbirdError(f"{profile} has no account with POP3 or SMTP: make one in Thunderbird first")
        planned = plan(prefs)
        new = changed(prefs, planned.changes)
        if not dry and planned.changes:
            noted = keep.Note.of(how, planned.changes, prefs.octets, new.octets)
            keep.keep(profile, prefs.octets, noted)
            keep.replace(profile / PREFS, new.octets)
    return Pointed(profile, planned.changes, (*planned.warnings, *_overridden(profile, planned.changes)))


def unpoint(profile: Path, force_backup: bool = False, dry: bool = False) -> PutBack:
    """Put a profile back as it was before it was pointed at mailproxy.

    Where Thunderbird has written its preferences since, only those that were changed are put back, unless the backup
    is forced. Raises ThunderbirdError where Thunderbird runs with it, or nothing was pointed, and OSError.
    """
    with closed(profile):
        now, old = _prefs(profile), keep.backup(profile)
        new, left = (_forced(profile, old), ()) if force_backup else _put_back(profile, now, old)
        if not dry:
            if new.octets != now.octets:
                keep.replace(profile / PREFS, new.octets)
            keep.forget(profile)
    return PutBack(profile, _difference(now, new), new.octets == old, left)


def _prefs(profile: Path) -> Prefs:
    return Prefs.parse((profile / PREFS).read_bytes())


def _forced(profile: Path, old: bytes | None) -> Prefs:
    if old is None:
        raise ThunderbirdError(f"{profile} has no {keep.BACKUP}: there is nothing to put back")
    return Prefs.parse(old)


def _put_back(profile: Path, now: Prefs, old: bytes | None) -> tuple[Prefs, tuple[str, ...]]:
    """The preferences as they should be, and the names of those that are left alone."""
    note = keep.note(profile)
    if note is None:
        if old == now.octets:  # it was never changed: this was ended between the backup and the note
            return now, ()
        if old is not None:
            raise ThunderbirdError(f"{profile} has {keep.BACKUP} and no {keep.NOTE}: {_BACK} --force-backup uses it")
        raise ThunderbirdError(f"{profile} does not point at mailproxy: there is nothing to put back")
    if old is not None and keep.digest(old) == note.before and keep.digest(now.octets) in (note.before, note.after):
        return Prefs.parse(old), ()
    gone = tuple(change.name for change in note.changes if _gone(now, change.name))
    back = tuple(Change(each.name, each.new, each.old) for each in note.changes if each.name not in gone)
    return changed(now, back), gone


def _gone(now: Prefs, name: str) -> bool:
    """Whether a preference belongs to a server or an identity that Thunderbird has no more."""
    match name.split("."):
        case ["mail", "server" | "smtpserver" | "identity" as kind, key, *_]:
            return not any(statement.name.startswith(f"mail.{kind}.{key}.") for statement in now.statements)
    return False


def _difference(now: Prefs, new: Prefs) -> tuple[Change, ...]:
    """What differs between two files."""
    one, other = now.values(), new.values()
    named = sorted(one.keys() | other.keys())
    each = (Change(name, one.get(name), other.get(name)) for name in named)
    return tuple(change for change in each if not same(change.old, change.new))


def _overridden(profile: Path, changes: tuple[Change, ...]) -> tuple[str, ...]:
    """A warning where `user.js`, which Thunderbird reads after `prefs.js`, says otherwise."""
    try:
        over: dict[str, Value] = Prefs.parse((profile / _OVER).read_bytes()).values()
    except FileNotFoundError:
        return ()
    names = [change.name for change in changes if change.name in over and not same(over[change.name], change.new)]
    return (f"user.js overrides what was changed: take {', '.join(names)} out of it",) if names else ()
