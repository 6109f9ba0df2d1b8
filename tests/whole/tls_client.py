"""openssl s_client: says how a handshake went, as the client sees it."""

import re
from pathlib import Path
from typing import NamedTuple

from .client import run
from .loopback import Address
from .way import Layer, Way


class Shaken(NamedTuple):
    """What a handshake came to: the version, the cipher by its name in RFCs, and `OK` or what the certificate lacks."""

    version: str
    cipher: str
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
    return Shaken(told["Protocol version"], _in_rfcs(told["Ciphersuite"], home), verified)


def _in_rfcs(cipher: str, home: Path) -> str:
    """openssl has names of its own for what is older than TLS 1.3."""
    listed = run("openssl", "ciphers", "-stdname", "ALL", home=home).succeeded().decode()
    return next(line.split()[0] for line in listed.splitlines() if line.split()[2] == cipher)
