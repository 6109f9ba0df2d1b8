"""Alerts of TLS and reasons of OpenSSL's, as programs and logs write them."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.app.lookup.answer import Answer, Trace
from mailproxy.store.search import Query
from mailproxy.wire.tls_names import ALERTS

OURS: Final = "See whether the mail program trusts mailproxy's own authority first (mailproxy ca)."
CHAIN: Final = (
    "The server must send its certificate with all between it and a known root, for the name that is asked for."
)
MEANINGS: Final = {
    "close_notify": ("One side took its leave under TLS. That is no failure.", ""),
    "unexpected_message": (
        "One side said something out of turn.",
        "See whether a proxy or a virus scanner is on the way.",
    ),
    "bad_record_mac": ("What came was not what had been sent.", "See whether something on the way changes octets."),
    "record_overflow": (
        "What came is no TLS: mostly speech in clear on a port with TLS.",
        "Change between TLS and STARTTLS.",
    ),
    "handshake_failure": ("Both have no version, cipher or group in common.", "Bring the older of both up to date."),
    "bad_certificate": ("The certificate was refused; often it is of another name.", f"{OURS} {CHAIN}"),
    "unsupported_certificate": ("The certificate is of a kind that the other does not take.", CHAIN),
    "certificate_revoked": ("The certificate was called back by its authority.", "The server needs a new certificate."),
    "certificate_expired": ("The certificate has expired, or a clock is wrong.", "The server needs a new certificate."),
    "certificate_unknown": ("The certificate was refused, it is not said why.", f"{OURS} {CHAIN}"),
    "illegal_parameter": ("One side said something that contradicts itself.", ""),
    "unknown_ca": ("Who checked the certificate does not trust its issuer.", f"{OURS} {CHAIN}"),
    "access_denied": ("The certificate is fine, but access is refused.", ""),
    "decode_error": ("One side could not read what the other sent.", ""),
    "decrypt_error": ("A signature or a check of the handshake was wrong.", ""),
    "protocol_version": (
        "Both have no version of TLS in common: mostly one offers TLS 1.1 at most.",
        "Bring it up to date.",
    ),
    "insufficient_security": (
        "The ciphers on offer are too weak for the other.",
        "Bring the older of both up to date.",
    ),
    "internal_error": ("One side failed for reasons of its own.", "Look into its log."),
    "inappropriate_fallback": ("A client tried an older version than needed; it may have been pushed to.", ""),
    "user_canceled": ("The handshake was cancelled.", ""),
    "no_renegotiation": ("A new handshake was refused.", ""),
    "missing_extension": ("Something that TLS 1.3 needs was not said.", ""),
    "unsupported_extension": ("Something was said that was not asked for.", ""),
    "unrecognized_name": (
        "The server has no certificate for the name that was asked for.",
        "Look at the server's name.",
    ),
    "certificate_required": ("The server wants a certificate of the client.", ""),
    "no_application_protocol": ("Both have no protocol (ALPN) in common.", ""),
}
"""Of the alerts that are met: what happened, and what to do."""

REASONS: Final = {
    "WRONG_VERSION_NUMBER": (
        "The other side does not speak TLS here: TLS from the start on a port in clear.",
        "wrong version number",
    ),
    "UNSUPPORTED_PROTOCOL": ("The other side offers only versions of TLS that are too old.", "unsupported protocol"),
    "NO_SHARED_CIPHER": ("Client and server have no cipher in common.", "no shared cipher"),
    "CERTIFICATE_VERIFY_FAILED": (
        "The server's certificate is not trusted: expired, of another name, self-signed, or without the certificates "
        "between.",
        "certificate",
    ),
    "UNEXPECTED_EOF_WHILE_READING": ("The connection was dropped in the middle of TLS, without an alert.", "eof"),
    "HTTP_REQUEST": ("A web browser, or a proxy, spoke where TLS was expected.", "http request"),
    "DH_KEY_TOO_SMALL": ("The server's key exchange is too weak.", "dh key too small"),
    "CERTIFICATE_HAS_EXPIRED": ("The server's certificate has expired.", "certificate has expired"),
    "HOSTNAME_MISMATCH": ("The server's certificate is of another name.", "hostname mismatch"),
    "SELF_SIGNED_CERTIFICATE": ("The server's certificate vouches for itself.", "self-signed certificate"),
    "UNABLE_TO_GET_LOCAL_ISSUER_CERTIFICATE": (
        "The server's certificate is of an authority that is not known, or certificates between are missing.",
        "unknown issuer",
    ),
}
"""OpenSSL's reasons as Python and logs have them: what they mean, and the words of a record."""

_ABOUT: Final = re.compile(r"alert|tls|ssl|handshake", re.IGNORECASE)
_PREFIX: Final = re.compile(r"(?:sslv3|tlsv1|tlsv13)_alert_")


def tls(text: str) -> Iterator[Answer]:
    """What the alerts and reasons in a text mean."""
    words = _PREFIX.sub("", re.sub(r"[^a-z0-9]+", "_", text.lower())).strip("_")
    for name in ALERTS.values():
        if _named(name, words, text):
            yield _alert(name)
    for reason, (means, said) in REASONS.items():
        if _named(reason.lower(), words, text):
            yield Answer("OpenSSL's reason", reason, means, "OpenSSL 3.0, seen", traces=(_trace(said),))


def _alert(name: str) -> Answer:
    number = next(number for number, each in ALERTS.items() if each == name)
    means, remedy = MEANINGS.get(name, ("One side broke the handshake off, by this alert.", ""))
    return Answer("TLS alert", f"{name} ({number})", means, "RFC 8446 section 6", remedy, (_trace(name),))


def _trace(said: str) -> Trace:
    return Trace(Query(failed=True, text=said))


def _named(name: str, words: str, text: str) -> bool:
    """Names in words of every day (access denied) are meant where the text is about TLS, or is nothing else."""
    about = words == name or name in text.lower() or bool(_ABOUT.search(text))
    return about and f"_{name}_" in f"_{words}_"
