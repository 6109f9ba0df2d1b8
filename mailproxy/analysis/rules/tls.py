"""TLS that failed, on which side, and why."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, FAULT, NETWORK, PROGRAM, others
from mailproxy.analysis.rules.tls_reasons import REASONS, Reason
from mailproxy.analysis.step import UPGRADES, accepted, evidence
from mailproxy.analysis.view import View
from mailproxy.model.finding import Evidence, Other, Outcome, Stage

FAILED: Final = re.compile(
    r"^TLS failed|^(?:start)?tls\b.*\bfail|ssl routines|sslhandshake|ssl_error|certificate verify failed"
    r"|wrong version number|handshake fail|tls(?:v1)? alert|schannel",
    re.I,
)
"""How a transcript, and how programs put it that TLS failed."""
DISTRUST: Final = "the server's certificate is not trusted: "
OURS: Final = "mailproxy's own certificate is not known to the mail program: run `mailproxy ca install`, and try again."
UNKNOWN_CA: Final = re.compile(r"unknown_ca|bad_certificate|certificate_unknown|unsupported_certificate")
TLS_PORTS: Final = frozenset({465, 993, 995})
ENDED: Final = re.compile(r"with the server.*(?:eof|reset|closed)", re.I)
LEFT: Final = ("closed by the client", "reset by the client")
VERSION: Final = re.compile(r"unsupported.protocol|protocol.version|no protocols available|version too low", re.I)
TOO_OLD: Final = Reason("", PROGRAM, (CONFIG, FAULT), "The mail program offers only versions of TLS that are too old.",
                        "Update the mail program, or the system it runs on; TLS 1.2 is what servers want.")  # fmt: skip
BROKEN: Final = Reason("", CONFIG, (PROGRAM, FAULT), "TLS could not be agreed upon.",
                       "Compare the settings with the provider's.")  # fmt: skip
HUNG_UP: Final = Reason("", FAULT, (NETWORK, CONFIG), "The server granted TLS, and hung up.",
                        "Tell the provider: its TLS seems not to be set up.")  # fmt: skip
WALKED_OFF: Final = Reason(
    "", CONFIG, (FAULT,), "The mail program left when it was shown mailproxy's certificate.", OURS
)


def failed(view: View) -> Iterator[Cause]:
    """Say what the line of trouble means."""
    for at, text in view.troubles:
        if not FAILED.search(text):
            continue
        place = _place(view)
        granted = place < len(view.steps) and view.steps[place].verb in UPGRADES and accepted(view.steps[place])
        if "with the client" in text and VERSION.search(text):
            yield _cause(at, place, TOO_OLD)
        elif "with the client" in text and "from the client" in text and DISTRUST not in view.facts:
            yield _distrusted(at, place, text)
        elif granted and re.search(r"with the server: (?:closed|reset|eof)", text):
            yield _cause(at, place, HUNG_UP)
        else:
            yield _cause(at, place, _broken_off(view, text, granted) or _reason(text) or BROKEN)
        return


def _broken_off(view: View, text: str, granted: bool) -> Reason | None:
    """The server ended the handshake where TLS was right: at a port for it, or when it had been granted."""
    right = granted or view.recording.session.server.port in TLS_PORTS
    return HUNG_UP if right and ENDED.search(text) and (_reason(text) is REASONS[-1]) else None


def _reason(text: str) -> Reason | None:
    return next((reason for reason in REASONS if re.search(reason.pattern, text, re.I)), None)


def _distrusted(at: int, place: int, text: str) -> Cause:
    """The client refuses what it was shown, and the server's own certificate is trusted: it was mailproxy's."""
    if UNKNOWN_CA.search(text):
        summary = "The mail program does not trust the certificate that mailproxy showed it."
        also = (Other(FAULT, "Without mailproxy the server's certificate may be refused too."),)
        return _cause(at, place, Reason("", CONFIG, (), summary, OURS))._replace(also=also)
    return _cause(at, place, Reason("", CONFIG, (FAULT, PROGRAM), "The mail program broke TLS off.", OURS))


def walked_off(view: View) -> Iterator[Cause]:
    """The client saw a certificate, and left without a word."""
    shown = next((at for at, note in view.notes if note.text.startswith("TLS with the client: ")), None)
    left = next((at for at, text in view.troubles if text.startswith(LEFT)), None)
    spoke = any(view.secure(i) and each.command for i, each in enumerate(view.steps))
    if shown is None or left is None or left < shown or spoke:
        return
    fault = next((note.text for _, note in view.notes if note.text.startswith(DISTRUST)), "")
    yield _cause(left, len(view.steps), _reason(fault) or WALKED_OFF)


def in_clear(view: View) -> Iterator[Cause]:
    """TLS was granted, and the client goes on in clear; the server hangs up."""
    left = next((at for at, text in view.troubles if re.match(r"(?:closed|reset) by the server", text)), None)
    for index, each in enumerate(view.steps[:-1]):
        following = view.steps[index + 1]
        silent = following.command is not None and not following.replies and not view.secure(index + 1)
        if each.verb in UPGRADES and accepted(each) and silent and left is not None:
            yield Cause(
                index + 1, 82, Stage.TLS, PROGRAM, "TLS was granted, and the client went on in clear.",
                "Update the mail program; behind STARTTLS or STLS it must begin TLS (RFC 3207 section 4).",
                (*evidence(each), *evidence(following), Evidence(note=left)), others((FAULT, NETWORK)),
                outcome=Outcome.FAILED,
            )  # fmt: skip


def before_hello(view: View) -> Iterator[Cause]:
    """STARTTLS was asked for before EHLO."""
    for index, each in enumerate(view.steps):
        refused = each.verb == "STARTTLS" and each.reply is not None and not accepted(each)
        if refused and each.reply and re.search(r"hello|helo", each.reply.text, re.I):
            yield Cause(
                index, 60, Stage.TLS, PROGRAM, "The client asked for STARTTLS before it had said EHLO.",
                "Update the mail program.", (Evidence(each.command), Evidence(each.reply.span)),
            )  # fmt: skip


def _place(view: View) -> int:
    """The step at which TLS failed: that which asked for it, else the beginning."""
    for index, each in enumerate(view.steps):
        if each.verb in UPGRADES:
            return index
    return min(1, len(view.steps))


def _cause(at: int, place: int, reason: Reason) -> Cause:
    return Cause(
        place, 80, Stage.TLS, reason.blame, reason.summary, reason.remedy, (Evidence(note=at),), others(reason.also),
        outcome=Outcome.FAILED,
    )  # fmt: skip


RULES: Final = (
    Rule("tls-failed", "TLS failed: the alert or the library's reason, on which side", failed),
    Rule("certificate-left", "the client left without a word once it was shown a certificate", walked_off),
    Rule("clear-after-starttls", "commands in clear once TLS was granted", in_clear),
    Rule("starttls-before-hello", "STARTTLS before EHLO", before_hello),
)
