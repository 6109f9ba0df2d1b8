"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INTEGER, BIG, BOOLEAN = sa.Integer(), sa.BigInteger(), sa.Boolean()
TEXT, BLOB = sa.Text(), sa.LargeBinary()
DOUBLE: sa.Double[float] = sa.Double()


def column(name: str, kind: Any, comment: str, *, null: bool = False) -> "sa.Column[Any]":
    return sa.Column(name, kind, autoincrement=False, nullable=null, comment=comment)


def part_of_session(name: str, keys: tuple[str, ...], *columns: "sa.Column[Any]") -> None:
    op.create_table(
        name,
        column("session_id", ID, "whose: sessions.id"),
        *columns,
        sa.PrimaryKeyConstraint("session_id", *keys),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )


def upgrade() -> None:
    op.create_table(
        "counter",
        column("name", TEXT, "what is counted: session"),
        column("next_id", ID, "the number that the next one gets"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.execute("INSERT INTO counter (name, next_id) VALUES ('session', 1)")
    op.create_table(
        "sessions",
        column("id", ID, "its number, from 1"),
        column("protocol", TEXT, "smtp, pop3, pop2"),
        column("started_at", TEXT, "when the client connected, in UTC: 2026-01-31T23:59:59.000000Z"),
        column("seconds", DOUBLE, "how long it took; null while it goes on", null=True),
        column("client", TEXT, "address of the client"),
        column("server", TEXT, "name of the server that was asked for, else its address"),
        column("upstream", TEXT, "URL of the server: smtp://mail.example.org:25"),
        column("user_name", TEXT, "who logged in"),
        column("outcome", TEXT, "how it went, in one line; empty while it goes on"),
        column("failed", BOOLEAN, "whether it went wrong"),
        column("ending", TEXT, "how the first of the two connections ended: closed by the client"),
        column("source", TEXT, "the file it was imported from; empty where it was recorded here"),
        column("exchanges", INTEGER, "how many exchanges it has; null while it goes on", null=True),
        column("client_octets", BIG, "how many octets the client's side said; null while it goes on", null=True),
        column("server_octets", BIG, "how many octets the server's side said; null while it goes on", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sessions_started_at", "sessions", ["started_at"])
    op.create_index("sessions_failed", "sessions", ["failed", "id"])
    part_of_session(
        "exchanges",
        ("number",),
        column("number", INTEGER, "place in the session; the greeting is 0"),
        column("verb", TEXT, "the command in upper case; empty where nothing was asked"),
        column("argument", TEXT, "what stood behind the verb"),
        column("code", TEXT, "code of the last reply: 250, +OK", null=True),
        column("enhanced", TEXT, "enhanced status code or POP3 response code of the last reply", null=True),
        column("text", TEXT, "what the last reply said", null=True),
        column("at", BIG, "when the command was whole"),
        column("latency", BIG, "microseconds from the command to its first reply", null=True),
        column("flags", TEXT, "what is odd about it, in words parted by blanks"),
        column("command_start", BIG, "where the command starts in the client's stream", null=True),
        column("command_end", BIG, "where it ends", null=True),
        column("content_side", TEXT, "client, server: who sent its message or listing", null=True),
        column("content_start", BIG, "where the message or listing starts in that stream", null=True),
        column("content_end", BIG, "where it ends", null=True),
        column("content_ended", BOOLEAN, "whether its end was seen", null=True),
        column("announced", BIG, "how many octets of it were promised", null=True),
        column("extra", TEXT, "further spans of it (AUTH responses, BDAT octets): client:120-160"),
    )
    part_of_session(
        "frames",
        ("seq",),
        column("seq", INTEGER, "place among the frames and the notes of the session, from 0"),
        column("at", BIG, "when it was read from the network"),
        column("side", TEXT, "client, server: who said it, or in whose place the proxy did"),
        column("kind", TEXT, "speech, content, omitted, opaque, telnet"),
        column("origin", TEXT, "peer, proxy: who put it on the wire"),
        column("secure", BOOLEAN, "whether it went under TLS"),
        column("start", BIG, "position in the stream of its side"),
        column("wire", BIG, "how many octets went over the wire, masked and omitted ones too"),
        column("octets", BLOB, "what was said, secrets masked"),
    )
    part_of_session(
        "legs",
        ("side",),
        column("side", TEXT, "client, server: with which peer"),
        column("host", TEXT, "name of the peer that was asked for; of the client its address"),
        column("address", TEXT, "address of the peer"),
        column("port", INTEGER, "port of the peer"),
        column("local_address", TEXT, "address of the proxy"),
        column("local_port", INTEGER, "port of the proxy"),
        column("connected_at", BIG, "when it was connected; null where it never was", null=True),
        column("ended_at", BIG, "when it ended; null while it goes on", null=True),
        column("ended_by", TEXT, "client, server, proxy: who ended it", null=True),
        column("ended_how", TEXT, "closed, reset, cut, refused, timed-out, no-route, no-such-host, failed", null=True),
    )
    part_of_session(
        "notes",
        ("seq",),
        column("seq", INTEGER, "place among the frames and the notes of the session, from 0"),
        column("at", BIG, "when it happened"),
        column("mark", TEXT, "=== a fact, *** trouble, ... a gap, # a comment"),
        column("text", TEXT, "one line"),
    )
    part_of_session(
        "replies",
        (
            "number",
            "place",
        ),
        column("number", INTEGER, "of which exchange: exchanges.number"),
        column("place", INTEGER, "place among its replies, from 0"),
        column("code", TEXT, "its code: 250, +OK"),
        column("enhanced", TEXT, "enhanced status code or POP3 response code; empty where there is none"),
        column("text", TEXT, "its lines without code and CRLF"),
        column("at", BIG, "when it was whole"),
        column("reply_start", BIG, "where it starts in the server's stream"),
        column("reply_end", BIG, "where it ends"),
    )
    op.create_index("replies_code", "replies", ["code", "session_id"])


def downgrade() -> None:
    for table in ("replies", "notes", "legs", "frames", "exchanges", "sessions", "counter"):
        op.drop_table(table)
