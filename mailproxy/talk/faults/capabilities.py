"""What a server says that it can do: lines of its answer to EHLO (RFC 5321 section 4.1.1.1) or CAPA (RFC 2449)."""

import re
from collections.abc import Callable
from typing import Final

from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults.fault import Sort, Stream, Unit, Where
from mailproxy.talk.faults.streams import Whole

LINE: Final = re.compile(rb"[^\n]*\n|[^\n]+")
Lines = Callable[[list[bytes]], list[bytes]]


def stream(unit: Unit, protocol: Protocol, change: Lines) -> Stream | None:
    """Changes the lines that name capabilities, if this unit holds them. They come without code and line end."""
    if protocol.upgrading is None or unit.verb not in protocol.upgrading.asks:
        return None
    match unit.sort:
        case Sort.REPLY:
            return Whole(lambda reply: _reply(reply, change))
        case Sort.LISTING:
            return Whole(lambda listing: _listing(listing, change))
        case _:
            return None


def unsuited(protocol: Protocol, where: Where) -> str:
    """Why nothing is offered there; empty where something is."""
    asks = protocol.upgrading.asks if protocol.upgrading else ()
    if where.verb and where.verb not in asks:
        return f"{where.verb} is not answered by capabilities: write at {' or at '.join(sorted(asks))}, or no place"
    return ""


def names(line: bytes, capability: bytes) -> bool:
    """Whether a line names this capability; `AUTH=LOGIN` is an old way of naming AUTH."""
    words = line.upper().replace(b"=", b" ").split()
    wanted = capability.upper().split()
    return words[: len(wanted)] == wanted


def _reply(reply: bytes, change: Lines) -> bytes:
    lines = LINE.findall(reply)
    if len(lines) < 1 or any(line[:3] != b"250" for line in lines):
        return reply
    said = [lines[0][4:].rstrip(b"\r\n"), *change([line[4:].rstrip(b"\r\n") for line in lines[1:]])]
    signs = [b"-"] * (len(said) - 1) + [b" "]
    changed = b"".join(b"250" + sign + text + b"\r\n" for sign, text in zip(signs, said, strict=True))
    return reply if said == [line[4:].rstrip(b"\r\n") for line in lines] else changed


def _listing(listing: bytes, change: Lines) -> bytes:
    lines = LINE.findall(listing)
    said = [line.rstrip(b"\r\n") for line in lines[:-1]]
    changed = change(said)
    return listing if changed == said else b"".join(text + b"\r\n" for text in changed) + lines[-1]
