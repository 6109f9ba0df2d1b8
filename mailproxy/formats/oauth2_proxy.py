"""The debug log of Email OAuth 2.0 Proxy: `SMTP (localhost:1587) --> b'EHLO x\\r\\n'`, `<--` for what the server said.

What is told is the session of the mail program with that proxy. Lines further right are those between that proxy and
the server, which differ up to the login; of these only TLS is told, and the login's.
"""

import ast
import re
from typing import Final

from mailproxy.formats import hidden
from mailproxy.formats.conversation import Conversation
from mailproxy.formats.several import Several
from mailproxy.formats.timed import count, timed
from mailproxy.model.octets import Mark, Side
from mailproxy.model.session import Recording

_LINE: Final = re.compile(r"(SMTP|POP|IMAP) \(([^;()]*)(?:; [^()]*)?\)( +)(?:(-->|<--|<->) )?(.*)")
_SIGN: Final = re.compile(r"(?:SMTP|POP|IMAP) \([^()]*\) +(?:-->|<--|<->) (?:b['\"]|\[)")
_SERVER: Final = re.compile(r"\[?([\w.:-]+?)\]?:([0-9]{1,5})$")
_TLS: Final = re.compile(r"\[ (TLSv[0-9.]+) handshake complete \]")
_REMOVED: Final = re.compile(r"\[\[ .{1,80}? \]\]")


def recognise(text: str) -> bool:
    """Whether it is a log of that proxy's."""
    return count(text, _SIGN) > 0


def read(text: str, source: str = "") -> list[Recording]:
    """The sessions of SMTP and POP3. Raises FormatError where there is none."""
    reading = Several(source)
    before = ""
    for moment, line in timed(text):
        repeated, before = line == before and moment is None, line
        found = _LINE.fullmatch(line)
        if repeated or not found or found[1] == "IMAP":
            continue  # it prints each line twice where it has no screen
        talk = reading.of(f"{found[1]} {found[2]}", "smtp" if found[1] == "SMTP" else "pop3")
        talk.clock(moment)
        if found[4] == "<->" or not found[4]:
            _happened(talk, found[5])
        elif found[5].startswith("["):
            _connection(talk, found[5], found[2])
        elif len(found[3]) > 1:
            _beyond(talk, found[5])
        else:
            _said(talk, Side.CLIENT if found[4] == "-->" else Side.SERVER, found[5])
    return reading.recordings()


def _octets(text: str) -> bytes:
    """The octets that Python shows so; none where it is no such text."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return b""
    return found if isinstance(found, bytes) else b""


def _said(talk: Conversation, side: Side, text: str) -> None:
    octets = _octets(text)
    if not octets:
        talk.paste.odd(text)
    for line in octets.decode("utf-8", "surrogateescape").splitlines(keepends=True):
        if not line.endswith("\r\n"):
            talk.paste.said(side, line.encode("utf-8", "surrogateescape"))
        elif side is Side.CLIENT:
            talk.client(_REMOVED.sub(hidden.HIDDEN, line[:-2]))
        else:
            talk.server(line[:-2])


def _beyond(talk: Conversation, text: str) -> None:
    """What the proxy says to the server in place of the client: how it logs in, without what with."""
    said = _octets(text)
    if said.upper().startswith(b"AUTH"):
        talk.paste.note(
            Mark.COMMENT, "the server is asked in its place: " + b" ".join(said.split()[:2]).decode("ascii", "replace")
        )


def _connection(talk: Conversation, what: str, where: str) -> None:
    match what.strip("[] "):
        case "Client connected":
            server = _SERVER.search(where.rpartition("}-")[2])
            talk.connected(server[1] if server else "", port=int(server[2]) if server else 0)
        case "Client disconnected":
            talk.paste.note(Mark.COMMENT, "the client has disconnected")
        case "Server disconnected":
            talk.paste.note(Mark.COMMENT, "the server has disconnected")
        case other:
            talk.told(other)


def _happened(talk: Conversation, what: str) -> None:
    if found := _TLS.search(what):
        talk.paste.note(Mark.FACT, f"TLS with the server: {found[1]}")
    elif "aught" in what:
        talk.told(what)
