"""Why TLS fails: the words of alerts and of libraries, most special first, and what they mean."""

from typing import Final, NamedTuple

from mailproxy.analysis.others import CONFIG, CREDENTIALS, FAULT, NETWORK
from mailproxy.model.finding import Blame


class Reason(NamedTuple):
    """A pattern of words, whose it is, who else it may be, one sentence, what to do."""

    pattern: str
    blame: Blame
    also: tuple[Blame, ...]
    summary: str
    remedy: str


REASONS: Final = (
    Reason(
        r"0x80090(?:302|331)|function requested is not supported|do not possess a common algorithm",
        FAULT, (CONFIG,), "Client and server have no version of TLS or no ciphers in common.",
        "The server needs TLS 1.2 or newer; to see what it says meanwhile: mailproxy record --tls-min 1.0.",
    ),
    Reason(
        r"this port of mailproxy is in clear",
        CONFIG, (), "The mail program uses TLS at a port of mailproxy that is in clear.",
        "Set its connection security to none for this port; mailproxy secures the way to the server itself.",
    ),
    Reason(
        r"wrong.version.number|unknown protocol|speaks in clear|does not speak tls|http request|clear-text greeting"
        r"|packet length too long|record layer failure",
        CONFIG, (FAULT,), "The other side speaks in clear where TLS was expected.",
        "Port and security do not fit: 465 and 995 want SSL/TLS, 587, 25 and 110 want STARTTLS or none.",
    ),
    Reason(
        r"certificate has expired|certificate[_ ]expired|not yet valid",
        FAULT, (CONFIG,), "The server's certificate is out of date.",
        "The provider must renew it; check this machine's clock too.",
    ),
    Reason(
        r"hostname mismatch|not valid for|ip address mismatch|altnames|alternative|did not match|not match",
        CONFIG, (FAULT,), "The server's certificate is for another name.",
        "Enter the name that stands in the certificate as server name.",
    ),
    Reason(
        r"self.signed certificate in (?:certificate )?chain|avast|avg\b|kaspersky|eset|bitdefender|mail shield",
        CONFIG, (NETWORK, FAULT), "The certificate was signed by an antivirus or by a private authority.",
        "Switch the mail inspection of the antivirus off, or let the mail program trust its authority.",
    ),
    Reason(
        r"self.signed",
        FAULT, (CONFIG,), "The server's certificate is signed by itself.",
        "Trust it in the mail program if it is your own server; a provider must get a proper one.",
    ),
    Reason(
        r"local issuer|unknown issuer|verify failed|unable to (?:get|verify)|unknown[_ ]ca|issuer",
        FAULT, (CONFIG,), "The server's certificate leads to no authority that is known here.",
        "The server must send its intermediate certificates too; else trust its authority in the mail program.",
    ),
    Reason(
        r"protocol[_ ]version|unsupported[_ ]protocol|no protocols available|inappropriate fallback"
        r"|unsupported version|version too low|wrong ssl version",
        FAULT, (CONFIG,), "Client and server have no version of TLS in common.",
        "The server needs TLS 1.2 or newer; to see what it says meanwhile: mailproxy record --tls-min 1.0.",
    ),
    Reason(
        r"no shared cipher|handshake[_ ]failure|insufficient[_ ]security|dh key too small|no ciphers|ee key too small"
        r"|sslv3 alert handshake",
        FAULT, (CONFIG,), "Client and server have no ciphers in common.",
        "The server's TLS settings are too old or too strict.",
    ),
    Reason(
        r"certificate[_ ]required|bad certificate.*client|peer did not return a certificate",
        CONFIG, (CREDENTIALS,), "The server wants a certificate of the client.",
        "Set a client certificate in the mail program (mailproxy record --client-cert).",
    ),
    Reason(
        r"within [\d.]+ s|timed out|timeout",
        NETWORK, (CONFIG, FAULT), "The handshake was never finished.",
        "A port that does not speak TLS, or a firewall on the way; compare with another network.",
    ),
    Reason(
        r"closed|eof|reset|unexpected",
        CONFIG, (FAULT, NETWORK), "The connection ended in the middle of the handshake.",
        "Port and security may not fit, or a firewall cuts TLS; compare with another network.",
    ),
)  # fmt: skip
