"""TLS over octets in memory: ciphertext in, plaintext out, and the other way round. No sockets.

**Alerts.** A failed handshake earns the peer an alert, and whoever explains failures must neither swallow nor
cause one: what `outgoing` holds is to be sent, after a failure too. Alerts that go in clear, in either direction, are
read off the wire; those under encryption are known by the name that OpenSSL gives the failure.

**Clear text.** A peer that speaks no TLS at all is kept in `clear`, so that what it said can be recorded.

**Endings.** `close_notify` of the peer sets `ended`, and ours, sent by `end`, still lets the peer speak: TLS knows half
a close (RFC 8446 section 6.1), as TCP does. What a peer never ended is cut short, and its caller knows: `eof`.
"""

import re
import ssl
from contextlib import suppress
from typing import Any, Final

from mailproxy.model.octets import Side
from mailproxy.wire.hello import ALERTS, Alert, ClientHello, Handshake, ServerHello

RECORD: Final = 16_384
DER: Final = 2  # X509_FILETYPE_ASN1 of OpenSSL's x509.h
KEPT: Final = 4096  # octets of a peer that speaks in clear
RECORD_TYPES: Final = frozenset({20, 21, 22, 23})  # RFC 8446 section 5.1
_ALERT: Final = re.compile(r"(?:SSLV3|TLSV1|TLSV13|SSL/TLS)_(?:ALERT_)?(\w+)")
ALERT_NUMBERS: Final = {name: number for number, name in ALERTS.items()}


