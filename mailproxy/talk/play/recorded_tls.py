"""How the connection with a recorded server came about, and TLS on it: from what is known of its leg, else from the
notes of a transcript."""

import re
from collections.abc import Iterable
from typing import Final

from mailproxy.model.octets import Frame, Kind, Mark, Note, Side
from mailproxy.model.session import Recording
from mailproxy.model.tls import Fault, TlsFacts
from mailproxy.protocols.outcome import DISTRUST
from mailproxy.talk.relay import TROUBLE
from mailproxy.talk.stand_in import Absent
from mailproxy.talk.ways import Insecure
from mailproxy.wire.hello import ALERTS

_AGREED: Final = re.compile(r"TLS with the server: ([^,]*), ([^,]*)")
_CHOSEN: Final = re.compile(
    r"TLS\b(?! with the client).*?\b(TLSv1(?:\.[0-3])?)[^A-Za-z0-9]+((?:TLS_)?[A-Z0-9]+[_-][A-Z0-9_-]+)"
)
_FAILED: Final = re.compile(r"TLS failed with the server: (.*)|TLS failed: (alert \S+ from the server.*)", re.S)
_ALERT: Final = re.compile(r"alert (\w+) from the server")
_IN_CLEAR: Final = "it speaks in clear"
_NUMBERS: Final = {name: number for number, name in ALERTS.items()}
_BY_BRIDGE: Final = ("it offers no ", "it refuses ", "it was not asked", "it says too much")


def absent(recording: Recording) -> Absent | None:
    """How no connection with the server came about; None where one did."""
    for note in _notes(recording, Mark.TROUBLE):
        for how, words in TROUBLE.items():
            if note.text.lower().startswith(words):
                return Absent(how, note.text[len(words) :].lstrip(": "))
    server = recording.session.server
    if server.ending and server.connected is None and server.ending.how in TROUBLE and not _spoken(recording):
        return Absent(server.ending.how)
    return None


def secured(recording: Recording) -> TlsFacts | Insecure:
    """TLS with the server, as it was; with nothing in it where there was none."""
    facts = recording.session.server.tls
    known = [found for note in _notes(recording, Mark.FACT) if (found := _AGREED.match(note.text))]
    if not known and (why := _failure(recording)):
        return why
    if facts and (facts.version or facts.chain):
        return facts
    known = known or [found for note in _notes(recording, Mark.FACT) if (found := _CHOSEN.match(note.text))]
    faults = _faults(recording)
    return TlsFacts(
        version=known[0][1] if known else "",
        cipher=known[0][2] if known else "",
        checked=bool(faults),
        faults=faults,
        reason=", ".join(faults),
    )


def refused(recording: Recording) -> bool:
    """Whether mailproxy, told to be strict, ended the session for the server's certificate."""
    why = _failure(recording)
    agreed = any(_AGREED.match(note.text) for note in _notes(recording, Mark.FACT))
    return agreed and why is not None and why.reason.startswith(tuple(Fault))


def speaks_tls(recording: Recording) -> bool:
    """Whether the server is known to speak TLS."""
    facts = secured(recording)
    said = any(isinstance(entry, Frame) and entry.secure for entry in recording.entries)
    return said or (isinstance(facts, TlsFacts) and bool(facts.version))


def _failure(recording: Recording) -> Insecure | None:
    for note in _notes(recording, Mark.TROUBLE):
        if not (found := _FAILED.match(note.text)):
            continue
        reason = found[1] or found[2]
        if reason.startswith(_BY_BRIDGE):
            return None  # mailproxy's own wish for TLS, which came to no handshake
        alert = _ALERT.search(reason)
        clear = _in_clear(recording) if reason.startswith(_IN_CLEAR) else b""
        return Insecure(reason, _NUMBERS.get(alert[1]) if alert else None, Side.SERVER, clear)
    return None


def _faults(recording: Recording) -> tuple[Fault, ...]:
    told = [note.text.removeprefix(DISTRUST) for note in _notes(recording, Mark.FACT) if note.text.startswith(DISTRUST)]
    return tuple(fault for fault in Fault if told and fault in told[0])


def _in_clear(recording: Recording) -> bytes:
    said = (entry for entry in recording.entries if isinstance(entry, Frame) and entry.side is Side.SERVER)
    return b"".join(frame.octets for frame in said if frame.kind is not Kind.TELNET and not frame.secure)


def _spoken(recording: Recording) -> bool:
    return any(isinstance(entry, Frame) and entry.side is Side.SERVER for entry in recording.entries)


def _notes(recording: Recording, mark: Mark) -> Iterable[Note]:
    return (entry for entry in recording.entries if isinstance(entry, Note) and entry.mark is mark)
