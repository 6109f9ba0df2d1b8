"""Conversations over real sockets, with each poller: what goes through, how it ends, and what is noted of it."""

import errno
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import trio_test

from mailproxy.model.octets import Entry, Frame, Note, Side
from mailproxy.model.session import Ending, How
from mailproxy.model.session import Leg as LegFacts
from mailproxy.model.tls import TlsFacts
from mailproxy.net.listen import Port
from mailproxy.net.owner import Surroundings
from mailproxy.net.patience import Patience
from mailproxy.net.perform import Conversation
from mailproxy.net.poll import backends, open_poller
from mailproxy.net.reach import Address
from mailproxy.protocols import named
from mailproxy.talk.relay import Relay

pollers = pytest.mark.parametrize("backend", backends())
LOCAL = "127.0.0.1"


class Stage:
    """Records one conversation in memory, and can be asked for what was noted."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.relay = Relay(named("smtp").dialogue())
        self.ended = trio.Event()
        self.failures: list[Exception] = []
        self.server: LegFacts | None = None
        self.conversation: Conversation | None = None

    def record(self, entries: list[Entry]) -> None:
        self.entries += entries

    def understood(self) -> None:
        assert self.entries

    def connected(self, server: LegFacts) -> None:
        self.server = server

    def secured(self, side: Side, facts: TlsFacts) -> None:
        raise AssertionError("no TLS here")

    def over(self) -> None:
        self.ended.set()

    def failed(self, failure: Exception) -> None:
        self.failures.append(failure)
        self.ended.set()

    @property
    def notes(self) -> list[str]:
        return [f"{entry.mark} {entry.text}" for entry in self.entries if isinstance(entry, Note)]

    def said(self, side: Side) -> bytes:
        return b"".join(each.octets for each in self.entries if isinstance(each, Frame) and each.side is side)

    @property
    def endings(self) -> dict[Side, tuple[Side | None, How]]:
        return {side: _without_time(ending) for side, ending in self.relay.endings.items()}


def _without_time(ending: Ending) -> tuple[Side | None, How]:
    return ending.by, ending.how


@asynccontextmanager
async def proxy(backend: str, address: Address) -> AsyncIterator[tuple[Stage, Callable[[], socket.socket]]]:
    """A proxy before an address, for one caller, whose socket the second value makes."""
    stage = Stage()
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery, open_poller(backend) as poller:
            port = Port(
                LOCAL, 0, poller, _starter(stage, address, Surroundings(poller, nursery, Patience())), _no_trouble
            )
            yield stage, lambda: socket.create_connection((LOCAL, port.number))
            port.close()
            if stage.conversation:
                stage.conversation.stop()
            nursery.cancel_scope.cancel()


def _starter(
    stage: Stage, address: Address, surroundings: Surroundings
) -> Callable[[socket.socket, tuple[str, int]], None]:
    def start(sock: socket.socket, _: tuple[str, int]) -> None:
        stage.conversation = Conversation(sock, address, stage.relay, stage, surroundings, lambda: 7)
        stage.conversation.start()

    return start


def _no_trouble(error: OSError) -> None:
    raise error


@asynccontextmanager
async def talk(backend: str) -> AsyncIterator[tuple[Stage, trio.SocketStream, trio.SocketStream]]:
    """A client and a server with the proxy between them."""
    listener = socket.create_server((LOCAL, 0))
    listener.setblocking(False)
    with listener:
        async with proxy(backend, Address(LOCAL, listener.getsockname()[1])) as (stage, call):
            client = stream(call())
            server = await accepted(listener)
            async with client, server:
                yield stage, client, server


async def accepted(listener: socket.socket) -> trio.SocketStream:
    sock, _ = await trio.socket.from_stdlib_socket(listener).accept()
    return trio.SocketStream(sock)


def stream(sock: socket.socket) -> trio.SocketStream:
    sock.setblocking(False)
    return trio.SocketStream(trio.socket.from_stdlib_socket(sock))


async def all_of(peer: trio.SocketStream) -> bytes:
    return b"".join([part async for part in peer])


async def exactly(peer: trio.SocketStream, length: int) -> bytes:
    octets = b""
    while len(octets) < length:
        part = await peer.receive_some(length - len(octets))
        assert part, "the peer has ended its stream"
        octets += part
    return octets


def reset(peer: trio.SocketStream) -> None:
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.socket.close()


async def is_reset(peer: trio.SocketStream) -> bool:
    try:
        await all_of(peer)
    except trio.BrokenResourceError as error:
        return isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.ECONNRESET
    return False


@pollers
@trio_test
async def test_what_one_says_the_other_hears_and_the_record_has(backend: str) -> None:
    async with talk(backend) as (stage, client, server):
        await server.send_all(b"220 x\r\n")
        assert await exactly(client, 7) == b"220 x\r\n"
        for octet in b"NOOP\r\n":
            await client.send_all(bytes([octet]))
            assert await exactly(server, 1) == bytes([octet])
            assert stage.said(Side.CLIENT).endswith(bytes([octet]))
        assert stage.notes == [f"=== connected to {LOCAL}"]
        assert stage.server is not None
        assert stage.server.port == server.socket.getsockname()[1]


@pollers
@trio_test
async def test_a_half_close_is_carried_through(backend: str) -> None:
    async with talk(backend) as (stage, client, server):
        await client.send_all(b"QUIT\r\n")
        await client.send_eof()
        assert await all_of(server) == b"QUIT\r\n"
        await server.send_all(b"221 bye\r\n")
        await server.aclose()
        assert await all_of(client) == b"221 bye\r\n"
        await stage.ended.wait()
        assert stage.notes[1:] == ["*** closed by the client", "=== closed by the server too"]
        assert stage.endings == {
            Side.CLIENT: (Side.CLIENT, How.CLOSED),
            Side.SERVER: (Side.SERVER, How.CLOSED),
        }


@pollers
@trio_test
async def test_the_server_closes_first(backend: str) -> None:
    async with talk(backend) as (stage, client, server):
        await server.send_all(b"421 too busy\r\n")
        await server.send_eof()
        assert await all_of(client) == b"421 too busy\r\n"
        await client.send_all(b"late\r\n")
        assert await exactly(server, 6) == b"late\r\n"
        await client.aclose()
        assert await all_of(server) == b""
        await stage.ended.wait()
        assert stage.notes[1:] == ["*** closed by the server", "=== closed by the client too"]


@pollers
@trio_test
async def test_a_client_without_quit(backend: str) -> None:
    async with talk(backend) as (stage, client, server):
        await server.send_all(b"220 x\r\n")
        await exactly(client, 7)
        await client.aclose()
        assert await all_of(server) == b""
        await server.aclose()
        await stage.ended.wait()
        assert stage.notes[1:] == ["*** closed by the client without QUIT"]


@pollers
@pytest.mark.parametrize("side", Side)
@trio_test
async def test_a_reset_is_carried_through(backend: str, side: Side) -> None:
    async with talk(backend) as (stage, client, server):
        await server.send_all(b"220 x\r\n")
        await exactly(client, 7)
        breaks, hears = (client, server) if side is Side.CLIENT else (server, client)
        reset(breaks)
        assert await is_reset(hears)
        await stage.ended.wait()
        assert stage.notes[1:] == [f"*** reset by the {side}"]
        assert stage.endings[side] == (side, How.RESET)
        assert stage.endings[side.other] == (None, How.CUT)


@pollers
@trio_test
async def test_a_refused_connection_is_a_closed_one(backend: str) -> None:
    with socket.socket() as unused:
        unused.bind((LOCAL, 0))
        async with proxy(backend, Address(LOCAL, unused.getsockname()[1])) as (stage, call):
            client = stream(call())
            async with client:
                assert await all_of(client) == b""
            await stage.ended.wait()
            assert stage.notes == ["*** connection refused"]
            assert stage.endings[Side.SERVER] == (Side.SERVER, How.REFUSED)


class Names(trio.abc.HostnameResolver):
    """A resolver that knows what a test tells it."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):  # type: ignore[no-untyped-def]
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self.addresses]

    async def getnameinfo(self, sockaddr, flags):  # type: ignore[no-untyped-def]
        raise NotImplementedError