class Tls:
    """One end of a TLS connection with `peer`: with a client we are the server, with a server the client.

    `open` once the handshake is over; `ended` once the peer has said close_notify; `failure` is one line that says why
    TLS failed, empty while it has not; `alert` the alert of that failure by its name in the registry, and `by` who
    sent it: `peer`, or the other side, which is we.
    """

    __slots__ = (
        "_begun", "_ear", "_ended", "_ending", "_in", "_object", "_out", "_waiting", "alert", "by", "clear", "ended",
        "failure", "hello", "open", "peer", "server_hello",
    )  # fmt: skip

    def __init__(self, peer: Side, context: ssl.SSLContext, name: str = "") -> None:
        """`name` is the server's, where we are the client; empty where it has none. Raises ValueError where it is
        no host name."""
        self.peer = peer
        self.open = False
        self.ended = False
        self.failure = ""
        self.alert = ""
        self.by: Side | None = None
        self.clear = b""
        self.hello: ClientHello | None = None
        self.server_hello: ServerHello | None = None
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        ours = peer is Side.CLIENT
        self._object = context.wrap_bio(self._in, self._out, server_side=ours, server_hostname=name or None)
        self._ear: Handshake | None = Handshake()
        self._waiting: list[bytes] = []
        self._ending = self._ended = False  # our close_notify is wished for, and has been said
        self._begun = False  # the peer has said something

    def begin(self) -> None:
        """Make the first move, where it is ours; `outgoing` holds it."""
        self._shake()

    def receive(self, octets: bytes) -> bytes:
        """Hear ciphertext; returns the plaintext that it makes whole."""
        if self.failure or not octets or not (self._begun or self._speaks_tls(octets)):
            return b""
        self._in.write(octets)
        if not self.open:
            self._hear(self.peer, octets)
            self._shake()
            if not self.open:
                return b""
        plain = self._read() if self._in.pending or self._object.pending() else b""
        if self._waiting and not self.failure:
            self._say_what_waited()
        return plain

    def outgoing(self) -> bytes:
        """Ciphertext to be sent, which is then forgotten here."""
        return self._out.read() if self._out.pending else b""

    def send(self, octets: bytes) -> bytes:
        """Ciphertext to be sent for `octets`; while there is a handshake they wait, and `outgoing` holds it later.

        What is sent behind `end`, or after a failure, goes nowhere.
        """
        if octets and not (self._ending or self.failure):
            self._waiting.append(octets)
            if self.open:
                self._say_what_waited()
        return self._out.read()

    def end(self) -> bytes:
        """Ciphertext that says close_notify, behind all that was sent; the peer may still speak."""
        if not self._ending:
            self._ending = True
            if self.open:
                self._say_what_waited()
        return self._out.read()

    def eof(self) -> None:
        """Hear that the connection has ended: before the handshake is over that is a failure."""
        if not self.open and not self.failure:
            self.failure = "closed in the middle of the handshake" if self.hello else "closed before the handshake"
            self.by = self.peer

    def give_up(self, why: str) -> None:
        """Fail for a reason of our own."""
        self.failure = self.failure or why

    # What the handshake came to.

    @property
    def version(self) -> str:
        """The version that was negotiated."""
        return self._object.version() or ""

    @property
    def cipher(self) -> str:
        """The cipher suite that was negotiated, by its name in the IANA registry where that is known."""
        if self.server_hello and not self.server_hello.cipher.startswith("0x"):
            return self.server_hello.cipher
        found = self._object.cipher()
        return found[0] if found else ""

    @property
    def alpn(self) -> str:
        """The protocol that was negotiated (RFC 7301)."""
        return self._object.selected_alpn_protocol() or ""

    @property
    def group(self) -> str:
        """The group of the key exchange."""
        return self.server_hello.group if self.server_hello else ""

    @property
    def alert_number(self) -> int | None:
        """The number of `alert`."""
        return ALERT_NUMBERS.get(self.alert)

    @property
    def peer_spoke(self) -> bool:
        """Whether the peer has said anything."""
        return self._begun

    def chain(self) -> list[bytes]:
        """The certificates that the server presented, leaf first, in DER; none where we are the server."""
        if self.peer is Side.CLIENT:
            return []
        if hasattr(self._object, "get_unverified_chain"):  # Python 3.13
            return list(self._object.get_unverified_chain())
        # Before that it is there, and has no public name.
        inner: Any = self._object._sslobj  # type: ignore[attr-defined]
        return [each.public_bytes(DER) for each in inner.get_unverified_chain() or ()]

    # Inside.

    def _speaks_tls(self, octets: bytes) -> bool:
        """Whether the first octets are those of TLS; what is not is kept."""
        self._begun = True
        if octets[0] in RECORD_TYPES:
            return True
        self.clear = octets[:KEPT]
        self.failure, self.by = "it speaks in clear", self.peer
        return False

    def _shake(self) -> None:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.failure, self.by = "ended with close_notify in the middle of the handshake", self.peer
        except ssl.SSLError as error:
            self._failed(error)
        else:
            self.open = True
        octets = self._out.read()
        if octets:
            self._hear(self.peer.other, octets)
        if self.open:
            self._ear = None
            self._say_what_waited()
        octets += self._out.read()
        self._out.write(octets)

    def _say_what_waited(self) -> None:
        """Say it, and close_notify behind it; both wait for another handshake (RFC 5246 section 7.4.1.1) to be over."""
        waiting, self._waiting = self._waiting, []
        for at, octets in enumerate(waiting):
            try:
                self._object.write(octets)
            except ssl.SSLWantReadError:
                self._waiting = waiting[at:]
                return
            except ssl.SSLError as error:
                self._failed(error)
                return
        if self._ending and not self._ended:
            self._ended = True
            with suppress(ssl.SSLError):  # the peer's own close_notify has not come, or never will
                self._object.unwrap()

    def _read(self) -> bytes:
        read, pending = self._object.read, self._in
        chunks: list[bytes] = []
        try:
            while True:
                chunk = read(RECORD)
                if not chunk:
                    self.ended = True
                    break
                chunks.append(chunk)
                if not pending.pending:
                    break
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:  # both sides have said close_notify
            self.ended = True
        except ssl.SSLError as error:
            self._failed(error)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _hear(self, side: Side, octets: bytes) -> None:
        if self._ear is None:
            return
        for fact in self._ear.hear(side, octets):
            match fact.heard:
                case Alert(side=by, fatal=True, description=str(name)) if name and not self.alert:
                    self.alert, self.by = name, by
        self.hello, self.server_hello = self._ear.client, self._ear.server

    def _failed(self, error: ssl.SSLError) -> None:
        reason = error.reason or ""
        sent = self._out.read()
        if sent:
            self._hear(self.peer.other, sent)
            self._out.write(sent)
        named = _ALERT.fullmatch(reason)
        if named and (name := named[1].lower()) in ALERT_NUMBERS:
            self.alert, self.by = name, self.peer
        if self.by is self.peer and self.alert:
            self.failure = f"alert {self.alert} from the {self.peer}"
            return
        why = reason.replace("_", " ").lower() or type(error).__name__
        self.failure = f"alert {self.alert} from mailproxy: {why}" if self.alert else why


def _in_version(record: bytes, version: str) -> bytes:
    """A record as of the version that was agreed upon (RFC 8446 section 5.1)."""
    return record[:1] + {"TLSv1": b"\x03\x01", "TLSv1.1": b"\x03\x02"}.get(version, b"\x03\x03") + record[3:]


def hello() -> bytes:
    """A ClientHello that names no host (RFC 8446 section 4.1.2), as OpenSSL says it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    tls = Tls(Side.SERVER, context)
    tls.begin()
    return tls.outgoing()


class Refusal(Tls):
    """Our end of a handshake that we refuse: the peer's hello is heard and answered by an alert, whatever it holds."""

    __slots__ = ("_record",)

    def __init__(self, peer: Side, context: ssl.SSLContext, record: bytes, name: str = "") -> None:
        """`record` is a fatal alert in clear (RFC 8446 sections 5.1 and 6)."""
        super().__init__(peer, context, name)
        self._record = record

    def _shake(self) -> None:
        if self.server_hello:
            self._record = _in_version(self._record, self.server_hello.version)
        if self.hello if self.peer is Side.CLIENT else self.server_hello:
            self._out.write(self._record)
            self._hear(self.peer.other, self._record)
            self.failure = f"alert {self.alert} from mailproxy: a fault that was asked for"
        elif self.peer is Side.SERVER:
            super()._shake()
