"""The tables, as a person finds them who opens the database in `sqlite3` or `psql`.

Positions and lengths are in octets, `at` and its kin in microseconds since the session began. Text is escaped as
in a transcript: what is not printable is `\\xNN`, a backslash is `\\\\`; lines are joined by a line feed.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

METADATA: Final = MetaData()
_ID: Final = BigInteger().with_variant(Integer, "sqlite")


def _column(
    name: str, kind: Any, comment: str, *, null: bool = False, key: bool = False, default: str | None = None
) -> Column[Any]:
    return Column(
        name, kind, primary_key=key, nullable=null, autoincrement=False, comment=comment, server_default=default
    )


def _session() -> Column[Any]:
    owner = ForeignKey("sessions.id", ondelete="CASCADE")
    return Column("session_id", _ID, owner, primary_key=True, autoincrement=False, comment="whose: sessions.id")


def _seq() -> Column[Any]:
    return _column("seq", Integer, "place among the frames and the notes of the session, from 0", key=True)


def _tls_columns() -> list[Column[Any]]:
    texts = {
        "tls_version": "the version of TLS that was negotiated; null where there is no TLS",
        "tls_cipher": "the cipher suite that was negotiated",
        "tls_group": "the group of the key exchange: x25519",
        "tls_name": "the server name that the ClientHello asks for",
        "tls_alpn": "the protocol that was negotiated (ALPN)",
        "tls_offered": "the versions that the ClientHello offers, parted by blanks",
        "tls_ciphers": "the cipher suites that it offers, parted by blanks",
        "tls_offered_alpn": "the protocols that it offers, parted by blanks; a blank of theirs is \\x20",
        "tls_fingerprint": "its JA4",
        "tls_faults": "why the chain is not trusted, parted by commas: certificate has expired, hostname mismatch",
        "tls_reason": "the same in the words of the library that checked",
        "tls_trouble": "why TLS failed",
        "tls_chain": "what the server presented, leaf first: certificates.sha256, parted by blanks",
    }
    checked = _column("tls_checked", Boolean, "whether the chain was checked", null=True)
    return [*(_column(name, Text, comment, null=True) for name, comment in texts.items()), checked]


COUNTER: Final = Table(
    "counter",
    METADATA,
    _column("name", Text, "what is counted: session", key=True),
    _column("next_id", _ID, "the number that the next one gets"),
)

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    _column("id", _ID, "its number, from 1", key=True),
    _column("protocol", Text, "smtp, pop3, pop2"),
    _column("started_at", Text, "when the client connected, in UTC: 2026-01-31T23:59:59.000000Z"),
    _column("seconds", Double, "how long it took; null while it goes on", null=True),
    _column("client", Text, "address of the client"),
    _column("server", Text, "name of the server that was asked for, else its address"),
    _column("upstream", Text, "URL of the server: smtp://mail.example.org:25"),
    _column("user_name", Text, "who logged in"),
    _column("outcome", Text, "how it went, in one line; empty while it goes on"),
    _column("failed", Boolean, "whether it went wrong"),
    _column("ending", Text, "how the first of the two connections ended: closed by the client"),
    _column("source", Text, "the file it was imported from; empty where it was recorded here"),
    _column("exchanges", Integer, "how many exchanges it has; null while it goes on", null=True),
    _column("client_octets", BigInteger, "how many octets the client's side said; null while it goes on", null=True),
    _column("server_octets", BigInteger, "how many octets the server's side said; null while it goes on", null=True),
    _column("replays", Text, "whose part mailproxy played: client of 12, server of 12; empty where none", default=""),
    Index("sessions_started_at", "started_at"),
    Index("sessions_failed", "failed", "id"),
)

LEGS: Final = Table(
    "legs",
    METADATA,
    _session(),
    _column("side", Text, "client, server: with which peer", key=True),
    _column("host", Text, "name of the peer that was asked for; of the client its address"),
    _column("address", Text, "address of the peer"),
    _column("port", Integer, "port of the peer"),
    _column("local_address", Text, "address of the proxy"),
    _column("local_port", Integer, "port of the proxy"),
    _column("connected_at", BigInteger, "when it was connected; null where it never was", null=True),
    _column("ended_at", BigInteger, "when it ended; null while it goes on", null=True),
    _column("ended_by", Text, "client, server, proxy: who ended it", null=True),
    _column("ended_how", Text, "closed, reset, cut, refused, timed-out, no-route, no-such-host, failed", null=True),
    *_tls_columns(),
    sqlite_with_rowid=False,
)
TLS_COLUMNS: Final = frozenset(column.name for column in LEGS.columns if column.name.startswith("tls_"))

CERTIFICATES: Final = Table(
    "certificates",
    METADATA,
    _column("sha256", Text, "SHA-256 of its octets, in hex", key=True),
    _column("subject", Text, "whose it is: CN=mail.example.org"),
    _column("issuer", Text, "who vouches for it"),
    _column("names", Text, "DNS names and addresses it is valid for, parted by blanks"),
    _column("not_before", Text, "from when it is valid, in UTC"),
    _column("not_after", Text, "until when it is valid, in UTC"),
    _column("key", Text, "the kind of its key: EC P-256, RSA 2048"),
    _column("der", LargeBinary, "its octets, in DER"),
)

FRAMES: Final = Table(
    "frames",
    METADATA,
    _session(),
    _seq(),
    _column("at", BigInteger, "when it was read from the network"),
    _column("side", Text, "client, server: who said it, or in whose place the proxy did"),
    _column("kind", Text, "speech, content, omitted, opaque, telnet"),
    _column("origin", Text, "peer, proxy: who put it on the wire"),
    _column("secure", Boolean, "whether it went under TLS"),
    _column("start", BigInteger, "position in the stream of its side"),
    _column("wire", BigInteger, "how many octets went over the wire, masked and omitted ones too"),
    _column("octets", LargeBinary, "what was said, secrets masked"),
    sqlite_with_rowid=False,
)

NOTES: Final = Table(
    "notes",
    METADATA,
    _session(),
    _seq(),
    _column("at", BigInteger, "when it happened"),
    _column("mark", Text, "=== a fact, *** trouble, ... a gap, # a comment"),
    _column("text", Text, "one line"),
    sqlite_with_rowid=False,
)

EXCHANGES: Final = Table(
    "exchanges",
    METADATA,
    _session(),
    _column("number", Integer, "place in the session; the greeting is 0", key=True),
    _column("verb", Text, "the command in upper case; empty where nothing was asked"),
    _column("argument", Text, "what stood behind the verb"),
    _column("code", Text, "code of the last reply: 250, +OK", null=True),
    _column("enhanced", Text, "enhanced status code or POP3 response code of the last reply", null=True),
    _column("text", Text, "what the last reply said", null=True),
    _column("at", BigInteger, "when the command was whole"),
    _column("latency", BigInteger, "microseconds from the command to its first reply", null=True),
    _column("flags", Text, "what is odd about it, in words parted by blanks"),
    _column("command_start", BigInteger, "where the command starts in the client's stream", null=True),
    _column("command_end", BigInteger, "where it ends", null=True),
    _column("content_side", Text, "client, server: who sent its message or listing", null=True),
    _column("content_start", BigInteger, "where the message or listing starts in that stream", null=True),
    _column("content_end", BigInteger, "where it ends", null=True),
    _column("content_ended", Boolean, "whether its end was seen", null=True),
    _column("announced", BigInteger, "how many octets of it were promised", null=True),
    _column("extra", Text, "further spans of it (AUTH responses, BDAT octets): client:120-160"),
    sqlite_with_rowid=False,
)

REPLIES: Final = Table(
    "replies",
    METADATA,
    _session(),
    _column("number", Integer, "of which exchange: exchanges.number", key=True),
    _column("place", Integer, "place among its replies, from 0", key=True),
    _column("code", Text, "its code: 250, +OK"),
    _column("enhanced", Text, "enhanced status code or POP3 response code; empty where there is none"),
    _column("text", Text, "its lines without code and CRLF"),
    _column("at", BigInteger, "when it was whole"),
    _column("reply_start", BigInteger, "where it starts in the server's stream"),
    _column("reply_end", BigInteger, "where it ends"),
    Index("replies_code", "code", "session_id"),
    sqlite_with_rowid=False,
)


def describe() -> list[tuple[str, str, str, str]]:
    """Each column there is: its table, its name, its type and what it holds."""
    return [
        (table.name, column.name, str(column.type), column.comment or "")
        for table in METADATA.tables.values()
        for column in table.columns
    ]
