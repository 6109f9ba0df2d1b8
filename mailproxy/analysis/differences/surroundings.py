"""What differs around the exchanges: how the connections came about, how they were secured, and how they ended."""

from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.differences.looking import Looked
from mailproxy.model.difference import Difference, What
from mailproxy.model.finding import Evidence, Stage
from mailproxy.model.octets import Mark, Note, Side
from mailproxy.model.session import Leg
from mailproxy.model.tls import TlsFacts

TLS: Final = "TLS "
PLACES: Final = ("connected", "the client asks", "mailproxy ")
"""Facts that tell of this time and this place."""
BEGUN: Final = "TLS from the start"


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
        yield "until when it is valid", f"{mine.not_after:%Y-%m-%d}", f"{yours.not_after:%Y-%m-%d}"
    if good.checked and bad.checked:
        yield "what is wrong with the certificate", ", ".join(good.faults), ", ".join(bad.faults)


def _notes(good: Looked, bad: Looked, strict: bool) -> Iterator[Difference]:
    """Facts of TLS and trouble, as the record tells them."""
    mine, yours = _told(good, strict), _told(bad, strict)
    for text, place in mine.items():
        if text not in yours:
            yield _difference(text, "", (Evidence(note=place),), ())
    for text, place in yours.items():
        if text not in mine:
            yield _difference("", text, (), (Evidence(note=place),))


def _difference(good: str, bad: str, mine: tuple[Evidence, ...], yours: tuple[Evidence, ...]) -> Difference:
    text = good or bad
    tls = text.startswith(TLS) or "certificate" in text
    whose = "good" if good else "bad"
    told = f"In the {whose} session only: {text}."
    return Difference(
        What.TLS if tls else What.ENDING, Stage.TLS if tls else Stage.NONE, "", good, bad, told, mine, yours
    )


def _told(looked: Looked, strict: bool) -> dict[str, int]:
    """What the record notes, in the words in which it can be compared."""
    known = looked.recording.session.server.tls is not None or looked.recording.session.client.tls is not None
    found: dict[str, int] = {}
    for place, note in looked.view.notes:
        if text := _comparable(note, looked, strict, known):
            found.setdefault(text, place)
    return found


def _comparable(note: Note, looked: Looked, strict: bool, known: bool) -> str:
    match note.mark:
        case Mark.TROUBLE:
            text = note.text if strict else looked.course.plain(note.text)
            return text.removesuffix(" (close_notify)").removesuffix(" (no close_notify)") if not strict else text
        case Mark.FACT if note.text.startswith(TLS):
            return note.text.partition(":")[0] if known and not strict else note.text
        case Mark.FACT if not note.text.startswith(PLACES):
            return note.text if strict else looked.course.plain(note.text)
        case _:
            return ""
