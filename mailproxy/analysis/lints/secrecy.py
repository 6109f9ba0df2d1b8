"""What others on the way can read, and certificates and versions of TLS that will not do for long."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from mailproxy.analysis.lint import Found, Lint, times
from mailproxy.analysis.step import UPGRADES, accepted, evidence
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.finding import Evidence

IN_CLEAR: Final = frozenset({"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"})
OLD: Final = re.compile(r"TLS with the (client|server): (SSLv[23]|TLSv1(?:\.[01])?)(?=,|$)")
LOOPBACK: Final = ("127.", "::1")
INSPECTORS: Final = re.compile(
    r"\b(?:avast|avg|kaspersky|eset|bitdefender|mcafee|norton|sophos|g ?data|avira|dr\.?web|f-secure|trend micro"
    r"|fortinet|fortigate|zscaler|palo alto|checkpoint|mail ?shield|web ?shield|ssl inspection|mitmproxy)\b",
    re.I,
)
"""Makers and products whose own authorities are seen as issuers."""
SOON: Final = timedelta(days=14)


def password(view: View) -> Iterator[Found]:
    """A password or a token that went to the server in clear (RFC 8314 section 3)."""
    index = _in_clear(view)
    if index is not None:
        offered = ", though the server offers TLS" if view.offers(index, _upgrade(view)) else ""
        yield Found(f"The password went over the wire in clear{offered}.", evidence(view.steps[index])[:1])


def _in_clear(view: View) -> int | None:
    """The first step that told a password which anybody on the way could read."""
    if _server_secured(view) or view.recording.session.server.address.startswith(LOOPBACK):
        return None
    steps = enumerate(view.steps)
    return next((index for index, each in steps if _tells_secret(view, each) and not view.secure(index)), None)


def _tells_secret(view: View, each: Exchange) -> bool:
    if each.verb == "AUTH":
        return each.argument.split(" ")[0].upper() in IN_CLEAR and Flag.SECRET in each.flags
    return (each.verb == "PASS" and not view.smtp) or (each.verb == "HELO" and view.protocol == "pop2")


def _upgrade(view: View) -> str:
    return "STARTTLS" if view.smtp else "STLS"


def _server_secured(view: View) -> bool:
    """Whether the way to the server is under TLS, though the client's may not be."""
    told = any(note.text.startswith("TLS with the server") for _, note in view.notes)
    facts = view.recording.session.server.tls
    return told or (facts is not None and bool(facts.version))


def unused(view: View) -> Iterator[Found]:
    """TLS that was offered for submission or fetching, while the client went on in clear."""
    session = view.recording.session
    upgraded = view.secure_from is not None or any(each.verb in UPGRADES for each in view.steps)
    between_servers = session.protocol == "lmtp" or session.server.port == 25
    if _server_secured(view) or upgraded or between_servers or _in_clear(view) is not None:
        return
    for index, each in enumerate(view.steps):
        if each.verb in {"AUTH", "APOP", "MAIL"} and accepted(each) and view.offers(index, _upgrade(view)):
            yield Found(f"The server offers {_upgrade(view)}, and the client went on in clear.", evidence(each)[:1])
            return


def expiring(view: View) -> Iterator[Found]:
    """A certificate of the server that is good for some days only."""
    session = view.recording.session
    if session.server.tls is None or not session.server.tls.chain:
        return
    left = session.server.tls.chain[0].not_after - session.started
    if timedelta(0) < left < SOON:
        days = times(left.days, "day")
        yield Found(
            f"The server's certificate runs out within {days if left.days else 'a day'}.", _notes(view, "server")
        )


def resigned(view: View) -> Iterator[Found]:
    """A certificate that a product on this machine or on the way has signed anew, to read what goes under it."""
    tls = view.recording.session.server.tls
    signed = INSPECTORS.search(tls.chain[0].issuer) if tls and tls.chain else None
    if signed:
        yield Found(
            f"The server's certificate is signed by {signed[0]}: that product reads the mail on its way.",
            _notes(view, "server"),
        )


def old(view: View) -> Iterator[Found]:
    """TLS before 1.2 (RFC 8996)."""
    for at, note in view.notes:
        if told := OLD.match(note.text):
            summary = f"The {told[1]} speaks {told[2]}, which is no longer safe (RFC 8996)."
            yield Found(summary, (Evidence(note=at),))


def _notes(view: View, side: str) -> tuple[Evidence, ...]:
    return tuple(Evidence(note=at) for at, note in view.notes if note.text.startswith(f"TLS with the {side}"))


LINTS: Final = (
    Lint("password-in-clear", "a password that went over the wire in clear", password),
    Lint("tls-unused", "STARTTLS or STLS that was offered and not used", unused),
    Lint("certificate-expires", "a certificate that runs out within 14 days", expiring),
    Lint("certificate-by-inspector", "a certificate that an antivirus product or a firewall has signed anew", resigned),
    Lint("tls-old", "TLS before 1.2", old),
)