@pollers
@trio_test
async def test_a_name_that_does_not_resolve(backend: str) -> None:
    trio.socket.set_custom_hostname_resolver(Names())
    async with proxy(backend, Address("mail.example.org", 25)) as (stage, call):
        client = stream(call())
        async with client:
            assert await all_of(client) == b""
        await stage.ended.wait()
        assert stage.notes == ["*** no such host"]


@pollers
@trio_test
async def test_all_addresses_of_a_name_are_tried(backend: str) -> None:
    listener = socket.create_server((LOCAL, 0))
    listener.setblocking(False)
    trio.socket.set_custom_hostname_resolver(Names("127.0.0.2", LOCAL))
    with listener:
        async with proxy(backend, Address("mail.example.org", listener.getsockname()[1])) as (stage, call):
            async with stream(call()) as client:
                await client.send_all(b"EHLO early\r\n")
                async with await accepted(listener) as server:
                    assert await exactly(server, 12) == b"EHLO early\r\n"
            assert f"=== connected to mail.example.org ({LOCAL})" in stage.notes


@pollers
@trio_test
async def test_a_peer_that_reads_slowly_holds_the_other_back(backend: str) -> None:
    async with talk(backend) as (stage, client, server):
        sent = 0
        with trio.move_on_after(0.5):
            while True:
                await server.send_all(b"x" * 65_536)
                sent += 65_536
        assert sent < 64 << 20, "the proxy has taken everything"
        await server.send_eof()
        received = len(await all_of(client))
        assert received >= sent
        assert len(stage.said(Side.SERVER)) == received


