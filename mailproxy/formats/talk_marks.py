"""The marks of a transcript, and the lines that count octets instead of showing them."""

import re
from typing import Final, NamedTuple

from mailproxy.formats.talk_octets import FOLDED
from mailproxy.model.escape import escape, unescape
from mailproxy.model.line import Line
from mailproxy.model.octets import Frame, Kind, Mark, Origin, Side


class Voice(NamedTuple):
    """Who speaks, and whether under TLS."""

    side: Side
    secure: bool


SPOKEN: Final = {
    Voice(Side.CLIENT, False): " -> ",
    Voice(Side.SERVER, False): "<-  ",
    Voice(Side.CLIENT, True): " ~> ",
    Voice(Side.SERVER, True): "<~  ",
}
NOTED: Final = {Mark.FACT: "=== ", Mark.TROUBLE: "*** ", Mark.GAP: "... ", Mark.COMMENT: "# "}
COLUMNS: Final = 4
"""How many columns a mark takes."""
HEADER: Final = re.compile(r"([a-z][a-z0-9]*)(?: +([0-9]{1,5}))?")

# swaks marks what it takes for a refusal.
_REFUSED: Final = {"<** ": Voice(Side.SERVER, False), "<~* ": Voice(Side.SERVER, True)}
_VOICES: Final = _REFUSED | {mark: voice for voice, mark in SPOKEN.items()}
_MEANING: Final = _VOICES | {text: mark for mark, text in NOTED.items()}
_LEFT_OUT = re.compile(r"([0-9]{1,15}) octets? of the (client|server) left out")
_OPAQUE = re.compile(r"([0-9]{1,15}) octets? of the (client|server), not in clear")
_TELNET = re.compile(r"telnet (from|to) the (client|server): (.*)")


def split(line: str) -> tuple[Voice | Mark, str] | None:
    """The meaning of the mark that a line begins with and the text behind it; None where it has no mark."""
    if line.startswith("#"):
        return Mark.COMMENT, line[1:].removeprefix(" ")
    # Editors drop blanks at line ends, so a mark alone may be short of its four columns.
    meaning = _MEANING.get(line[:COLUMNS].ljust(COLUMNS))
    return (meaning, line[COLUMNS:]) if meaning else None


def speaks(column: str) -> Voice | None:
    """Who speaks in lines that begin with `column`, which a mark ends; None where nobody does."""
    return _VOICES.get(column[-COLUMNS:])


def octets(number: int) -> str:
    """So many octets, in words."""
    return f"{number} octet{'s' * (number != 1)}"


def left_out(side: Side, number: int, at: int) -> Line:
    """The line for content that was not kept."""
    return Line("... ", f"{octets(number)} of the {side} left out", at, side)


def opaque(side: Side, number: int, at: int) -> Line:
    """The line for ciphertext."""
    return Line("=== ", f"{octets(number)} of the {side}, not in clear", at, side)


def telnet(frame: Frame) -> Line:
    """The line for a telnet command; one of the proxy is told by whom it was meant for."""
    way = f"from the {frame.side}" if frame.origin is Origin.PEER else f"to the {frame.side.other}"
    return Line("=== ", f"telnet {way}: {escape(frame.octets)}", frame.at, frame.side)


def noted_frame(mark: Mark, text: str) -> Frame | None:
    """The frame that a line of the three above stands for; None for any other. Its place and time are 0."""
    if mark is Mark.GAP and (found := _LEFT_OUT.fullmatch(text)):
        return _counted(Side(found[2]), int(found[1]), Kind.OMITTED)
    if mark is Mark.FACT and (found := _OPAQUE.fullmatch(text)):
        return _counted(Side(found[2]), int(found[1]), Kind.OPAQUE)
    if mark is Mark.FACT and (found := _TELNET.fullmatch(text)):
        side, command = Side(found[2]), unescape(found[3])
        if found[1] == "from":
            return Frame(side, command, 0, 0, len(command), Kind.TELNET)
        return Frame(side.other, command, 0, 0, len(command), Kind.TELNET, Origin.PROXY)
    return None


def folded_frame(voice: Voice, text: str) -> Frame | None:
    """The frame for a message that a screen folded to one line: octets that are not here."""
    found = FOLDED.fullmatch(text)
    return _counted(voice.side, int(found[1]), Kind.OMITTED)._replace(secure=voice.secure) if found else None


def _counted(side: Side, number: int, kind: Kind) -> Frame:
    return Frame(side, b"", 0, 0, number, kind)
