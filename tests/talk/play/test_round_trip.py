"""A recorded client before its own server: the same is said and answered once more, in clear and under TLS."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import pytest

from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Frame, Mark, Note
from mailproxy.model.session import Recording
from mailproxy.model.stream import Streams
from mailproxy.model.tls import Security
from mailproxy.protocols import BLIND
from mailproxy.talk.play.acting import Acting
from mailproxy.wire.tls import hello
from tests.talk.play.client_stage import CUTS, LOGIN, client, meet
from tests.talk.play.server_stage import REPLAY, corpus

NAMES: Final = [path.stem for path in sorted(REPLAY.glob("*.talk")) if corpus(path.stem).session.protocol != BLIND.name]
FULLY: Final = Acting(deliver=True, delete=True)
HELLO: Final = hello()
SECRET: Final = re.compile(r"<secret: [^>]*>|kernel-2\.2-15")
ANOTHER: Final = {
    "smtp-tls-expired": "the client hung up as the server greeted",
    "smtp-tls-wrong-name": "the client hung up as the server greeted",
}
"""Sessions that cannot be the same, and why."""


@pytest.fixture(autouse=True)
def _one_hello(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as good as random else."""
    monkeypatch.setattr("mailproxy.talk.play.leaving.hello", lambda: HELLO)


class Same(NamedTuple):
    """What must be the same of an exchange."""

    verb: str
    argument: str
    replies: tuple[tuple[str, str], ...]
    content: bytes
    ended: bool


def _same(entries: Iterable[Entry], exchanges: Sequence[Exchange]) -> list[Same]:
    streams = Streams(entries)
    return [
        Same(
            each.verb,
            SECRET.sub("<secret>", each.argument),
            tuple((reply.code, reply.text) for reply in each.replies),
            streams.octets(each.content.span) if each.content else b"",
            each.content is not None and each.content.ended,
        )
        for each in sorted(exchanges, key=lambda each: each.number)
    ]


def _security(recording: Recording) -> Security:
    """TLS, where the record tells of it before anybody said anything."""
    for entry in recording.entries:
        if isinstance(entry, Frame):
            return Security.TLS if entry.secure else Security.NONE
        if entry.text.startswith("TLS "):
            return Security.TLS
    return Security.NONE


def _ending(entries: Iterable[Entry]) -> list[str]:
    """Who ended it, without what is known of close_notify."""
    troubles = [entry.text for entry in entries if isinstance(entry, Note) and entry.mark is Mark.TROUBLE]
    ends = [text.split(" (")[0].replace("TLS failed: ", "TLS failed with the client: ") for text in troubles]
    return [text for text in ends if not text.startswith("dropped ")][:1]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ANOTHER])
def test_it_is_the_same_session(name: str) -> None:
    recording = corpus(name)
    player = client(recording, FULLY, LOGIN, _security(recording))
    met = meet(player, recording)
    played, recorded = _same(met.entries, met.exchanges), _same(recording.entries, recording.exchanges)
    if player.stopped:
        assert [each.verb for each in played[len(recorded) :]] in ([], ["QUIT"])
        del played[len(recorded) :]
    assert played == recorded


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ANOTHER])
def test_it_ends_in_the_same_way(name: str) -> None:
    recording = corpus(name)
    player = client(recording, FULLY, LOGIN, _security(recording))
    met = meet(player, recording)
    if player.stopped:
        assert player.stopped in {
            "what was said under TLS is not in the record",
            "TLS failed with the recorded server",
            "no connection came about",
        }
    elif player.script.end.by and not player.script.in_clear:
        assert _ending(met.entries) == _ending(recording.entries)


@pytest.mark.parametrize("cut", [cut for cut in CUTS if cut != "whole"])
@pytest.mark.parametrize("name", NAMES)
def test_the_segmentation_does_not_matter(name: str, cut: str) -> None:
    recording = corpus(name)
    security = _security(recording)
    whole = meet(client(recording, FULLY, LOGIN, security), recording)
    torn = meet(client(recording, FULLY, LOGIN, security), recording, CUTS[cut])
    assert (torn.sent, torn.said) == (whole.sent, whole.said)


@pytest.mark.parametrize("name", ANOTHER)
def test_others_are_played_too(name: str) -> None:
    recording = corpus(name)
    met = meet(client(recording, FULLY, LOGIN, _security(recording)), recording)
    assert met.notes[-1].startswith(("closed by the ", "reset by the "))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_delivered_or_deleted_without_leave(name: str) -> None:
    recording = corpus(name)
    met = meet(client(recording, login=LOGIN, security=_security(recording)), recording)
    verbs = [each.verb for each in met.exchanges]
    assert not {"DATA", "BDAT", "ETRN", "TURN", "ACKD"} & {*verbs}
    if "DELE" in verbs and "QUIT" in verbs:
        assert verbs[verbs.index("QUIT") - 1] == "RSET"


@pytest.mark.parametrize("name", NAMES)
def test_the_password_is_in_no_record(name: str) -> None:
    recording = corpus(name)
    player = client(recording, FULLY, LOGIN, _security(recording))
    met = meet(player, recording)
    told = [*player.remarks, player.stopped, *met.notes, repr(player.script), repr(LOGIN)]
    assert "correct horse" not in " ".join(told)
    assert b"correct horse" not in b"".join(each.octets for each in met.entries if isinstance(each, Frame))
