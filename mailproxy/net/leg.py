"""One connection: octets come in by callback, go out at once where there is room, and wait where there is none.

TLS is put on and taken off here: whoever listens hears plaintext, and what became of the handshake.
"""

import errno
import socket
import struct
from contextlib import suppress
from typing import Final, Protocol

from mailproxy.model.octets import Side
from mailproxy.model.session import How
from mailproxy.net.poll import Poller
from mailproxy.wire.tls import Tls

CHUNK: Final = 262_144
_RESET: Final = struct.pack("ii", 1, 0)
_TIMEOUTS: Final = frozenset({errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH})


class Hold:
    """Why a leg is not read, as bits."""

    ROOM: Final = 1  # the other peer takes no more for now
    SERVER: Final = 2  # there is no server yet
    HANDSHAKE: Final = 4  # the other leg is in its TLS handshake
    ORDER: Final = 8  # the party between the peers wants it so
    FAULT: Final = 16  # a spoiler lets time pass


class Listener(Protocol):
    """Whoever wants to hear what becomes of a leg."""

    def received(self, side: Side, octets: bytes) -> None:
        """Octets came."""

    def ended(self, side: Side, notified: bool | None) -> None:
        """The peer has ended its stream; under TLS, `notified` tells whether with close_notify."""

    def secured(self, side: Side, tls: Tls) -> None:
        """The TLS handshake is over."""

    def insecure(self, side: Side, tls: Tls) -> None:
        """TLS has failed: its `failure` says why."""

    def broke(self, side: Side, how: How) -> None:
        """The connection has broken."""

    def congested(self, side: Side, congested: bool) -> None:
        """What was sent waits for room, or no longer does."""


class Leg:
    """A non-blocking connection with one of the peers. Before `open` what is sent is kept."""

    __slots__ = (
        "_closing", "_finish", "_holds", "_listener", "_out", "_poller", "_tls", "closed", "ended", "side", "sock",
    )  # fmt: skip

    def __init__(self, side: Side, sock: socket.socket, poller: Poller, listener: Listener) -> None:
        self.side = side
        self.sock = sock
        self.closed = False
        self.ended = False
        self._poller = poller
        self._listener = listener
        self._out: bytearray | None = None
        self._holds = 0
        self._finish = False
        self._closing = False
        self._tls: Tls | None = None

    def open(self, read: bool = True) -> None:
        """Begin to listen, or only watch for room and errors until `secure` or `hold` says otherwise."""
        if not read:
            self._holds |= Hold.ORDER
        self._poller.add(self, read, False)

    def secure(self, tls: Tls, early: bytes = b"") -> None:
        """Begin TLS: what comes from now on, after what came `early`, and what is sent, goes through it."""
        self._tls = tls
        if tls.peer is Side.SERVER:
            tls.begin()
            self._transmit(tls.outgoing())
        self.hold(Hold.ORDER, False)
        if early or self.ended:
            self._decrypt(tls, early)

    @property
    def tls(self) -> Tls | None:
        """TLS on this leg, None where there is none."""
        return self._tls

    def readable(self) -> None:
        """Read what has come."""
        if self.ended:
            if number := self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._broke(OSError(number, ""))
            return
        try:
            octets = self.sock.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._broke(error)
            return
        if self._tls:
            self._decrypt(self._tls, octets)
        elif octets:
            self._listener.received(self.side, octets)
        else:
            self._ended(None)

    def _ended(self, notified: bool | None) -> None:
        if not self.ended:
            self.ended = True
            self._want()
            self._listener.ended(self.side, notified)

    def _decrypt(self, tls: Tls, octets: bytes) -> None:
        shaking = not tls.open
        plain = tls.receive(octets) if octets else b""
        if not octets:
            tls.eof()
        if tls.failure:
            self._alert(tls.outgoing())
        else:
            self._transmit(tls.outgoing())
        if shaking and tls.open:
            self._listener.secured(self.side, tls)
            if self._finish:
                self.finish()
        if plain:
            self._listener.received(self.side, plain)
        if tls.failure:
            self.ended = True
            self._want()
            self._listener.insecure(self.side, tls)
        elif tls.ended or not octets:
            self._ended(tls.ended)

    def _alert(self, octets: bytes) -> None:
        """Send what tells the peer of a failure, if it still takes that: the failure is what is to be known."""
        if self._out:
            self._out += octets
        elif octets and not self.closed:
            with suppress(OSError):
                self.sock.send(octets)

    def send(self, octets: bytes) -> None:
        """Hand octets over, now or as soon as there is room."""
        self._transmit(self._tls.send(octets) if self._tls else octets)

    def _transmit(self, octets: bytes) -> None:
        if self.closed or self._closing or not octets:
            return
        if self._out:
            self._out += octets
            return
        try:
            sent = self.sock.send(octets)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._broke(error)
            return
        if sent < len(octets):
            self._out = bytearray(memoryview(octets)[sent:])
            self._want()
            self._listener.congested(self.side, True)

    def writable(self) -> None:
        """Hand over what was waiting."""
        if not self._out:
            return
        try:
            sent = self.sock.send(self._out)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._broke(error)
            return
        del self._out[:sent]
        if self._out:
            return
        self._out = None
        self._want()
        if self._finish:
            self.finish()
        if self._closing:
            self._close()
        else:
            self._listener.congested(self.side, False)

    def hold(self, why: int, on: bool) -> None:
        """Stop reading for a reason, or for that reason no longer."""
        holds = self._holds | why if on else self._holds & ~why
        if holds != self._holds:
            self._holds = holds
            self._want()

    def finish(self, notify: bool = True) -> None:
        """End the stream towards the peer, behind what waits and the handshake; under TLS with a close_notify, or
        without."""
        tls = self._tls
        if tls and notify and not self._finish:
            self._transmit(tls.end())
        self._finish = True
        if self._out or self.closed or (tls and not (tls.open or tls.failure)):
            return
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            if error.errno != errno.ENOTCONN:
                self._broke(error)

    def reset(self) -> None:
        """Break off at once, with a RST."""
        if not self.closed:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._out = None
            self._close()

    def close(self) -> None:
        """Close, behind what waits."""
        self._closing = True
        if not self._out:
            self._close()

    def _close(self) -> None:
        if not self.closed:
            self.closed = True
            self._poller.remove(self)
            self.sock.close()

    def _want(self) -> None:
        if not self.closed:
            self._poller.want(self, not (self._holds or self.ended), bool(self._out))

    def _broke(self, error: OSError) -> None:
        closing = self._closing
        self._out = None
        self._close()
        if not closing:
            self._listener.broke(self.side, How.TIMED_OUT if error.errno in _TIMEOUTS else How.RESET)


def at_once(sock: socket.socket) -> None:
    """Send what is there, without waiting for more. A peer that has left already makes some systems refuse."""
    with suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
