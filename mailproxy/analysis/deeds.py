"""What mailproxy itself did to a session because `--fault` told it to: a verdict and a difference say that first, and
only then what it would mean if a server had done it."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from mailproxy.analysis.view import View
from mailproxy.model.difference import Comparison, Difference
from mailproxy.model.finding import Blame, Evidence, Other, Outcome, Verdict
from mailproxy.model.injected import Injected, injected
from mailproxy.model.octets import Entry, Frame, Note, Origin, Side, Span

_ENDS: Final = re.compile(r"connection (?:closed|reset) by mailproxy .*|.* in TLS with the client")
_SAYS: Final = re.compile(
    r".* answered .*|.* put behind the end .*|.* (?:hidden|added) by mailproxy .*|announced octets off .*"
    r"|(?:text taken away|CRLF made LF|codes made|last line made|dot not doubled) .*"
)
ELSE: Final = "a server may do the same without mailproxy"


class Deed(NamedTuple):
    """Something that mailproxy did, its place among the entries, and the octets that it said then."""

    at: int
    did: Injected
    spans: tuple[Span, ...]

    @property
    def ends(self) -> bool:
        """Whether it ended the connection, or TLS."""
        return _ENDS.fullmatch(self.did.did) is not None


def deeds(entries: Iterable[Entry]) -> tuple[Deed, ...]:
    """All that it did. Its octets stand behind the note, or behind that of what it goes on to do; in a transcript
    nothing else shows whose they are."""
    found: list[Deed] = []
    for at, entry in enumerate(entries):
        if isinstance(entry, Note):
            if did := injected(entry.text):
                found.append(Deed(at, did, ()))
        elif found and (entry.origin is Origin.PROXY or _next(at, entry, found[-1])):
            span = Span(entry.side, entry.start, entry.end)
            found[-1] = found[-1]._replace(spans=(*found[-1].spans, span))
    return tuple(found)


def _next(at: int, frame: Frame, deed: Deed) -> bool:
    """Whether a frame is what a deed said."""
    return at == deed.at + 1 and frame.side is Side.SERVER and _SAYS.fullmatch(deed.did.did) is not None


def decisive(found: Iterable[Deed], evidence: Iterable[Evidence]) -> Deed | None:
    """The one that is the evidence, or brought it about."""
    proofs = list(evidence)
    return next((deed for deed in found if any(_shows(each, deed) for each in proofs)), None)


def _shows(evidence: Evidence, deed: Deed) -> bool:
    if evidence.span is None:
        return deed.ends and evidence.note is not None and evidence.note >= deed.at
    side, start, end = evidence.span
    return any(each.side is side and each.start < end and each.end > start for each in deed.spans)


def of_verdict(view: View, verdict: Verdict) -> Verdict:
    """The verdict on a session in which mailproxy put something: that first."""
    if verdict.outcome is Outcome.OK or not (done := deeds(view.recording.entries)):
        return verdict
    ended = None if _refused(view, verdict) else next((deed for deed in done if deed.ends), None)
    deed = decisive(done, verdict.evidence) or ended
    told = _own(verdict, deed) if deed else _perhaps(verdict, done)
    first = told.evidence[0]
    return told._replace(findings=tuple(each for each in told.findings if each.evidence != (first,)))


def _refused(view: View, verdict: Verdict) -> bool:
    """Whether it was a refusal that decided, and not how the session ended."""
    spans = {reply.span for at in view.refusals if (reply := view.steps[at].reply)}
    return any(each.span in spans for each in verdict.evidence)


def _own(verdict: Verdict, deed: Deed) -> Verdict:
    meant = verdict.remedy and f" If a server does it: {verdict.remedy}"
    return verdict._replace(
        blame=Blame.NONE,
        also_possible=(Other(verdict.blame, ELSE),) if verdict.blame is not Blame.NONE else (),
        summary=f"{_told(deed.did, 'mailproxy itself')} Of a server it would mean: {verdict.summary}",
        evidence=(Evidence(note=deed.at), *(each for each in verdict.evidence if each.note != deed.at)),
        remedy=f"Leave the fault out.{meant}",
    )


def _perhaps(verdict: Verdict, done: Sequence[Deed]) -> Verdict:
    """The last that it did before that may have led there."""
    last = max((each.note for each in verdict.evidence if each.note is not None), default=done[-1].at)
    before = [deed for deed in done if deed.at <= last] or done[:1]
    summary = f"Before this, {_told(before[-1].did)} That may be why: {verdict.summary}"
    return verdict._replace(summary=summary, evidence=(Evidence(note=before[-1].at), *verdict.evidence))


def _told(did: Injected, who: str = "mailproxy") -> str:
    by = f' by --fault "{did.rule}"' if did.rule else ", as it was told"
    return f"{who} did this{by}: {did.did}."


def of_differences(found: Comparison) -> Comparison:
    """A comparison in which the differences that mailproxy made, in either session, say so first."""
    good, bad = deeds(found.good.entries), deeds(found.bad.entries)
    if not (good or bad):
        return found

    def told(each: Difference) -> Difference:
        deed = decisive(bad, each.bad_evidence) or decisive(good, each.good_evidence)
        return each._replace(told=f"{_told(deed.did, 'mailproxy itself')} {each.told}") if deed else each

    rows = tuple(row._replace(differences=tuple(map(told, row.differences))) for row in found.rows)
    deciding = told(found.deciding) if found.deciding else None
    return found._replace(rows=rows, around=tuple(map(told, found.around)), deciding=deciding)
