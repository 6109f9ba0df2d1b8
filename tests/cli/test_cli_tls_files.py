"""The files of TLS that `mailproxy record` is told to use: which of them cannot be is told before it listens."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tests.cli.command import Mailproxy

Told = Callable[..., str]
LEAF: Final = trustme.CA().issue_cert("client.example.org")
CERTIFICATE: Final = b"".join(each.bytes() for each in LEAF.cert_chain_pems)
KEY: Final = LEAF.private_key_pem.bytes()
STRANGER: Final = trustme.CA().issue_cert("stranger.example.org").private_key_pem.bytes()
PASS_PHRASE: Final = "sesame-open-5"
UNDER_PASS_PHRASE: Final = load_pem_private_key(KEY, None).private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASS_PHRASE.encode())
)
BROKEN: Final = CERTIFICATE.replace(b"\nMII", b"\n????")
HOLDS: Final = {
    "holds no certificate: name a file in PEM, with the certificate and its key": KEY,
    "holds no private key: put it into the same file, in PEM": CERTIFICATE,
    "its key is not that of its certificate: name a file in PEM": CERTIFICATE + STRANGER,
    "its key is under a pass phrase: take that off, as with openssl pkey": CERTIFICATE + UNDER_PASS_PHRASE,
    "it is broken: name a file in PEM, with the certificate and its key": BROKEN + KEY,
}


@pytest.fixture
def told(mailproxy: Mailproxy, tmp_path: Path) -> Told:
    """Runs `mailproxy record`, which is to end at once."""

    def run(*words: str) -> str:
        ran = mailproxy("record", "0=smtps://mail.example.org", "--db", str(tmp_path / "record.sqlite"), *words)
        assert ran.code == 2
        assert not (tmp_path / "record.sqlite").exists()
        return ran.failure

    return run


@pytest.mark.parametrize("why", HOLDS)
def test_a_client_certificate_that_is_none(why: str, told: Told, tmp_path: Path) -> None:
    path = tmp_path / "client.pem"
    path.write_bytes(HOLDS[why])
    said = told("--client-cert", str(path))
    assert said.startswith("Invalid value for --client-cert: ")
    assert f"{path}" in said
    assert why in said


@pytest.mark.parametrize("option", ["--client-cert", "--trust"])
def test_a_file_that_is_not_there(option: str, told: Told, tmp_path: Path) -> None:
    path = tmp_path / "nothing.pem"
    assert told(option, str(path)) == (
        f"Invalid value for {option}: {path}: No such file or directory (see mailproxy record --help)"
    )


def test_roots_that_are_none(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "roots.pem"
    path.write_text("no certificate\n")
    assert f"Invalid value for --trust: {path} holds no certificate: name a file in PEM or DER" in told(
        "--trust", str(path)
    )


def test_a_key_log_that_cannot_be_written(told: Told, tmp_path: Path) -> None:
    assert f"Invalid value for --keylog: {tmp_path}: " in told("--keylog", str(tmp_path))
    path = tmp_path / "nowhere" / "keys.txt"
    assert f"Invalid value for --keylog: {path}: No such file or directory" in told("--keylog", str(path))


def test_the_settings_file_names_them_too(told: Told, tmp_path: Path) -> None:
    settings = tmp_path / "mailproxy.toml"
    settings.write_text('client_cert = "nothing.pem"\n')
    assert "--client-cert: nothing.pem: No such file or directory" in told("--config", str(settings))


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root reads all, Windows has other ways")
def test_a_file_that_may_not_be_read(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "client.pem"
    path.write_bytes(CERTIFICATE + KEY)
    path.chmod(0)
    assert "Permission denied" in told("--client-cert", str(path))
