"""JA4, the fingerprint of a ClientHello that FoxIO has published: what program it is, whatever it calls itself.

`t13d1516h2_8daaf6152771_e5627efa2ab1` is TLS over TCP, 1.3 at best, with a server name (`i` without), 15 ciphers, 16
extensions, and ALPN `h2`; then hashes of the ciphers, and of the extensions with the signature algorithms.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

_VERSIONS: Final = {0x0002: "s2", 0x0300: "s3", 0x0301: "10", 0x0302: "11", 0x0303: "12", 0x0304: "13"}
_SERVER_NAME, _ALPN = 0, 16


def ja4(
    versions: Iterable[int], ciphers: Sequence[int], extensions: Sequence[int], signatures: Sequence[int], alpn: bytes
) -> str:
    """The fingerprint of a hello with these numbers, GREASE left out; `alpn` is the first protocol it offers."""
    version = _VERSIONS.get(max(versions, default=0), "00")
    name = "d" if _SERVER_NAME in extensions else "i"
    others = (number for number in extensions if number not in (_SERVER_NAME, _ALPN))
    signed = f"_{_hex(signatures)}" if signatures else ""
    return "_".join(
        (
            f"t{version}{name}{_count(ciphers)}{_count(extensions)}{_ends(alpn)}",
            _hash(_hex(sorted(ciphers))),
            _hash(_hex(sorted(others)) + signed),
        )
    )


def _count(numbers: Sequence[int]) -> str:
    return f"{min(len(numbers), 99):02}"


def _ends(alpn: bytes) -> str:
    """The first and the last character of a protocol's name, in hex where one of them is none."""
    if not alpn:
        return "00"
    ends = alpn[:1] + alpn[-1:]
    return ends.decode() if ends.isalnum() else f"{ends[0]:02x}"[0] + f"{ends[1]:02x}"[1]


def _hex(numbers: Iterable[int]) -> str:
    return ",".join(f"{number:04x}" for number in numbers)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12] if text else "0" * 12
