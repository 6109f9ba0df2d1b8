"""What differs around the exchanges: how the connections came about, how they were secured, and how they ended."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from mailproxy.analysis.differences.looking import Looked
from mailproxy.model.difference import Difference, What
from mailproxy.model.finding import Evidence, Stage
from mailproxy.model.octets import Mark, Note, Side
from mailproxy.model.session import Leg
from mailproxy.model.tls import TlsFacts
from mailproxy.protocols.outcome import BY_US

TLS: Final = "TLS "
PLACES: Final = ("connected", "the client asks", "mailproxy ")
"""Facts that tell of this time and this place."""
CLOSED: Final = ("closed", "reset by the client")
"""What every orderly ending begins with: closed, closed by the client."""
BEGUN: Final = "TLS from the start"
BETWEEN: Final = "TLS with the "
FAILED: Final = "TLS failed with the "
WITH_CLIENT: Final = "TLS with the client: "
CERTIFICATE: Final = ", certificate of "
BY_CLIENT: Final = "TLS failed: "
"""TLS that passes through fails with no word of whose leg it was."""
ENDED: Final = ("closed", "reset", "timed out")
DISTRUST: Final = "the server's certificate is not trusted: "


def differences(good: Looked, bad: Looked, strict: bool) -> Iterator[Difference]:
    """What differs, in the order of a session."""
    for side in Side:
        yield from _legs(side, _leg(good, side), _leg(bad, side))
    yield from _beginnings(good, bad)
    yield from _notes(good, bad, strict)


def _beginnings(good: Looked, bad: Looked) -> Iterator[Difference]:
    """Whether TLS that nobody took apart began before anything was said."""
    begun = [0 in looked.gaps and looked.view.hidden for looked in (good, bad)]
    if begun[0] is not begun[1]:
        whose = "good" if begun[0] else "bad"
        said = (BEGUN, "") if begun[0] else ("", BEGUN)
        yield Difference(What.TLS, Stage.TLS, "", *said, f"In the {whose} session TLS begins before anything is said.")


def _leg(looked: Looked, side: Side) -> Leg:
    session = looked.recording.session
    return session.client if side is Side.CLIENT else session.server


def _legs(side: Side, good: Leg, bad: Leg) -> Iterator[Difference]:
    """What TLS told of a leg, where it is known of both; what is only known of one is left to the notes."""
    if good.tls is None or bad.tls is None:
        return
    for name, mine, yours in _facts(good.tls, bad.tls):
        if mine != yours:
            told = f"TLS with the {side}: {name} differs."
            yield Difference(What.TLS, Stage.TLS, "", mine, yours, told)


def _facts(good: TlsFacts, bad: TlsFacts) -> Iterator[tuple[str, str, str]]:
    yield "why it failed", good.trouble, bad.trouble
    if good.version and bad.version:
        yield "the version", good.version, bad.version
        yield "the cipher", good.cipher, bad.cipher
    if good.chain and bad.chain:
        mine, yours = good.chain[0], bad.chain[0]
        yield "the certificate", mine.title, yours.title
        yield "what it is valid for", " ".join(mine.names), " ".join(yours.names)
        yield "its issuer", mine.issuer, yours.issuer
        yield "the chain above it", _above(good), _above(bad)
        yield "until when it is valid", f"{mine.not_after:%Y-%m-%d}", f"{yours.not_after:%Y-%m-%d}"
    if good.checked and bad.checked:
        yield "what is wrong with the certificate", ", ".join(good.faults), ", ".join(bad.faults)


def _above(facts: TlsFacts) -> str:
    """What a server presented besides its own certificate."""
    return ", ".join(each.title for each in facts.chain[1:])


class Pair(NamedTuple):
    """What decides how the notes of two sessions can be compared."""

    good: Looked
    bad: Looked

    @property
    def known(self) -> bool:
        """Whether more is known of TLS, of both, than the notes tell."""
        sessions = [looked.recording.session for looked in self]
        return all(session.server.tls or session.client.tls for session in sessions)

    @property
    def replayed(self) -> bool:
        """Whether one is a replay: of another certificate, and without a mail program if its client was played."""
        return any(looked.recording.session.replays for looked in self)

    @property
    def untold(self) -> bool:
        """Whether of a replay, or of what it replays, it is not known how TLS began, though it did or was refused."""
        return self.replayed and any(
            not looked.view.facts_of(BETWEEN + "server")
            and (
                looked.view.hidden or looked.view.secure_from is not None or looked.view.troubles_of(FAILED + "client")
            )
            for looked in self
        )

    @property
    def unread(self) -> bool:
        """Whether the end of a replay, or of what it replays, was under TLS that nobody could read."""
        return self.replayed and any(looked.view.hidden for looked in self)

    def comparable(self, text: str) -> str:
        """A fact of TLS, as far as it can be compared; empty where it cannot."""
        if (self.replayed and text.startswith(WITH_CLIENT)) or (self.untold and not text.startswith(FAILED)):
            return ""
        if self.known:
            return text.partition(":")[0]
        return text.partition(CERTIFICATE)[0] if self.replayed else text


class Told(NamedTuple):
    """A note, and its place among the entries."""

    text: str
    place: int

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What proves it."""
        return (Evidence(note=self.place),)


