"""Whether a fault makes sense in a protocol."""

from mailproxy.protocols import named
from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults.fault import NO_TLS_SPOIL, Fault, FaultError


def check(fault: Fault, protocol: str, tls: bool = True) -> None:
    """Raises FaultError, with one line that says what to write, where a fault makes no sense in a protocol.

    `tls` tells whether mailproxy may come to speak TLS with the client.
    """
    known = named(protocol)
    if why := _unknown(fault, known) or fault.what.unsuited(known, fault.where):
        raise FaultError(why)
    if not tls and fault.what.tls() != NO_TLS_SPOIL:
        raise FaultError(f"{fault.kind.name!r} is for clients that use TLS, and nobody is offered it here")


def suits(fault: Fault, protocol: str) -> bool:
    """Whether it makes sense there."""
    try:
        check(fault, protocol)
    except FaultError:
        return False
    return True


def _unknown(fault: Fault, protocol: Protocol) -> str:
    if not fault.kind.fits(protocol):
        return f"{protocol.name} knows no {fault.kind.name!r}"
    verb, known = fault.where.verb, protocol.dialogue.known
    if verb and verb.encode() not in known:
        return f"{protocol.name} knows no {verb}: write one of {' '.join(sorted(each.decode() for each in known))}"
    return ""
