"""A database as the first schema had it, with a session in it."""

from datetime import UTC, datetime
from typing import Final

from alembic import command
from sqlalchemy import Engine, text

from mailproxy.model.octets import Frame, Side
from mailproxy.model.session import Ending, How, Leg, Recording, Session
from mailproxy.store import schema
from mailproxy.store.engine import writing

RECORDING: Final = Recording(
    Session(
        1,
        "smtp",
        datetime(2026, 1, 31, 12, tzinfo=UTC),
        "smtp://mail.example.org:25",
        Leg(Side.CLIENT, "192.0.2.7", "192.0.2.7", 40000, "192.0.2.1", 25, 0, Ending(Side.CLIENT, How.CLOSED, 9)),
        Leg(Side.SERVER, "mail.example.org", "192.0.2.25", 25, "192.0.2.1", 50000, 1, Ending(None, How.CUT, 9)),
        duration=9,
        outcome="ok: no message",
    ),
    (Frame(Side.SERVER, b"220 hello\r\n", 3, 0, 11),),
)
STATEMENTS: Final = (
    "UPDATE counter SET next_id = 2",
    "INSERT INTO sessions (id, protocol, started_at, seconds, client, server, upstream, user_name, outcome, failed,"
    " ending, source, exchanges, client_octets, server_octets) VALUES (1, 'smtp', '2026-01-31T12:00:00.000000Z',"
    " 0.000009, '192.0.2.7', 'mail.example.org', 'smtp://mail.example.org:25', '', 'ok: no message', FALSE,"
    " 'closed by the client', '', 0, 0, 11)",
    "INSERT INTO legs (session_id, side, host, address, port, local_address, local_port, connected_at, ended_at,"
    " ended_by, ended_how) VALUES (1, 'client', '192.0.2.7', '192.0.2.7', 40000, '192.0.2.1', 25, 0, 9, 'client',"
    " 'closed'), (1, 'server', 'mail.example.org', '192.0.2.25', 25, '192.0.2.1', 50000, 1, 9, 'proxy', 'cut')",
    "INSERT INTO frames (session_id, seq, at, side, kind, origin, secure, start, wire, octets) VALUES"
    " (1, 0, 3, 'server', 'speech', 'peer', FALSE, 0, 11, :greeting)",
)


def make(engine: Engine) -> None:
    """Make it in an empty database."""
    config = schema.configuration()
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in STATEMENTS:
            given = {"greeting": b"220 hello\r\n"} if ":greeting" in statement else {}
            connection.execute(text(statement), given)
