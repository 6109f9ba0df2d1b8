"""Two sessions, looked at side by side."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from mailproxy.analysis.diagnose import diagnosed
from mailproxy.analysis.view import View
from mailproxy.model.escape import escape_text
from mailproxy.model.exchange import Exchange, Reply
from mailproxy.model.finding import Evidence, Stage, Verdict
from mailproxy.model.octets import Frame, Kind, Mark, Note, Side, Span
from mailproxy.model.session import Recording
from mailproxy.model.stream import Streams
from mailproxy.protocols import named
from mailproxy.protocols.course import Course

Digest = Callable[[Span], bytes]
"""What tells octets that are not at hand from others."""


@dataclass(frozen=True)
class Looked:
    """One of the two. `digest` is asked for contents whose octets were left in the database; `judged` is the verdict
    on it, where there is one already. `numbers` are those that its things have in the other session, empty where they
    are the same."""

    recording: Recording
    digest: Digest | None = None
    judged: Verdict | None = None
    numbers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def view(self) -> View:
        """The session as a diagnosis looks at it."""
        return View(self.recording)

    @cached_property
    def verdict(self) -> Verdict:
        """What its failure means."""
        return self.judged or diagnosed(self.view)

    @cached_property
    def steps(self) -> tuple[Exchange, ...]:
        """Its exchanges in order."""
        return self.view.steps

    @cached_property
    def places(self) -> dict[int, int]:
        """Where an exchange of this number stands among the steps."""
        return {each.number: place for place, each in enumerate(self.steps)}

    @cached_property
    def streams(self) -> Streams:
        """What was said, by its place."""
        return self.view.streams

    @cached_property
    def course(self) -> Course:
        """How sessions of its protocol go."""
        return named(self.view.protocol).course

    @cached_property
    def gaps(self) -> tuple[int, ...]:
        """Where in the client's stream something is missing: gaps of the record, and what nobody could read."""
        found: list[int] = []
        at = 0
        for entry in self.recording.entries:
            match entry:
                case Note(mark=Mark.GAP):
                    found.append(at)
                case Frame(side=Side.CLIENT) if entry.length:
                    if entry.kind is Kind.OPAQUE:
                        found.append(at)
                    at = entry.end
        return tuple(found)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the client called itself, the longest first."""
        said = {each.argument for each in self.steps if each.verb in self.course.names and len(each.argument) > 1}
        return tuple(sorted(said, key=len, reverse=True))

    def plain(self, text: str) -> str:
        """A reply's text without what is volatile in it: the client's own name too."""
        for name in self.names:
            text = text.replace(name, "<name>")
        return self.course.plain(text)

    def meant(self, exchange: Exchange) -> Exchange:
        """A command, said with the number that its thing has in the other session."""
        argument = self.renumbered(exchange.verb, exchange.argument)
        return exchange._replace(argument=argument) if argument != exchange.argument else exchange

    def is_of_a_thing(self, exchange: Exchange) -> bool:
        """Whether it is known what the number in a command stands for."""
        return exchange.verb in self.course.numbered and exchange.argument.partition(" ")[0] in self.numbers

    def renumbered(self, verb: str, text: str) -> str:
        """A text of a verb that may begin with a number: with the one that the thing has in the other session."""
        if not self.numbers or verb not in self.course.numbered:
            return text
        number, blank, rest = text.partition(" ")
        return f"{self.numbers.get(number, number)}{blank}{rest}"

    def stage(self, exchange: Exchange) -> Stage:
        """Where in the protocol an exchange belongs."""
        return self.view.stage(self.places[exchange.number])

    def missing_between(self, before: Exchange | None, after: Exchange | None) -> bool:
        """Whether something may be missing in the record between two exchanges."""
        start = before.command.start if before and before.command else 0
        end = after.command.start if after and after.command else None
        first = bisect_left(self.gaps, start)
        return first < len(self.gaps) and (end is None or self.gaps[first] <= end)


def command(looked: Looked, exchange: Exchange) -> str:
    """What was asked, as one line."""
    if exchange.command:
        said = looked.streams.octets(exchange.command).decode("utf-8", "surrogateescape").rstrip("\r\n")
        if said:
            return escape_text(said)
    return escape_text(f"{exchange.verb} {exchange.argument}".strip())


def reply(looked: Looked, found: Reply | None) -> str:
    """What was answered, as one line: a single line as it stands, several with their code once."""
    if found is None:
        return ""
    said = looked.streams.octets(found.span).decode("utf-8", "surrogateescape").rstrip("\r\n")
    single = said and "\n" not in found.text and "\n" not in said
    return escape_text(said if single else " ".join(f"{found.code} {found.text}".split()))


def evidence(exchange: Exchange | None) -> tuple[Evidence, ...]:
    """All of an exchange but its content."""
    if exchange is None:
        return ()
    spans = [*([exchange.command] if exchange.command else []), *exchange.extra]
    return tuple(Evidence(span) for span in [*spans, *(each.span for each in exchange.replies)])
