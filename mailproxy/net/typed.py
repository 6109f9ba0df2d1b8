"""The connection of a session by hand."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import trio

from mailproxy.model.octets import Side
from mailproxy.model.session import How, Leg
from mailproxy.net.dial import Failure, failure

RECEIVE: Final = 65_536  # octets
_Found = tuple[int, int, int, str, tuple[Any, ...]]


class Connection:
    """A TCP connection to the server that `leg` tells of. It is closed by leaving its `async with`."""

    def __init__(self, stream: trio.SocketStream, leg: Leg) -> None:
        self.leg = leg
        self._stream = stream

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stream.aclose()

    async def receive(self) -> bytes | How:
        """What the server says next, or how it ended the connection."""
        try:
            return await self._stream.receive_some(RECEIVE) or How.CLOSED
        except trio.BrokenResourceError as error:
            timed_out = isinstance(error.__cause__, OSError) and failure(error.__cause__).how is How.TIMED_OUT
            return How.TIMED_OUT if timed_out else How.RESET

    async def send(self, octets: bytes) -> None:
        """Say something. Where the connection is broken, `receive` tells so."""
        try:
            await self._stream.send_all(octets)
        except trio.BrokenResourceError:
            return

    async def end(self) -> None:
        """Say that nothing more will be said (FIN); the server may go on."""
        try:
            await self._stream.send_eof()
        except trio.BrokenResourceError:
            return


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
