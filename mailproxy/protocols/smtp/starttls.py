"""STARTTLS (RFC 3207) as a proxy sees it: offered among the lines of an answer to EHLO (RFC 5321 section 4.1.1.1)."""

import ipaddress
import re
from collections.abc import Callable
from typing import Final

from mailproxy.protocols.upgrade import Upgrading

REPLY: Final = re.compile(rb"250(?:-[^\n]*\n250)*(?: [^\n]*|\r)?\n")
LINE: Final = re.compile(rb"[^\n]*\n")
OFFER: Final = re.compile(rb"250[- ]STARTTLS(?:[ \t][^\n]*)?\r?\n", re.I)


def hide(octets: bytes) -> bytes:
    """Without the line that offers STARTTLS."""
    reply, rest = _split(octets)
    kept = [line for at, line in enumerate(reply) if at == 0 or not OFFER.fullmatch(line)]
    return _join(kept) + rest


def offer(octets: bytes) -> bytes:
    """With a line that offers STARTTLS, behind all others. The first line is the server's name and offers nothing."""
    reply, rest = _split(octets)
    if not reply or any(map(OFFER.fullmatch, reply[1:])):
        return octets
    return _join([*reply, b"250 STARTTLS\r\n"]) + rest


def upgrading(ehlo: str) -> Upgrading:
    """How SMTP, or LMTP with its LHLO, goes over to TLS."""
    return Upgrading(
        "STARTTLS", b"220 2.0.0 Ready to start TLS\r\n", frozenset({"EHLO", "LHLO"}), _hello(ehlo), hide, offer
    )


def _hello(verb: str) -> Callable[[str], bytes]:
    return lambda name: f"{verb} {_literal(name)}\r\n".encode()


def _literal(name: str) -> str:
    """An address stands in brackets (RFC 5321 section 4.1.3)."""
    try:
        version = ipaddress.ip_address(name).version
    except ValueError:
        return name
    return f"[{name}]" if version == 4 else f"[IPv6:{name}]"


def _split(octets: bytes) -> tuple[list[bytes], bytes]:
    found = REPLY.match(octets)
    if not found:
        return [], octets
    return LINE.findall(found[0]), octets[found.end() :]


def _join(lines: list[bytes]) -> bytes:
    """The lines of one reply: all but the last say that more follows. A last line may be the bare code."""
    return b"".join([*(_code(line, b"-") for line in lines[:-1]), *(_code(line, b" ") for line in lines[-1:])])


def _code(line: bytes, sign: bytes) -> bytes:
    bare = line[3:4] not in {b" ", b"-"}
    return line if bare and sign == b" " else line[:3] + sign + line[4 - bare :]
