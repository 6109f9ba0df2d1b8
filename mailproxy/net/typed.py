"""The connection of a session by hand."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import trio

from mailproxy.model.octets import Side
from mailproxy.model.session import How, Leg
from mailproxy.net.dial import Failure, failure
from mailproxy.net.serve import break_off
from mailproxy.wire.tls import Tls

RECEIVE: Final = 65_536  # octets
_Found = tuple[int, int, int, str, tuple[Any, ...]]


class Ended(NamedTuple):
    """The server has ended its stream; under TLS, `notified` tells whether with close_notify. It may still listen."""

    how: How
    notified: bool | None = None


class Secured(NamedTuple):
    """The TLS handshake is over."""

    tls: Tls


class Failed(NamedTuple):
    """TLS has failed: its `failure` says why."""

    tls: Tls


Event = bytes | Ended | Secured | Failed


class Connection:
    """A TCP connection to the server that `leg` tells of. It is closed by leaving its `async with`."""

    def __init__(self, stream: trio.SocketStream, leg: Leg) -> None:
        self.leg = leg
        self._stream = stream
        self._sending = trio.Lock()
        self._tls: Tls | None = None
        self._finished = False

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stream.aclose()

    async def secure(self, tls: Tls) -> None:
        """Begin TLS: what is said and heard from now on goes through it, and `hear` tells what comes of it."""
        self._tls = tls
        tls.begin()
        await self._send(tls.outgoing)

    async def hear(self) -> list[Event]:
        """What becomes of the connection next; of TLS it may be that nothing has been said yet."""
        octets = await self.receive()
        match self._tls, octets:
            case None, bytes():
                return [octets]
            case None, How():
                return [Ended(octets)]
            case Tls() as tls, bytes():
                return await self._decrypted(tls, octets)
            case Tls(open=False) as tls, How.CLOSED:
                tls.eof()
                return [Failed(tls)]
            case _, How() as how:
                return [Ended(how, False if how is How.CLOSED else None)]
        raise AssertionError(octets)

    async def _decrypted(self, tls: Tls, octets: bytes) -> list[Event]:
        shaking = not tls.open
        plain = tls.receive(octets)
        await self._send(tls.outgoing)
        events: list[Event] = [Secured(tls)] if shaking and tls.open else []
        if plain:
            events.append(plain)
        if tls.failure:
            events.append(Failed(tls))
        elif tls.ended:
            events.append(Ended(How.CLOSED, True))
        return events

    async def receive(self) -> bytes | How:
        """What the server says next as it comes, TLS or not, or how it ended the connection."""
        try:
            return await self._stream.receive_some(RECEIVE) or How.CLOSED
        except trio.BrokenResourceError as error:
            timed_out = isinstance(error.__cause__, OSError) and failure(error.__cause__).how is How.TIMED_OUT
            return How.TIMED_OUT if timed_out else How.RESET

    async def send(self, octets: bytes) -> None:
        """Say something. Where the connection is broken, `hear` and `receive` tell so."""
        tls = self._tls
        await self._send(lambda: tls.send(octets) if tls else octets)

    async def end(self) -> None:
        """Say that nothing more will be said (close_notify, FIN); the server may go on."""
        if self._tls:
            await self._send(self._tls.end)
        async with self._sending:
            self._finished = True
            with suppress(trio.BrokenResourceError):
                await self._stream.send_eof()

    def reset(self) -> None:
        """Break off, with a RST, once the connection is left."""
        self._finished = True
        break_off(self._stream)

    async def _send(self, make: Callable[[], bytes]) -> None:
        """Send what is made when it is its turn: ciphertext must go out in the order in which it is made."""
        async with self._sending:
            octets = make()
            if octets and not self._finished:
                with suppress(trio.BrokenResourceError):
                    await self._stream.send_all(octets)


async def dial(host: str, port: int, trying: Callable[[str], None]) -> Connection | Failure:
    """Connect to the first address of `host` that answers, one after another, each told to `trying`.

    Without any that answers, it is told how the last one failed.
    """
    found = await _found(host, port)
    if isinstance(found, Failure):
        return found
    refused = Failure(How.NO_NAME)
    for family, kind, protocol, _, address in found:
        trying(str(address[0]))
        try:
            stream = await _connect(trio.socket.socket(family, kind, protocol), address)
        except OSError as error:
            refused = failure(error)
        else:
            own = stream.socket.getsockname()
            return Connection(stream, Leg(Side.SERVER, host, str(address[0]), port, own[0], own[1], 0))
    return refused


async def resolve(host: str, port: int) -> tuple[str, ...] | Failure:
    """The addresses of `host`, each once."""
    found = await _found(host, port)
    return found if isinstance(found, Failure) else tuple(dict.fromkeys(str(each[4][0]) for each in found))


async def _found(host: str, port: int) -> Sequence[_Found] | Failure:
    try:
        return await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
    except OSError as error:
        return failure(error)
    except UnicodeError:
        return Failure(How.NO_NAME, "that is no host name")


async def _connect(socket: trio.socket.SocketType, address: object) -> trio.SocketStream:
    try:
        await socket.connect(address)
        return trio.SocketStream(socket)
    except BaseException:
        socket.close()
        raise