def _notes(good: Looked, bad: Looked, strict: bool) -> Iterator[Difference]:
    """Facts of TLS and trouble, as the record tells them: what only one of the two tells."""
    pair = Pair(good, bad)
    mine, yours = _told(good, pair, strict), _told(bad, pair, strict)
    for one, other in _pairs(_only(mine, yours), _only(yours, mine)):
        yield _difference(good, bad, one, other)


def _only(told: dict[str, Told], others: dict[str, Told]) -> list[Told]:
    """What only one tells; that a certificate is not trusted is not told twice, where TLS failed for it."""
    only = [each for text, each in told.items() if text not in others]
    failed = {each.text.partition(": ")[2] for each in only if each.text.startswith(FAILED + "server: ")}
    return [each for each in only if not (each.text.startswith(DISTRUST) and each.text[len(DISTRUST) :] in failed)]


def _pairs(mine: list[Told], yours: list[Told]) -> Iterator[tuple[Told | None, Told | None]]:
    """Those of the good session, then those of the bad one; what tells of the same TLS stands side by side."""
    beside = {each.place: _like(each, mine, yours) for each in yours}
    taken = [each.place for each in beside.values() if each]
    yield from ((each, None) for each in mine if each.place not in taken)
    yield from ((beside[each.place], each) for each in yours)


def _like(told: Told, mine: list[Told], yours: list[Told]) -> Told | None:
    """What the good session tells of the TLS that a note of the bad one is about."""
    leg = told.text.partition(":")[0]
    if not told.text.startswith((BETWEEN, FAILED)):
        return None
    leg = leg.replace(FAILED, BETWEEN)
    there = {each.text.partition(":")[0]: each for each in mine if each.text.startswith(BETWEEN)}
    if leg in there or told.text.startswith(BETWEEN):
        return there.get(leg)
    lacking = [each for name, each in there.items() if not any(one.text.startswith(name) for one in yours)]
    return lacking[0] if lacking else None


def _difference(good: Looked, bad: Looked, one: Told | None, other: Told | None) -> Difference:
    text = other.text if other else one.text if one else ""
    what = What.TLS if text.startswith(TLS) or "certificate" in text else What.ENDING
    stage = Stage.TLS if what is What.TLS else _stage(bad if other else good)
    if one and other:
        told = f"In the bad session: {other.text}; in the good one: {one.text}."
    else:
        told = f"In the {'bad' if other else 'good'} session only: {text}."
    said = one.text if one else "", other.text if other else ""
    return Difference(what, stage, "", *said, told, one.evidence if one else (), other.evidence if other else ())


def _stage(looked: Looked) -> Stage:
    """How far a session had come when it ended."""
    return looked.stage(looked.steps[-1]) if looked.steps else Stage.CONNECT


def _told(looked: Looked, pair: Pair, strict: bool) -> dict[str, Told]:
    """What the record notes, by the words in which it can be compared."""
    found: dict[str, Told] = {}
    ended = False
    for place, note in looked.view.notes:
        ends = note.mark is Mark.TROUBLE and note.text.startswith(ENDED) and not strict
        if (text := _comparable(note, looked, pair, strict)) and not (ends and (ended or pair.unread)):
            found.setdefault(text, Told(note.text, place))
        ended = ended or ends
    return found


def _comparable(note: Note, looked: Looked, pair: Pair, strict: bool) -> str:
    if note.text.startswith(CLOSED) and not strict and (_took_leave(looked) or note.mark is Mark.FACT):
        return ""
    match note.mark:
        case Mark.TROUBLE:
            text = note.text if strict else looked.course.plain(note.text.partition(BY_US)[0])
            if pair.replayed and text.startswith(BY_CLIENT) and not strict:
                text = f"{FAILED}client: {text.removeprefix(BY_CLIENT)}"
            return text.removesuffix(" (close_notify)").removesuffix(" (no close_notify)") if not strict else text
        case Mark.FACT if note.text.startswith(TLS):
            return note.text if strict else pair.comparable(note.text)
        case Mark.FACT if pair.untold and note.text.startswith(DISTRUST) and not strict:
            return ""
        case Mark.FACT if not note.text.startswith(PLACES):
            return note.text if strict else looked.course.plain(note.text)
        case _:
            return ""


def _took_leave(looked: Looked) -> bool:
    """Whether the client's farewell was answered: who closes first then, and how, is chance (RFC 5321 section
    4.1.1.10)."""
    return any(step.verb in looked.course.leaves and step.reply is not None for step in looked.steps)
