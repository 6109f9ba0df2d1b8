"""What TLS told of a session, in plain words."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from mailproxy.cli.render import paint, safe, say
from mailproxy.model.octets import Frame, Note, Side
from mailproxy.model.session import Leg, Recording
from mailproxy.model.tls import Certificate, Fault, TlsFacts

SHOWN: Final = 3


def tls(recording: Recording, full: bool = False) -> None:
    """Print it: a block for each leg, trouble in bold; `full` names all ciphers that were offered."""
    session = recording.session
    for leg in (session.client, session.server):
        for line, trouble in _leg(leg, full) if leg.tls else ((f"{leg.side}: {_without(leg.side, recording)}", False),):
            say(paint("# ", dim=True) + paint(safe(line), "magenta" if trouble else None, bold=trouble))


def _without(side: Side, recording: Recording) -> str:
    """What is known of TLS on a leg where nothing is kept of it."""
    for entry in recording.entries:
        match entry:
            case Note(text=text) if text.startswith("TLS passes through"):
                return "TLS, which passed through unread"
            case Frame(secure=True) if entry.side is side:
                return "TLS, of which a transcript tells no more"
    return "no TLS"


def _leg(leg: Leg, full: bool) -> Iterator[tuple[str, bool]]:
    """Its lines, each with whether it tells of trouble."""
    facts = leg.tls
    assert facts is not None
    yield f"{leg.side}: {_agreed(facts)}", False
    if facts.trouble:
        yield f"  TLS failed: {facts.trouble}", True
    for line in _offer(leg.side, facts, full):
        yield f"  {line}", False
    for number, certificate in enumerate(facts.chain):
        for line in _certificate(number, certificate):
            yield f"  {line}", False
    if facts.chain:
        yield f"  {_verdict(leg.side, facts)}", bool(facts.faults)


def _agreed(facts: TlsFacts) -> str:
    told = [facts.version, facts.cipher, facts.group and f"group {facts.group}", facts.alpn and f"ALPN {facts.alpn}"]
    return ", ".join(filter(None, told)) or "TLS, but nothing was agreed on"


def _offer(side: Side, facts: TlsFacts, full: bool) -> Iterator[str]:
    who = "the mail program" if side is Side.CLIENT else "mailproxy"
    if facts.offered or facts.server_name:
        name = f"asked for {facts.server_name}" if facts.server_name else "named no host"
        yield f"{who} {name} and offered {_some(facts.offered)}"
    if facts.offered_alpn:
        yield f"ALPN offered: {_some(facts.offered_alpn)}"
    if facts.offered_ciphers:
        ciphers = facts.offered_ciphers if full else facts.offered_ciphers[:SHOWN]
        more = len(facts.offered_ciphers) - len(ciphers)
        yield f"ciphers offered: {_some(ciphers)}" + (f", and {more} more (--full tells all)" if more else "")
    if facts.fingerprint:
        yield f"JA4: {facts.fingerprint}"


def _certificate(number: int, each: Certificate) -> Iterator[str]:
    yield f"certificate {number + 1}: {each.subject or each.title} ({each.key})"
    if each.names:
        yield f"  names: {_some(each.names)}"
    yield f"  issuer: {each.issuer}"
    yield f"  valid: {_day(each.not_before)} to {_day(each.not_after)}"
    yield f"  SHA-256: {each.fingerprint}"


def _verdict(side: Side, facts: TlsFacts) -> str:
    if not facts.checked:
        return "mailproxy made this chain" if side is Side.CLIENT else "nobody checked this chain"
    if not facts.faults:
        return "the chain is trusted"
    reason = f" ({facts.reason})" if facts.reason and facts.reason not in set(Fault) else ""
    return f"the chain is not trusted: {', '.join(facts.faults)}{reason}"


def _some(words: Sequence[str]) -> str:
    return ", ".join(words) or "nothing"


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
