"""The files of TLS that a user names, tried before anybody calls."""

import os
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mailproxy.net.trust import Trust, TrustError

_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----"
_KEY: Final = b"PRIVATE KEY-----"


class UnusableFile(Exception):
    """A file that cannot be used; the message is one line, names the file and says what to do."""


class _PassPhrase(Exception):
    """A key wants one, and nobody is there to type it."""


def roots(paths: Sequence[Path]) -> None:
    """Certificates to trust. Raises UnusableFile."""
    try:
        if paths:
            Trust(tuple(paths))
    except TrustError as error:
        raise UnusableFile(str(error)) from error


def keylog(path: Path) -> None:
    """Where the keys of sessions go: a new file is for its owner only. Raises UnusableFile."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    except OSError as error:
        raise UnusableFile(f"{path}: {error.strerror}") from error


def client_certificate(path: Path) -> None:
    """A certificate to show to servers, and its key, in PEM (RFC 7468). Raises UnusableFile."""
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise UnusableFile(f"{path}: {error.strerror}") from error
    if _CERTIFICATE not in octets:
        raise UnusableFile(f"{path} holds no certificate: name a file in PEM, with the certificate and its key")
    if _KEY not in octets:
        raise UnusableFile(f"{path} holds no private key: put it into the same file, in PEM")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(path, password=_pass_phrase)
    except _PassPhrase:
        message = f"{path}: its key is under a pass phrase: take that off, as with openssl pkey"
    except ssl.SSLError as error:
        wrong = "its key is not that of its certificate" if error.reason == "KEY_VALUES_MISMATCH" else "it is broken"
        message = f"{path}: {wrong}: name a file in PEM, with the certificate and its key"
    else:
        return
    raise UnusableFile(message)


def _pass_phrase() -> str:
    raise _PassPhrase
