"""A certificate that nobody trusts, good enough for opportunistic TLS."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from . import need


class Certificate(NamedTuple):
    """PEM files: the certificate and its private key."""

    chain: Path
    key: Path


def self_signed(folder: Path) -> Certificate:
    """A new one for mail.example.org, made by openssl."""
    made = Certificate(folder / "mail.pem", folder / "mail.key")
    command = [
        *(need.program("openssl"), "req", "-x509", "-subj", "/CN=mail.example.org", "-days", "2"),
        *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-out", str(made.chain), "-keyout", str(made.key)),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return made