@pollers
@trio_test
async def test_what_is_on_its_way_arrives_though_the_sender_has_left(backend: str) -> None:
    async with talk(backend) as (_, client, server):
        message = b"x" * (1 << 20)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send_and_leave, client, message)
            assert await all_of(server) == message


async def send_and_leave(peer: trio.SocketStream, octets: bytes) -> None:
    await peer.send_all(octets)
    await peer.aclose()


@pollers
@trio_test
async def test_mailproxy_is_stopped(backend: str) -> None:
    async with talk(backend) as (stage, client, server):
        await server.send_all(b"220 x\r\n")
        await exactly(client, 7)
        assert stage.conversation is not None
        stage.conversation.stop()
        assert await all_of(client) == b""
        assert await all_of(server) == b""
        assert stage.notes[1:] == ["*** cut off: mailproxy was stopped"]
        assert set(stage.endings.values()) == {(None, How.CUT)}


def call(port: Port) -> trio.SocketStream:
    return stream(socket.create_connection((LOCAL, port.number)))


class Clumsy(Stage):
    """Fails where it should record."""

    def record(self, entries: list[Entry]) -> None:
        if any(isinstance(entry, Frame) for entry in entries):
            raise ZeroDivisionError


@pollers
@trio_test
async def test_an_error_of_ours_ends_one_session_and_no_other(backend: str) -> None:
    listener = socket.create_server((LOCAL, 0))
    listener.setblocking(False)
    stages: list[Stage] = [Clumsy(), Stage()]
    waiting = iter(stages)
    with trio.fail_after(20), listener:
        async with trio.open_nursery() as nursery, open_poller(backend) as poller:
            address = Address(LOCAL, listener.getsockname()[1])

            def start(sock: socket.socket, who: tuple[str, int]) -> None:
                _starter(next(waiting), address, Surroundings(poller, nursery, Patience()))(sock, who)

            port = Port(LOCAL, 0, poller, start, _no_trouble)
            async with call(port) as first, await accepted(listener) as server:
                await first.send_all(b"NOOP\r\n")
                assert await is_reset(first)
                assert await is_reset(server)
            async with call(port) as second, await accepted(listener) as server:
                await second.send_all(b"NOOP\r\n")
                assert await exactly(server, 6) == b"NOOP\r\n"
            port.close()
            nursery.cancel_scope.cancel()
    assert [type(failure) for failure in stages[0].failures] == [ZeroDivisionError]
    assert stages[1].failures == []
