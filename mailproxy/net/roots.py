"""The certificates that this machine trusts, and those of files."""

import base64
import os
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PEM: Final = re.compile(rb"-----BEGIN (?:X509 )?CERTIFICATE-----([^-]+)-----END (?:X509 )?CERTIFICATE-----")
ELSEWHERE: Final = (
    Path("/etc/ssl/cert.pem"),
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/ca-bundle.pem"),
)
"""Where systems keep them, asked only where Python's own paths lead nowhere."""


class TrustError(Exception):
    """A file of certificates that cannot be used; the message is one line and names the file."""


def of_file(path: Path) -> list[bytes]:
    """The certificates of a file in PEM, or the one of a file in DER, as DER. Raises TrustError."""
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise TrustError(f"{path}: {error.strerror}") from error
    found = list(_certificates(octets))
    if not found and octets.startswith(b"0"):
        return [octets]
    if not found:
        raise TrustError(f"{path} holds no certificate: name a file in PEM or DER")
    return found


def of_system() -> list[bytes]:
    """What Python trusts here: a file of it, and on Windows the system's own store. Broken files are left out."""
    context = ssl.create_default_context()
    found = dict.fromkeys(context.get_ca_certs(binary_form=True))
    paths = ssl.get_default_verify_paths()
    found |= dict.fromkeys(_quietly(Path(paths.cafile)) if paths.cafile else ())
    if not found and not folders():
        for path in ELSEWHERE:
            found |= dict.fromkeys(_quietly(path))
    return list(found)


def folders() -> list[str]:
    """Directories of certificates that are named by their subject's hash, as `openssl rehash` makes them."""
    paths = ssl.get_default_verify_paths()
    named = os.environ.get(paths.openssl_capath_env) or paths.openssl_capath
    return [folder for folder in named.split(os.pathsep) if Path(folder).is_dir()]


def _quietly(path: Path) -> list[bytes]:
    try:
        return of_file(path)
    except TrustError:
        return []


def _certificates(octets: bytes) -> Iterator[bytes]:
    for found in _PEM.findall(octets):
        try:
            yield base64.b64decode(found)
        except ValueError:
            continue
