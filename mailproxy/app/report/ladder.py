"""How far a session came, stage by stage."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from mailproxy.analysis.step import accepted
from mailproxy.analysis.view import View
from mailproxy.model.finding import Outcome, Stage, Verdict
from mailproxy.model.octets import Frame, Note
from mailproxy.model.session import Recording

_SENDING: Final = (
    Stage.CONNECT, Stage.GREETING, Stage.TLS, Stage.HELLO, Stage.AUTH, Stage.MAIL, Stage.RCPT, Stage.DATA,
    Stage.CONTENT, Stage.QUIT,
)  # fmt: skip
_FETCHING: Final = (Stage.CONNECT, Stage.GREETING, Stage.TLS, Stage.AUTH, Stage.TRANSACTION, Stage.UPDATE)
_UNREAD: Final = (Stage.CONNECT, Stage.TLS)
_STAGES: Final = {"smtp": _SENDING, "lmtp": _SENDING, "pop3": _FETCHING, "pop2": _FETCHING}


class State(StrEnum):
    """What became of a stage."""

    DONE = "done"
    FAILED = "failed here"
    UNUSED = "not used"
    AHEAD = "not reached"


class Rung(NamedTuple):
    """A stage, and what became of it."""

    stage: Stage
    state: State


def ladder(recording: Recording, verdict: Verdict) -> tuple[Rung, ...]:
    """The stages of a session in their order. A stage where something went wrong has failed, whatever else it did."""
    stages = _STAGES.get(recording.session.protocol, _UNREAD)
    bad = verdict.stage if verdict.outcome in {Outcome.FAILED, Outcome.PARTIAL} else Stage.NONE
    done = set(_done(View(recording)))
    came = (
        stages.index(bad) if bad in stages else max((stages.index(each) for each in done if each in stages), default=0)
    )
    ended = verdict.outcome is Outcome.OK
    return tuple(Rung(each, _state(each, done, bad, ended or at < came)) for at, each in enumerate(stages))


def _state(stage: Stage, done: set[Stage], bad: Stage, passed: bool) -> State:
    if stage is bad:
        return State.FAILED
    if stage in done:
        return State.DONE
    return State.UNUSED if passed else State.AHEAD


def _done(view: View) -> Iterator[Stage]:
    session = view.recording.session
    heard = any(isinstance(entry, Frame) and entry.length for entry in view.recording.entries)
    if heard or session.server.connected is not None or "connected to " in view.facts:
        yield Stage.CONNECT
    if _secured(view):
        yield Stage.TLS
    if view.login is not None:
        yield Stage.AUTH
    for index, each in enumerate(view.steps):
        if each.verb == "DATA" and any(reply.code == "354" for reply in each.replies):
            yield Stage.DATA
        if accepted(each) and (stage := view.stage(index)) not in {Stage.AUTH, Stage.TLS}:
            yield stage
            if stage is Stage.CONTENT:
                yield Stage.DATA


def _secured(view: View) -> bool:
    """Whether TLS came about, with the server at least."""
    facts = view.recording.session.server.tls
    if facts and facts.version:
        return not facts.trouble
    passed = "TLS passes through: the server chose"
    told = any(isinstance(entry, Note) and entry.text.startswith(passed) for entry in view.recording.entries)
    return told or view.secure_from is not None
