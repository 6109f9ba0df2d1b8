"""openssl s_client: says how a handshake went, as the client sees it."""

import re
from pathlib import Path
from typing import NamedTuple

from .client import run
from .loopback import Address
from .way import Layer, Way


class Shaken(NamedTuple):
    """What a handshake came to: the version, the cipher, the subject of the certificate, and `OK` or why not."""

    version: str
    cipher: str
    subject: str
    verification: str


def shake(protocol: str, at: Address, way: Way, home: Path, *options: str) -> Shaken:
    """Connect, agree on TLS, check the certificate and its name, and say QUIT. Raises AssertionError."""
    assert way.root, "without roots there is nothing to check"
    ran = run(
        *("openssl", "s_client", "-connect", str(at), "-brief"),
        *(("-starttls", protocol) if way.layer is Layer.STARTTLS else ()),
        *("-servername", at.host, "-verify_hostname", at.host, "-CAfile", str(way.root), *options),
        given=b"quit\n",  # in upper case it would be a command for openssl
        home=home,
    )
    told: dict[str, str] = dict(re.findall(r"^([\w ]+): (.*)$", ran.errors, re.MULTILINE))
    assert "CONNECTION ESTABLISHED" in ran.errors, ran.errors
    verified = told.get("Verification") or told.get("Verification error", "nothing was verified")
    return Shaken(told["Protocol version"], told["Ciphersuite"], told["Peer certificate"], verified)
