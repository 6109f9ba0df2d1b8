"""Who calls a SOCKS port, until it is known which server it wants."""

import socket
from collections.abc import Callable
from typing import Final

from mailproxy.net.patience import Patience, Wait
from mailproxy.net.poll import Poller
from mailproxy.wire.socks import SPEAK_SOCKS, Heard, Reception, Refused, Request

CHUNK: Final = 65_536
TIME_TO_ASK: Final = 30.0
FAREWELL: Final = 2.0  # seconds for a client that was refused to hang up after us

Asked = Callable[[socket.socket, Request, bytes], None]


class Caller:
    """A client of a SOCKS port.

    `asked` is handed the socket, which is watched no longer, the request, and the octets that came behind it: to
    reply (`wire.socks.reply`) is up to whoever takes them. `refused` is told why, in a line for people, once the
    connection is closed. One of the two is called, once, unless `close` comes first.
    """

    __slots__ = ("_asked", "_patience", "_poller", "_reason", "_reception", "_refused", "_seconds", "_wait", "sock")

    def __init__(
        self,
        sock: socket.socket,
        poller: Poller,
        patience: Patience,
        asked: Asked,
        refused: Callable[[str], None],
        seconds: float = TIME_TO_ASK,
        page: Callable[[bytes], bytes] | None = None,
    ) -> None:
        """Take an accepted, non-blocking socket and listen to it; it is refused after `seconds` without a request.

        `page` answers a browser, of which `refused` is told the empty reason.
        """
        self.sock = sock
        self._poller = poller
        self._patience = patience
        self._asked = asked
        self._refused = refused
        self._seconds = seconds
        self._reception = Reception(page)
        self._reason: str | None = None  # why it is refused, once it is
        self._wait: Wait | None = patience.after(seconds, self._expired)
        poller.add(self, True, False)

    def readable(self) -> None:
        """Read what has come; of one that was refused, only the end matters."""
        try:
            octets = self.sock.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            gone = "reset by the client before it asked for a server"
            self._over(gone if self._reason is None else self._reason)
            return
        if self._reason is not None:
            if not octets:
                self._over(self._reason)
        elif octets:
            self._do(self._reception.feed(octets))
        else:
            self._do(self._reception.give_up("closed by the client before it asked for a server"))

    def writable(self) -> None:
        """What is sent is short and is never waited for."""

    def close(self) -> None:
        """Hang up, and tell nobody."""
        if self._wait:
            self._let_go()
            self.sock.close()

    def _expired(self) -> None:
        reason = f"no SOCKS request within {self._seconds:g} seconds: {SPEAK_SOCKS}"
        self._do(self._reception.give_up(reason))

    def _do(self, heard: Heard) -> None:
        sent = not heard.answer or self._sent(heard.answer)
        match heard.outcome:
            case Refused(reason) if sent:
                self._farewell(reason)
            case Refused(reason):
                self._over(reason)
            case _ if not sent:
                self._over("the client was gone before it was answered")
            case Request() as request:
                self._let_go()
                self._asked(self.sock, request, heard.leftover)

    def _sent(self, octets: bytes) -> bool:
        try:
            return self.sock.send(octets) == len(octets)
        except OSError:
            return False

    def _farewell(self, reason: str) -> None:
        """Send a FIN and read what still comes: closing with octets unread is a reset, and may eat the refusal."""
        self._reason = reason
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._over(reason)
            return
        if self._wait:
            self._wait.cancel()
        self._wait = self._patience.after(FAREWELL, lambda: self._over(reason))

    def _over(self, reason: str) -> None:
        self._let_go()
        self.sock.close()
        self._refused(reason)

    def _let_go(self) -> None:
        if self._wait:
            self._wait.cancel()
            self._wait = None
        self._poller.remove(self)
