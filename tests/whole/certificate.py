"""The certificates of servers: one that clients may trust, and one for each thing that can be wrong."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import trustme

from . import need

# Every server is at one of these names. Dovecot tells its certificates apart by the address that is called.
ADDRESSES: Final = tuple(f"127.0.0.{number}" for number in range(1, 7))
NAMES: Final = ("mail.example.org", "localhost", *ADDRESSES, "::1")
ELSEWHERE: Final = "elsewhere.example.net"


class Certificate(NamedTuple):
    """PEM files: the certificate, with those that lead to its root, and its private key."""

    chain: Path
    key: Path


class Certificates(NamedTuple):
    """The root that clients are told to trust, what is good under it, and what is not."""

    root: Path
    good: Certificate
    expired: Certificate
    wrong_name: Certificate
    self_signed: Certificate
    unknown_issuer: Certificate

    @property
    def faulty(self) -> dict[str, Certificate]:
        """Those that a client must refuse, by what is wrong with them."""
        return {fault: getattr(self, fault) for fault in FAULTS}


FAULTS: Final = ("expired", "wrong_name", "self_signed", "unknown_issuer")


def make(folder: Path) -> Certificates:
    """New ones, each in files of its own. The good one has an intermediate issuer, as nearly all have.

    All have a common name too (RFC 6125 section 6.4.4), for without one fetchmail looks at no other name.
    """
    authority, stranger = trustme.CA(), trustme.CA(organization_name="Nobody's CA")
    root = folder / "root.pem"
    authority.cert_pem.write_to_path(root)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return Certificates(
        root=root,
        good=_kept(folder, "good", authority.create_child_ca().issue_cert(*NAMES, common_name=NAMES[0])),
        expired=_kept(folder, "expired", authority.issue_cert(*NAMES, common_name=NAMES[0], not_after=yesterday)),
        wrong_name=_kept(folder, "wrong_name", authority.issue_cert(ELSEWHERE, common_name=ELSEWHERE)),
        self_signed=_self_signed(folder),
        unknown_issuer=_kept(folder, "unknown_issuer", stranger.issue_cert(*NAMES, common_name=NAMES[0])),
    )


def _kept(folder: Path, name: str, made: trustme.LeafCert) -> Certificate:
    kept = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    kept.chain.write_bytes(b"".join(each.bytes() for each in made.cert_chain_pems))
    made.private_key_pem.write_to_path(kept.key)
    return kept


def _self_signed(folder: Path) -> Certificate:
    """What an administrator makes in a hurry, by openssl."""
    made = Certificate(folder / "self_signed.pem", folder / "self_signed.key")
    names = ",".join(f"{'IP' if ':' in name or name in ADDRESSES else 'DNS'}:{name}" for name in NAMES)
    command = [
        *(need.program("openssl"), "req", "-x509", "-subj", "/CN=mail.example.org", "-days", "2"),
        *("-addext", f"subjectAltName={names}"),
        *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-out", str(made.chain), "-keyout", str(made.key)),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return made
