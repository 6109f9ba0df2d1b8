"""The mail programs that can be told what to enter."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mailproxy.app.setup import menus, snippets
from mailproxy.app.setup.table import Entry, Ways

Lines = Callable[[Sequence[Entry]], list[str]]


@dataclass(frozen=True, slots=True)
class Program:
    """A mail program: its title, what to enter, and whether these are lines of a file."""

    title: str
    lines: Lines
    file: str = ""


PROGRAMS: Final[Mapping[str, Program]] = {
    "thunderbird": Program("Thunderbird", menus.thunderbird),
    "outlook": Program("Outlook (classic)", menus.outlook),
    "apple-mail": Program("Apple Mail", menus.apple_mail),
    "k9": Program("K-9 Mail and Thunderbird for Android", menus.android),
    "mutt": Program("mutt", snippets.mutt, "muttrc"),
    "msmtp": Program("msmtp", snippets.msmtp, "msmtprc"),
    "mpop": Program("mpop", snippets.mpop, "mpoprc"),
    "fetchmail": Program("fetchmail", snippets.fetchmail, "fetchmailrc"),
    "getmail": Program("getmail", snippets.getmail, "getmailrc"),
}


@dataclass(frozen=True, slots=True)
class Advice:
    """What to enter in one program, in lines: in clear, and secured as before."""

    title: str
    file: str
    simple: tuple[str, ...]
    faithful: tuple[str, ...]


def advice(name: str, ways: Ways) -> Advice:
    """What to enter in a program; raises KeyError where it is not known."""
    program = PROGRAMS[name]
    faithful = program.lines(ways.faithful) if ways.faithful else []
    if faithful:
        faithful = [_trust(name, program), *faithful]
    return Advice(program.title, program.file, tuple(program.lines(ways.simple)), tuple(faithful))


def _trust(name: str, program: Program) -> str:
    """How the program comes to trust mailproxy's certificates."""
    if program.file:
        return f"# once: mailproxy ca export --format pem {shlex.quote(str(snippets.authority()))}"
    if name == "thunderbird":
        return "Once, while Thunderbird is closed: mailproxy ca install --thunderbird PROFILE"
    if name == "k9":
        return "The program asks about mailproxy's certificate: accept it, or see mailproxy ca install"
    return "Once: mailproxy ca install, which tells how the program comes to trust mailproxy"
