"""Who and what is named in a session, and which lines of it may be parts of messages."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.app.report.names import Names
from mailproxy.app.take_out import lines
from mailproxy.model.line import Line
from mailproxy.model.octets import Side
from mailproxy.model.session import Recording

_VERBS: Final = """
EHLO HELO LHLO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP ETRN STARTTLS AUTH XCLIENT XFORWARD
USER PASS APOP STAT LIST RETR DELE TOP UIDL CAPA STLS UTF8 LANG LAST RPOP READ FOLD ACKS ACKD NACK
"""
_COMMANDS: Final = frozenset(_VERBS.split())
_REPLY: Final = re.compile(
    r"[2-5][0-9]{2}(?:[ -].*)?|(?:\+OK|-ERR|\+|[=#-][0-9]*)(?: .*)?|[0-9]+ [!-~]+|\.|[A-Z][A-Z0-9-]*(?: [A-Z0-9-]+)*"
)
_LISTED: Final = re.compile(r"[0-9]+ (?=[!-~]*[^0-9 ])([!-~]+)|\+OK [0-9]+ (?=[!-~]*[0-9])(?=[0-9]*[!-/:-~])([!-~]+)")
_CODED: Final = re.compile(r"[2-5][0-9]{2}[ -]")
_FOLDED: Final = re.compile(r"\(message, .*\)")
_MARKED: Final = re.compile(r"<secret: [^<>]*>\\?(?:[nr])?")
_USER: Final = re.compile(r"<secret: [\w-]+, user ([^,<>]+)[,>]")
_NAMING: Final = frozenset({"USER", "APOP", "VRFY", "EXPN", "RPOP", "FOLD"})
_PATH: Final = re.compile(r"<([^<>@\s]+)@")
_ROLES: Final = frozenset({"admin", "info", "office", "postmaster", "root", "server", "support", "test", "user"})
_SINGLE: Final = re.compile(r"[\w-]+")
_TEXT: Final = 4  # letters of a line that a peer may repeat


def names_of(recording: Recording) -> Names:
    """The names of a session, those first that no form shows."""
    said = list(lines(recording, fold=True))
    texts = (line.text for line in said if _is_unread(line) and len(line.text) >= _TEXT)
    names = Names(_users(recording, said), _machines(recording), texts)
    for leg in (recording.session.client, recording.session.server):
        for text in (leg.host, leg.address):
            names.hidden(text)
    for line in said:
        unread(line, names, recording.session.protocol)
    return names


def unread(line: Line, names: Names, protocol: str) -> Line:
    """A line of the transcript without names, and without what may be a part of a message."""
    if _is_unread(line):
        return line._replace(text=f"(a line of {len(line.text)} characters)")
    form = _LISTED if protocol == "pop3" else _CODED
    found = form.match(line.text) if line.side is Side.SERVER else None
    if found and form is _LISTED and found.end() == len(line.text):  # RFC 1939 section 7, UIDL
        at = found.start(found.lastindex or 0)
        return line._replace(text=line.text[:at] + names.number(line.text[at:]))
    start = found.end() if found and form is _CODED else 0
    return line._replace(text=line.text[:start] + names.hidden(line.text[start:]))


def _is_unread(line: Line) -> bool:
    if line.side is None or not line.text or not re.match(r" ?[-~<]", line.mark):
        return False
    if _FOLDED.fullmatch(line.text) or _MARKED.fullmatch(line.text) or line.text in {"*", "."}:
        return False
    if line.side is Side.CLIENT:
        return line.text.split(" ")[0].split("\\")[0].upper() not in _COMMANDS
    return _REPLY.fullmatch(line.text) is None


def _users(recording: Recording, said: list[Line]) -> Iterator[str]:
    named = [recording.session.user]
    named += [found[1] for line in said for found in _USER.finditer(line.text)]
    named += [each.argument.split(" ")[0] for each in recording.exchanges if each.verb in _NAMING]
    named += [found[1] for each in recording.exchanges for found in _PATH.finditer(each.argument)]
    for name in named:
        local = name.strip("<>").partition("@")[0]
        if local and "<" not in local and local.upper() not in _COMMANDS and local.lower() not in _ROLES:
            yield local


def _machines(recording: Recording) -> Iterator[str]:
    """Those that are called by one word: in settings, in EHLO, and in the greeting where EHLO's reply repeats it."""
    session = recording.session
    named = [session.client.host, session.server.host]
    greetings = set()
    for each in recording.exchanges:
        first = each.reply.text.split("\n")[0].split(" ")[0] if each.reply else ""
        if not each.verb:
            greetings.add(first)
        elif each.verb in {"EHLO", "HELO", "LHLO"}:
            named += [each.argument.strip(), *({first} & greetings)]
    for name in named:
        if _SINGLE.fullmatch(name) and name.lower() != "localhost" and not name.isdigit():
            yield name
