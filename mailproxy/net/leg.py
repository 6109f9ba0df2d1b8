"""One connection: octets come in by callback, go out at once where there is room, and wait where there is none."""

import errno
import socket
import struct
from typing import Final, Protocol

from mailproxy.model.octets import Side
from mailproxy.model.session import How
from mailproxy.net.poll import Poller

CHUNK: Final = 262_144
_RESET: Final = struct.pack("ii", 1, 0)
_TIMEOUTS: Final = frozenset({errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH})


class Listener(Protocol):
    """Whoever wants to hear what becomes of a leg."""

    def received(self, side: Side, octets: bytes) -> None:
        """Octets came."""

    def ended(self, side: Side) -> None:
        """The peer has ended its stream."""

    def broke(self, side: Side, how: How) -> None:
        """The connection has broken."""

    def congested(self, side: Side, congested: bool) -> None:
        """What was sent waits for room, or no longer does."""


class Leg:
    """A non-blocking connection with one of the peers. Before `open` what is sent is kept."""

    __slots__ = ("_closing", "_finish", "_listener", "_out", "_paused", "_poller", "closed", "ended", "side", "sock")

    def __init__(self, side: Side, sock: socket.socket, poller: Poller, listener: Listener) -> None:
        self.side = side
        self.sock = sock
        self.closed = False
        self.ended = False
        self._poller = poller
        self._listener = listener
        self._out: bytearray | None = None
        self._paused = False
        self._finish = False
        self._closing = False

    def open(self) -> None:
        """Begin to listen."""
        self._poller.add(self, True, False)

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
        if octets:
            self._listener.received(self.side, octets)
            return
        self.ended = True
        self._want()
        self._listener.ended(self.side)

    def send(self, octets: bytes) -> None:
        """Hand octets over, now or as soon as there is room."""
        if self.closed or self._closing:
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

    def pause(self, paused: bool) -> None:
        """Stop reading, or go on."""
        if paused is not self._paused:
            self._paused = paused
            self._want()

    def finish(self) -> None:
        """End the stream towards the peer, behind what waits."""
        self._finish = True
        if self._out or self.closed:
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
            self._poller.want(self, not (self._paused or self.ended), bool(self._out))

    def _broke(self, error: OSError) -> None:
        closing = self._closing
        self._out = None
        self._close()
        if not closing:
            self._listener.broke(self.side, How.TIMED_OUT if error.errno in _TIMEOUTS else How.RESET)
