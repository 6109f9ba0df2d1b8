"""How the legs of a session are secured: with which certificates, which versions, and what is made of the server's."""

import os
import ssl
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from mailproxy.model.octets import Side
from mailproxy.model.tls import Certificate, Fault, TlsFacts, Verify
from mailproxy.net.authority import Authority, Leaf
from mailproxy.net.certificates import certificate
from mailproxy.net.dial import family
from mailproxy.net.trust import Trust
from mailproxy.talk.faults.fault import NO_TLS_SPOIL, TlsSpoil
from mailproxy.talk.ways import ALERT_RECORD
from mailproxy.wire.tls import Refusal, Tls

HANDSHAKE: Final = 60.0
LOWEST: Final = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
OLD: Final = frozenset({"1.0", "1.1"})
LEGACY_SERVER_CONNECT: Final = getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)


class Terms(NamedTuple):
    """What the user wants of TLS: the lowest version (`1.0` to `1.3`, empty for OpenSSL's own), a file for the keys of
    sessions (SSLKEYLOGFILE), a PEM file with the certificate and key to show to servers, seconds for a handshake."""

    verify: Verify = Verify.MIRROR
    tls_min: str = ""
    keylog: Path | None = None
    client_cert: Path | None = None
    patience: float = HANDSHAKE


class Office:
    """The certificate authority, and the roots that servers are judged by; both are made when first needed."""

    def __init__(self, authority: Callable[[], Authority], trust: Callable[[], Trust]) -> None:
        self._authority, self._trust = authority, trust
        self._authority_made: Authority | None = None
        self._trust_made: Trust | None = None

    @property
    def authority(self) -> Authority:
        """Who issues what the client is shown. Raises AuthorityError."""
        self._authority_made = self._authority_made or self._authority()
        return self._authority_made

    @property
    def trust(self) -> Trust:
        """What the server's certificates are judged by."""
        self._trust_made = self._trust_made or self._trust()
        return self._trust_made


class Securing:
    """Secures the two legs of one session. `names` are those that the client may know its server by, `host` is the
    server's."""

    __slots__ = ("_host", "_names", "_office", "_server", "_shown", "terms")

    def __init__(self, office: Office, terms: Terms, host: str, names: tuple[str, ...]) -> None:
        self.terms = terms
        self._office = office
        self._host = host
        self._names = names
        self._server = TlsFacts()
        self._shown: tuple[bytes, ...] = ()

    @property
    def patience(self) -> float:
        """Seconds that a handshake may take."""
        return self.terms.patience

    def begin(self, side: Side, spoil: TlsSpoil = NO_TLS_SPOIL) -> Tls:
        """Begin TLS with a peer; `spoil` is what is to be wrong with it, with a server only that an alert refuses it.
        Raises AuthorityError and ssl.SSLError where no certificate can be shown."""
        alert = b"" if spoil.alert is None else ALERT_RECORD + bytes([spoil.alert])
        if side is Side.SERVER:
            name = "" if family(self._host) else self._host.rstrip(".")
            context = towards_server(self.terms)
            return Refusal(side, context, alert, name) if alert else Tls(side, context, name)
        leaf = self._leaf(spoil)
        self._shown = leaf.chain
        context = towards_client(leaf, self.terms)
        return Refusal(side, context, alert) if alert else Tls(side, context)

    def _leaf(self, spoil: TlsSpoil) -> Leaf:
        like = self._server.chain[0] if self._server.chain else None
        faults = self._server.faults if self.terms.verify is Verify.MIRROR else ()
        if spoil.faults:
            if Fault.WRONG_NAME in spoil.faults.difference(faults):
                like = None  # the server's names are the right ones
            faults = (*faults, *sorted(spoil.faults.difference(faults)))
        return self._office.authority.leaf(like, faults, self._names, datetime.now(UTC))

    def facts(self, tls: Tls) -> TlsFacts:
        """What is known of TLS with a peer, when it has begun or failed."""
        chain = tuple(map(certificate, tls.chain() if tls.peer is Side.SERVER else self._shown))
        facts = _facts(tls, chain)
        if tls.peer is Side.SERVER:
            self._server = facts = self._judged(facts)
        return facts

    def shown(self, facts: TlsFacts) -> None:
        """Hear what a server that stands in has presented: the client is shown its like."""
        self._server = facts

    def _judged(self, facts: TlsFacts) -> TlsFacts:
        if not facts.chain:
            return facts
        host = self._host.rstrip(".")
        found = self._office.trust.judge([each.der for each in facts.chain], host, datetime.now(UTC))
        return replace(facts, checked=True, faults=found.faults, reason=found.reason)


def _facts(tls: Tls, chain: tuple[Certificate, ...]) -> TlsFacts:
    hello = tls.hello
    return TlsFacts(
        version=tls.version if tls.open else "",
        cipher=tls.cipher if tls.open else "",
        group=tls.group,
        server_name=hello.name if hello else "",
        alpn=tls.alpn if tls.open else "",
        offered=hello.versions if hello else (),
        offered_ciphers=hello.ciphers if hello else (),
        offered_alpn=hello.alpn if hello else (),
        fingerprint=hello.fingerprint if hello else "",
        chain=chain,
        trouble=tls.failure,
    )


@lru_cache(64)
def towards_server(terms: Terms) -> ssl.SSLContext:
    """What servers are met with. Certificates are judged afterwards, so that the session can go on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _lower(context, terms)
    if terms.client_cert:
        context.load_cert_chain(terms.client_cert)
    return context


@lru_cache(256)
def towards_client(leaf: Leaf, terms: Terms) -> ssl.SSLContext:
    """What clients are met with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf.path)
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    _lower(context, terms)
    return context


def _lower(context: ssl.SSLContext, terms: Terms) -> None:
    if terms.tls_min:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that is what the user asked for
            context.minimum_version = LOWEST[terms.tls_min]
    if terms.tls_min in OLD:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.options |= LEGACY_SERVER_CONNECT
    if terms.keylog:
        os.close(os.open(terms.keylog, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))  # for nobody else's eyes
        context.keylog_filename = str(terms.keylog)
