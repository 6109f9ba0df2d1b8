"""Plays transcripts to a dialogue: whole, octet by octet, torn, and lines of one side at once."""

from collections.abc import Iterator, Sequence

from mailproxy.formats.talk_read import read
from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Frame, Mark, Note, Side
from mailproxy.protocols import named
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.turn import MASKED, Terms

Script = Sequence[tuple[Side, bytes]]


def script(talk: str) -> tuple[str, list[tuple[Side, bytes]]]:
    """The protocol of a transcript, and what its sides say in turn, a line at a time."""
    (recording,) = read(talk)
    frames = [entry for entry in recording.entries if isinstance(entry, Frame)]
    return recording.session.protocol, [
        (frame.side, line) for frame in frames for line in frame.octets.splitlines(keepends=True)
    ]


def segmentations(said: Script) -> Iterator[tuple[str, Script]]:
    """The same octets in the same order, cut in several ways."""
    yield "lines", said
    yield "octets", [(side, octets[i : i + 1]) for side, octets in said for i in range(len(octets))]
    yield (
        "torn",
        [(side, part) for side, octets in said for part in (octets[:-1][:3], octets[3:-1], octets[-1:]) if part],
    )
    together: list[tuple[Side, bytes]] = []
    for side, octets in said:
        if together and together[-1][0] is side:
            together[-1] = (side, together[-1][1] + octets)
        else:
            together.append((side, octets))
    yield "together", together


def hear(protocol: str, said: Script, terms: Terms = MASKED) -> tuple[list[Entry], list[Exchange], Dialogue]:
    """Play a script to a new dialogue, to its end."""
    dialogue = named(protocol).dialogue(terms)
    entries: list[Entry] = [Note(Mark.FACT, "connected", 0)]
    for at, (side, octets) in enumerate(said):
        entries += dialogue.feed(side, octets, at).entries
    entries += dialogue.finish(len(said))
    return entries, dialogue.exchanges, dialogue


def timeless(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """The exchanges without their times, which depend on how octets were cut."""
    return [each._replace(at=0, replies=tuple(reply._replace(at=0) for reply in each.replies)) for each in exchanges]


def told(exchanges: Sequence[Exchange]) -> str:
    """The exchanges as a table: verb, argument, codes, octets of content, flags."""
    return "\n".join(_row(each) for each in exchanges)


def _row(each: Exchange) -> str:
    codes = ",".join(reply.code for reply in each.replies)
    content = f" [{each.content.span.length}{'' if each.content.ended else ' unended'}]" if each.content else ""
    flags = "".join(f" {flag}" for flag in sorted(each.flags))
    return f"{each.verb or '-'} {each.argument} -> {codes}{content}{flags}".replace("  ", " ")
