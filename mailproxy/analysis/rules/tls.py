"""TLS that failed, on which side, and why."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, CREDENTIALS, FAULT, NETWORK, PROGRAM, others
from mailproxy.analysis.view import UPGRADES, View, accepted
from mailproxy.model.finding import Blame, Evidence, Other, Outcome, Stage

DISTRUST: Final = "the server's certificate is not trusted: "
OURS: Final = "mailproxy's own certificate is not known to the mail program: run `mailproxy ca install`, and try again."
REASONS: Final = (
    (
        r"this port of mailproxy is in clear",
        CONFIG,
        (),
        "The mail program uses TLS at a port of mailproxy that is in clear.",
        "Set its connection security to none for this port; mailproxy secures the way to the server itself.",
    ),
    (r"wrong.version.number|unknown protocol|speaks in clear|does not speak tls|http request|clear-text greeting|packet length too long|record layer failure",
     CONFIG, (FAULT,), "The other side speaks in clear where TLS was expected.",
     "Port and security do not fit: 465 and 995 want SSL/TLS, 587, 25 and 110 want STARTTLS or none."),
    (r"certificate has expired|certificate_expired|not yet valid",
     FAULT, (CONFIG,), "The server's certificate is out of date.", "The provider must renew it; check this machine's clock too."),
    (r"hostname mismatch|not valid for|ip address mismatch",
     CONFIG, (FAULT,), "The server's certificate is for another name.", "Enter the name that stands in the certificate as server name."),
    (r"self.signed", FAULT, (CONFIG,), "The server's certificate is signed by itself.",
     "Trust it in the mail program if it is your own server; a provider must get a proper one."),
    (r"local issuer|unknown issuer|verify failed|unable to (?:get|verify)|unknown_ca|issuer", FAULT, (CONFIG,),
     "The server's certificate leads to no authority that is known here.",
     "The server must send its intermediate certificates too; else trust its authority in the mail program."),
    (r"protocol_version|unsupported protocol|unsupported version|version too low|wrong ssl version", FAULT, (CONFIG,),
     "Client and server have no version of TLS in common.",
     "The server needs TLS 1.2 or newer; to see what it says meanwhile: mailproxy record --tls-min 1.0."),
    (r"no shared cipher|handshake_failure|insufficient_security|dh key too small|no ciphers|ee key too small|sslv3 alert handshake", FAULT, (CONFIG,),
     "Client and server have no ciphers in common.", "The server's TLS settings are too old or too strict."),
    (r"certificate_required|bad certificate.*client|peer did not return a certificate", CONFIG, (CREDENTIALS,),
     "The server wants a certificate of the client.", "Set a client certificate in the mail program (mailproxy record --client-cert)."),
    (r"within [\d.]+ s|timed out|timeout", NETWORK, (CONFIG, FAULT), "The handshake was never finished.",
     "A port that does not speak TLS, or a firewall on the way; compare with another network."),
    (r"closed|eof|reset|unexpected", CONFIG, (FAULT, NETWORK), "The connection ended in the middle of the handshake.",
     "Port and security may not fit, or a firewall cuts TLS; compare with another network."),
)  # fmt: skip


def look(view: View) -> Iterator[Cause]:
    """Say what the line of trouble means."""
    for at, text in view.troubles:
        if not text.startswith("TLS failed"):
            continue
        place = _place(view, at)
        if "with the client" in text and "from the client" in text and DISTRUST not in view.facts:
            yield _distrusted(at, place, text)
            return
        granted = place < len(view.steps) and view.steps[place].verb in UPGRADES and accepted(view.steps[place])
        if granted and re.search(r"with the server: (?:closed|reset|eof)", text):
            yield _cause(at, place, FAULT, "The server granted TLS, and hung up.",
                         "Tell the provider: its TLS seems not to be set up.", others((NETWORK, CONFIG)))  # fmt: skip
            return
        for pattern, blame, also, summary, remedy in REASONS:
            if re.search(pattern, text, re.I):
                yield _cause(at, place, Blame(blame), summary, remedy, others(also))
                return
        yield _cause(at, place, CONFIG, "TLS could not be agreed upon.", "Compare the settings with the provider's.",
                     others((PROGRAM, FAULT)))  # fmt: skip
        return


def _distrusted(at: int, place: int, text: str) -> Cause:
    """The client refuses what it was shown, and the server's own certificate is trusted: it was mailproxy's."""
    known = ("unknown_ca", "bad_certificate", "certificate_unknown", "unsupported_certificate")
    if any(each in text for each in known):
        return _cause(at, place, CONFIG, "The mail program does not trust the certificate that mailproxy showed it.", OURS,
                      (Other(FAULT, "Without mailproxy the server's certificate may be refused too."),))  # fmt: skip
    return _cause(at, place, CONFIG, "The mail program broke TLS off.", OURS, others((FAULT, PROGRAM)))


def hung_up(view: View) -> Iterator[Cause]:
    """The client saw a certificate, and left without a word."""
    shown = next((at for at, note in view.notes if note.text.startswith("TLS with the client: ")), None)
    left = next(
        (at for at, text in view.troubles if text.startswith(("closed by the client", "reset by the client"))), None
    )
    if (
        shown is None
        or left is None
        or left < shown
        or any(view.secure(i) and each.command for i, each in enumerate(view.steps))
    ):
        return
    fault = next((note.text for _, note in view.notes if note.text.startswith(DISTRUST)), "")
    for pattern, blame, also, summary, remedy in REASONS if fault else ():
        if re.search(pattern, fault, re.I):
            yield _cause(left, len(view.steps), Blame(blame), summary, remedy, others(also))
            return
    yield _cause(
        left,
        len(view.steps),
        CONFIG,
        "The mail program left when it was shown mailproxy's certificate.",
        OURS,
        others((FAULT,)),
    )


def before_hello(view: View) -> Iterator[Cause]:
    """STARTTLS was asked for before EHLO."""
    for index, each in enumerate(view.steps):
        if (
            each.verb == "STARTTLS"
            and not accepted(each)
            and each.reply
            and re.search(r"hello|helo", each.reply.text, re.I)
        ):
            yield Cause(index, 60, Stage.TLS, PROGRAM, "The client asked for STARTTLS before it had said EHLO.",
                        "Update the mail program.", (Evidence(each.command), Evidence(each.reply.span)))  # fmt: skip


def _place(view: View, at: int) -> int:
    """The step at which TLS failed: that which asked for it, else the beginning."""
    for index, each in enumerate(view.steps):
        if each.verb in UPGRADES:
            return index
    return 0 if not view.steps else min(1, len(view.steps))


def _cause(at: int, place: int, blame: Blame, summary: str, remedy: str, also: tuple[Other, ...]) -> Cause:
    return Cause(place, 80, Stage.TLS, blame, summary, remedy, (Evidence(note=at),), also, outcome=Outcome.FAILED)


RULES: Final = (
    Rule("tls-failed", "TLS failed: the alert or the library's reason, on which side", look),
    Rule("certificate-left", "the client left without a word once it was shown a certificate", hung_up),
    Rule("starttls-before-hello", "STARTTLS before EHLO", before_hello),
)
