"""What TLS told of a session, for a report."""

from collections.abc import Iterator, Sequence
from typing import Final

from mailproxy.app.report.names import Names
from mailproxy.model.octets import Frame, Note, Side
from mailproxy.model.session import Leg, Recording
from mailproxy.model.tls import Certificate, Fault, TlsFacts

_MOST: Final = 8  # names of a certificate, and ciphers


def secured(recording: Recording, names: Names | None) -> tuple[tuple[str, ...], ...]:
    """A paragraph of lines for each leg; with `names` nothing in them tells whose it is."""
    session = recording.session
    return tuple(tuple(_leg(leg, recording, names)) for leg in (session.client, session.server))


def _leg(leg: Leg, recording: Recording, names: Names | None) -> Iterator[str]:
    with_whom = "the mail program" if leg.side is Side.CLIENT else "the server"
    facts = leg.tls
    if facts is None:
        yield f"With {with_whom}: {_hidden(_without(leg.side, recording), names)}."
        return
    agreed = [facts.version, facts.cipher, facts.group and f"group {facts.group}", facts.alpn and f"ALPN {facts.alpn}"]
    yield f"With {with_whom}: {', '.join(filter(None, agreed)) or 'TLS, but nothing was agreed on'}."
    if facts.trouble:
        yield f"TLS failed: {_hidden(facts.trouble, names)}."
    yield from _offer(leg.side, facts, names)
    for number, certificate in enumerate(facts.chain, 1):
        yield from _certificate(number, certificate, names)
    if facts.chain:
        yield _verdict(leg.side, facts, names)


def _offer(side: Side, facts: TlsFacts, names: Names | None) -> Iterator[str]:
    who = "The mail program" if side is Side.CLIENT else "mailproxy"
    if facts.offered or facts.server_name:
        name = f"asked for {_hidden(facts.server_name, names)}" if facts.server_name else "named no host"
        yield f"{who} {name} and offered {', '.join(facts.offered) or 'nothing'}."
    if facts.offered_ciphers and not facts.cipher:
        yield f"Ciphers offered: {_some(facts.offered_ciphers)}."


def _certificate(number: int, each: Certificate, names: Names | None) -> Iterator[str]:
    subject, issuer = each.subject or each.title, each.issuer
    if names:
        subject, issuer = names.party(subject), names.party(issuer)
    yield f"Certificate {number}: {subject} ({each.key})"
    if each.names:
        yield f"  names: {_some([_hidden(name, names) for name in each.names])}"
    yield f"  issuer: {issuer}"
    yield f"  valid: {each.not_before:%Y-%m-%d} to {each.not_after:%Y-%m-%d}"
    if not names:
        yield f"  SHA-256: {each.fingerprint}"


def _verdict(side: Side, facts: TlsFacts, names: Names | None) -> str:
    if not facts.checked:
        return "mailproxy made this chain." if side is Side.CLIENT else "Nobody checked this chain."
    if not facts.faults:
        return "The chain is trusted."
    reason = facts.reason if facts.reason not in set(Fault) else ""
    told = ", ".join(facts.faults) + (f" ({_hidden(reason, names)})" if reason else "")
    return f"The chain is not trusted: {told}."


def _without(side: Side, recording: Recording) -> str:
    for entry in recording.entries:
        match entry:
            case Note(text=text) if text.startswith((f"TLS with the {side}: ", f"TLS failed with the {side}: ")):
                return text.replace(f" with the {side}", "")
            case Note(text=text) if text.startswith("TLS passes through"):
                return "TLS, which passed through unread"
            case Frame(secure=True) if entry.side is side:
                return "TLS, of which no more is known"
    return "no TLS"


def _hidden(text: str, names: Names | None) -> str:
    return names.hidden(text) if names else text


def _some(words: Sequence[str]) -> str:
    more = len(words) - _MOST
    return ", ".join(words[:_MOST]) + (f", and {more} more" if more > 0 else "")
