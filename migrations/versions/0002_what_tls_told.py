"""What TLS told of a leg, and the certificates."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT, BLOB, BOOLEAN = sa.Text(), sa.LargeBinary(), sa.Boolean()
OF_LEGS = (
    ("tls_version", TEXT, "the version of TLS that was negotiated; null where there is no TLS"),
    ("tls_cipher", TEXT, "the cipher suite that was negotiated"),
    ("tls_group", TEXT, "the group of the key exchange: x25519"),
    ("tls_name", TEXT, "the server name that the ClientHello asks for"),
    ("tls_alpn", TEXT, "the protocol that was negotiated (ALPN)"),
    ("tls_offered", TEXT, "the versions that the ClientHello offers, parted by blanks"),
    ("tls_ciphers", TEXT, "the cipher suites that it offers, parted by blanks"),
    ("tls_offered_alpn", TEXT, "the protocols that it offers, parted by blanks; a blank of theirs is \\x20"),
    ("tls_fingerprint", TEXT, "its JA4"),
    ("tls_faults", TEXT, "why the chain is not trusted, parted by commas: certificate has expired, hostname mismatch"),
    ("tls_reason", TEXT, "the same in the words of the library that checked"),
    ("tls_trouble", TEXT, "why TLS failed"),
    ("tls_chain", TEXT, "what the server presented, leaf first: certificates.sha256, parted by blanks"),
    ("tls_checked", BOOLEAN, "whether the chain was checked"),
)


def column(name: str, kind: Any, comment: str, *, null: bool = False) -> "sa.Column[Any]":
    return sa.Column(name, kind, autoincrement=False, nullable=null, comment=comment)


def upgrade() -> None:
    for name, kind, comment in OF_LEGS:
        op.add_column("legs", column(name, kind, comment, null=True))
    op.create_table(
        "certificates",
        column("sha256", TEXT, "SHA-256 of its octets, in hex"),
        column("subject", TEXT, "whose it is: CN=mail.example.org"),
        column("issuer", TEXT, "who vouches for it"),
        column("names", TEXT, "DNS names and addresses it is valid for, parted by blanks"),
        column("not_before", TEXT, "from when it is valid, in UTC"),
        column("not_after", TEXT, "until when it is valid, in UTC"),
        column("key", TEXT, "the kind of its key: EC P-256, RSA 2048"),
        column("der", BLOB, "its octets, in DER"),
        sa.PrimaryKeyConstraint("sha256"),
    )


def downgrade() -> None:
    op.drop_table("certificates")
    for name, _, _ in reversed(OF_LEGS):
        op.drop_column("legs", name)
