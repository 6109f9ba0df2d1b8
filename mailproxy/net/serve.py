"""Serve connections: what a party says is to be done is done here, with sockets and clocks."""

import logging
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import NamedTuple

import trio

from mailproxy.talk.practice.conversation import Action, Close, Party, Reset, Send, Wait

RECEIVE = 65_536
IDLE = 600.0  # seconds without a word from the client: RFC 1939 section 3 asks for ten minutes at least
FAREWELL = 2.0  # seconds for the client to hang up after us

_log = logging.getLogger(__name__)


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Listening(NamedTuple):
    """Open sockets that take connections already, and their addresses."""

    listeners: list[trio.SocketListener]
    addresses: list[Address]


@asynccontextmanager
async def listen(host: str, port: int) -> AsyncIterator[Listening]:
    """Listen for as long as the block runs; port 0 is any free one.

    A name with several addresses is listened for on all of them. Raises OSError where that cannot be, with
    the address in the place of its file name.
    """
    async with AsyncExitStack() as stack:
        listeners = await _open(host, port)
        for listener in listeners:
            await stack.enter_async_context(listener)
        yield Listening(listeners, [Address(*listener.socket.getsockname()[:2]) for listener in listeners])


async def _open(host: str, port: int) -> list[trio.SocketListener]:
    try:
        return await trio.open_tcp_listeners(port, host=host)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(Address(host, port))) from error


async def serve(make: Callable[[], Party], listening: Listening, idle: float = IDLE) -> None:
    """Serve each connection with a party of its own, until cancelled.

    A connection is closed after `idle` seconds without a word from the client.
    """
    await trio.serve_listeners(partial(_connection, make, idle), listening.listeners)


async def _connection(make: Callable[[], Party], idle: float, stream: trio.SocketStream) -> None:
    """One connection, which harms no other whatever happens in it."""
    party = make()
    try:
        async with stream:
            try:
                await _converse(party, idle, stream)
            finally:
                party.leave()
    except (trio.BrokenResourceError, OSError):
        pass  # the client is gone; there is nobody to tell
    except Exception as error:
        # The message of an exception may quote what the client said, and that may be a password.
        _log.error("A connection ended in an internal error: %s", type(error).__name__)


async def _converse(party: Party, idle: float, stream: trio.SocketStream) -> None:
    octets = b""
    while True:
        for action in party.receive(octets):
            if not await _do(action, stream):
                return
        with trio.move_on_after(idle) as patience:
            octets = await stream.receive_some(RECEIVE)
        if patience.cancelled_caught or not octets:
            return


async def _do(action: Action, stream: trio.SocketStream) -> bool:
    """Do it; whether the conversation goes on."""
    match action:
        case Send(octets):
            await stream.send_all(octets)
        case Wait(seconds):
            await trio.sleep(seconds)
        case Close():
            await _close(stream)
            return False
        case Reset():
            break_off(stream)
            return False
    return True


async def _close(stream: trio.SocketStream) -> None:
    """Send a FIN and read what still comes: closing with octets unread is a reset, and may eat the last reply."""
    await stream.send_eof()
    with trio.move_on_after(FAREWELL):
        while await stream.receive_some(RECEIVE):
            pass


def break_off(stream: trio.SocketStream) -> None:
    """Have the close that follows send a RST: a linger time of 0 seconds does."""
    linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
