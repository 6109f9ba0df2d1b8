"""A recorded client before its own server, compared by what the client's mailproxy records: nothing differs, but where
TLS between mailproxy and its peers failed, of which the client sees one connection only. What the server's mailproxy
records of the same is compared in tests/whole/test_round_trip_corpus.py.
"""

from dataclasses import replace
from typing import Final

import pytest

from mailproxy.analysis.diff import compare
from mailproxy.model.difference import Comparison
from mailproxy.model.octets import Frame
from mailproxy.model.session import Recording
from mailproxy.model.tls import Security
from mailproxy.protocols import BLIND
from mailproxy.talk.play.acting import Acting
from tests.talk.play.client_stage import client, login_of, meet
from tests.talk.play.server_stage import REPLAY, corpus

NAMES: Final = [path.stem for path in sorted(REPLAY.glob("*.talk")) if corpus(path.stem).session.protocol != BLIND.name]
FULLY: Final = Acting(deliver=True, delete=True)
OTHERWISE: Final = {
    "smtp-tls-client-in-clear": "the client spoke to mailproxy in clear, whose TLS with the server was its own",
    "smtp-tls-expired": "the client hung up as the server greeted",
    "smtp-tls-expired-strict": "mailproxy refused the certificate, and there is none now",
    "smtp-tls-wrong-name": "the client hung up as the server greeted",
}
"""Sessions that differ, and why."""


def _security(recording: Recording) -> Security:
    """TLS, where the record tells of it before anybody said anything."""
    for entry in recording.entries:
        if isinstance(entry, Frame):
            return Security.TLS if entry.secure else Security.NONE
        if entry.text.startswith("TLS "):
            return Security.TLS
    return Security.NONE


def _compared(name: str) -> Comparison:
    recording = corpus(name)
    met = meet(client(recording, FULLY, login_of(recording), _security(recording)), recording)
    exchanges = tuple(sorted(met.exchanges, key=lambda each: each.number))
    played = replace(recording.session, replays=f"client of {name}")
    return compare(recording, Recording(played, tuple(met.entries), exchanges))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OTHERWISE])
def test_nothing_differs(name: str) -> None:
    assert [each.told for each in _compared(name).differences] == []


@pytest.mark.parametrize("name", OTHERWISE)
def test_these_differ(name: str) -> None:
    """Else they have no place in the table."""
    assert not _compared(name).equal
