"""What a failed stage means, in plain words, and what to try. All of it is escaped for screens."""

from collections.abc import Sequence
from typing import Final

from mailproxy.model.exchange import Reply
from mailproxy.model.session import How
from mailproxy.model.tls import Fault, Security, TlsFacts
from mailproxy.protocols.descriptor import Protocol
from mailproxy.protocols.guide import explain
from mailproxy.talk.probe.asked import Asked
from mailproxy.talk.probe.offers import Offers, first_line, spoken, told
from mailproxy.talk.ways import Insecure
from mailproxy.wire.sniff import Sniffed, sniff

UNREACHABLE: Final = {
    How.REFUSED: "nobody listens at this port: submission is at 465 or 587, POP3 at 995 or 110",
    How.TIMED_OUT: "the host is away, or a firewall on the way swallows it: many networks let nobody out to port 25",
    How.NO_ROUTE: "there is no way there from here: is the network up, and has it IPv6 where that was asked for?",
    How.NO_NAME: "is the name spelled right, and does DNS work here?",
}
STRAY: Final = "whoever stands between could put words into the server's mouth (CVE-2011-0411)"
ENDED: Final = "it turns this address away without a word, or awaits TLS"
SLOW: Final = "is it busy? try it again, or with a longer --timeout"
_ALERTS: Final = {
    40: "the server has no cipher or version in common with mailproxy: --tls-min 1.0 allows old ones",
    49: "the server lets nobody in from here",
    70: "the server knows only versions of TLS that are too old and should be brought up to date: --tls-min 1.0 "
    "asks it all the same",
    71: "the server asks for stronger cryptography",
    112: "the server does not know this name: ask for it by the name in its certificate",
    116: "the server wants a certificate of whoever calls",
}
_OLD: Final = ("unsupported protocol", "wrong ssl version", "version too low")
_WEAK: Final = ("dh key too small", "no ciphers available", "unsafe legacy renegotiation disabled", "bad ecpoint")
_FAULTS: Final = {
    Fault.EXPIRED: "it must be renewed on the server; is the clock of this computer right?",
    Fault.NOT_YET_VALID: "is the clock of this computer right?",
    Fault.SELF_SIGNED: "nobody vouches for it: where you know that it is the server's own, name it with --trust FILE",
    Fault.OTHER: "mail programs may refuse it: it must be replaced on the server",
}


def silent(asked: Asked, protocol: Protocol, secure: bool) -> str:
    """Why a server may say nothing once it was reached, or once TLS has begun."""
    if secure:
        return f"whoever is there knows TLS, and awaits something else than {protocol.name.upper()}: a web server?"
    if protocol.tls is None:
        return "whoever is there waits to be spoken to, which no mail server does"
    return f"it may wait for TLS: try {asked.url(protocol, Security.TLS)}"


def stranger(asked: Asked, octets: bytes) -> tuple[str, str]:
    """Who it is that begins with these octets, and what to try."""
    match sniff(octets):
        case Sniffed.HTTP:
            return f"that is no mail server, but a web server: {first_line(octets)}", ""
        case Sniffed.SSH:
            return f"that is no mail server, but SSH: {first_line(octets)}", ""
        case Sniffed.TLS | Sniffed.TLS_ALERT:
            return "it speaks TLS at once", "name a scheme that begins so: smtps:// or pop3s://"
        case _:
            pass
    if octets.startswith((b"* OK", b"* PREAUTH", b"* BYE")):
        return f"that is IMAP, which is not spoken here: {first_line(octets)}", "ask its SMTP or POP3 port"
    if found := spoken(octets):
        return f"that is {found.name.upper()}: {first_line(octets)}", f"try {asked.url(found, Security.NONE)}"
    return f"that is no greeting of a mail server: {first_line(octets)}", ""


def insecure(asked: Asked, why: Insecure, implicit: bool) -> tuple[str, str]:
    """How TLS has failed, and what to try."""
    if why.clear:
        found = spoken(why.clear)
        if found and found.starttls:
            wanted = Security.STARTTLS
            return f"{why.reason}: this is a STARTTLS port", f"try {asked.url(found, wanted)}"
        who, hint = stranger(asked, why.clear)
        return f"{why.reason}: {who}", hint
    if why.alert in _ALERTS:
        return why.reason, _ALERTS[why.alert]
    if why.reason.endswith(_OLD):
        return why.reason, _ALERTS[70]
    if why.reason.endswith(_WEAK):
        return why.reason, "the server's cryptography is too old and should be replaced: --tls-min 1.0 allows it"
    return (
        why.reason,
        "it may speak in clear until it is asked for TLS: try a scheme with +starttls" if implicit else "",
    )


def without_starttls(asked: Asked, protocol: Protocol, offers: Offers) -> str:
    """Why STARTTLS may be missing."""
    hidden = any("XXXX" in line or "****" in line for line in offers.lines)
    if hidden:
        return "a firewall between here and there overwrites it (inspect esmtp): it must be told not to"
    return f"the server has no TLS here, or something on the way hides it: try {_tls_port(asked, protocol)}"


def _tls_port(asked: Asked, protocol: Protocol) -> str:
    port = protocol.tls.server if protocol.tls else asked.port
    return asked._replace(port=port).url(protocol, Security.TLS)


def reply(protocol: Protocol, said: Reply | None) -> tuple[str, str]:
    """A reply as it was said, and in plain words."""
    return (told(said), explain(protocol.name, said.code, said.enhanced)) if said else ("no reply", "")


def distrusted(facts: TlsFacts) -> tuple[str, str]:
    """Why a chain is not trusted, and what to try against the first of its faults."""
    reason = ", ".join(facts.faults)
    if facts.reason and Fault.OTHER in facts.faults:
        reason += f" ({facts.reason})"
    return f"not trusted: {reason}", _against(facts, facts.faults[0])


def _against(facts: TlsFacts, fault: Fault) -> str:
    match fault:
        case Fault.WRONG_NAME:
            return f"it is for {_names(facts.chain[0].names)}: ask for the server by that name"
        case Fault.UNKNOWN_ISSUER if len(facts.chain) == 1:
            return (
                "the server does not send the certificates between its own and a known root, or the issuer is a "
                "private one: name its root with --trust FILE"
            )
        case Fault.UNKNOWN_ISSUER:
            return "name the issuer's root with --trust FILE; is it an antivirus program that reads mail on its way?"
        case _:
            return _FAULTS[fault]


def _names(names: Sequence[str]) -> str:
    more = " and others" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more if names else "no name"
