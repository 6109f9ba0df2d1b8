"""Clients of a SOCKS port over real sockets, with each poller: who asks, who is refused, and who never does either."""

import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from subprocess import CompletedProcess

import pytest
import trio
from trio.testing import trio_test, wait_all_tasks_blocked

from mailproxy.model.session import How
from mailproxy.net.listen import Port
from mailproxy.net.patience import Patience, Wait
from mailproxy.net.poll import Poller, backends, open_poller
from mailproxy.net.socks import FAREWELL, TIME_TO_ASK, Caller
from mailproxy.wire.socks import Kind, Request, reply
from tests.whole.need import program

pollers = pytest.mark.parametrize("backend", backends())
LOCAL = "127.0.0.1"
GREETING = b"\x05\x01\x00"
REQUEST = b"\x05\x01\x00\x03\x0bexample.org\x00\x19"
EXAMPLE = Request("example.org", 25, Kind.NAME)
UNTIMELY = "closed by the client before it asked for a server"


class Hand(Patience):
    """Patience whose time comes when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[tuple[float, Wait]] = []

    def after(self, seconds: float, call: Callable[[], None]) -> Wait:
        wait = Wait(call)
        self.waits.append((seconds, wait))
        return wait

    def over(self) -> None:
        """The time of all that is waited for has come."""
        waits, self.waits = self.waits, []
        for _, wait in waits:
            wait.over()


class Desk:
    """A SOCKS port, and what was heard of its callers in order."""

    def __init__(self, poller: Poller) -> None:
        self.poller = poller
        self.patience = Hand()
        self.callers: list[Caller] = []
        self.port = Port(LOCAL, 0, poller, self._accepted, _no_trouble)
        self._heard, self.heard = trio.open_memory_channel[tuple[socket.socket, Request, bytes] | str](100)

    def _accepted(self, sock: socket.socket, _: tuple[str, int]) -> None:
        asked, refused = self._heard.send_nowait, self._heard.send_nowait
        caller = Caller(sock, self.poller, self.patience, lambda *what: asked(what), refused)
        self.callers.append(caller)

    def call(self) -> trio.SocketStream:
        return stream(socket.create_connection((LOCAL, self.port.number)))

    async def asked(self) -> tuple[trio.SocketStream, Request, bytes]:
        """The next caller that asks for a server."""
        heard = await self.heard.receive()
        assert not isinstance(heard, str), heard
        sock, request, leftover = heard
        return stream(sock), request, leftover

    async def refused(self) -> str:
        """Why the next caller was refused."""
        heard = await self.heard.receive()
        assert isinstance(heard, str)
        return heard


def _no_trouble(error: OSError) -> None:
    raise error


@asynccontextmanager
async def desk(backend: str) -> AsyncIterator[Desk]:
    with trio.fail_after(20):
        async with open_poller(backend) as poller:
            opened = Desk(poller)
            try:
                yield opened
            finally:
                opened.port.close()


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


@pollers
@trio_test
async def test_a_client_asks_and_its_socket_is_handed_over(backend: str) -> None:
    async with desk(backend) as at, at.call() as client:
        await client.send_all(GREETING)
        assert await exactly(client, 2) == b"\x05\x00"
        await client.send_all(REQUEST)
        peer, request, leftover = await at.asked()
        assert (request, leftover) == (EXAMPLE, b"")
        async with peer:
            await peer.send_all(reply(None) + b"220 x\r\n")
            assert await exactly(client, 17) == bytes.fromhex("05000001000000000000") + b"220 x\r\n"
            await client.send_all(b"QUIT\r\n")
            assert await exactly(peer, 6) == b"QUIT\r\n"
            at.patience.over()
            at.callers[0].close()
            await client.send_all(b"NOOP\r\n")
            assert await exactly(peer, 6) == b"NOOP\r\n"


@pollers
@trio_test
async def test_all_in_one_write_with_octets_behind_it(backend: str) -> None:
    async with desk(backend) as at, at.call() as client:
        await client.send_all(GREETING + REQUEST + b"EHLO x\r\n")
        assert await exactly(client, 2) == b"\x05\x00"
        peer, request, leftover = await at.asked()
        assert (request, leftover) == (EXAMPLE, b"EHLO x\r\n")
        await peer.aclose()


@pollers
@trio_test
async def test_octet_by_octet(backend: str) -> None:
    async with desk(backend) as at, at.call() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in GREETING + REQUEST:
            await client.send_all(bytes([octet]))
            await wait_all_tasks_blocked()
        peer, request, leftover = await at.asked()
        assert (request, leftover) == (EXAMPLE, b"")
        await peer.aclose()


@pollers
@pytest.mark.parametrize(
    ("said", "answered", "reason"),
    [
        (b"\x05\x01\x01", b"\x05\xff", "SOCKS5 with a method of authentication that is not known here; use none"),
        (
            GREETING + b"\x05\x02\x00\x01\x7f\0\0\1\0\x19",
            bytes.fromhex("0500 05070001000000000000"),
            "SOCKS5 command 2 is not served, only CONNECT",
        ),
        (
            b"\x16\x03\x01" + b"\0" * 70_000,
            b"",
            "a TLS handshake is no SOCKS: enter it in the program as SOCKS v5 host",
        ),
    ],
)
@trio_test
async def test_a_refusal_reaches_the_client_whatever_it_goes_on_to_say(
    backend: str, said: bytes, answered: bytes, reason: str
) -> None:
    async with desk(backend) as at, at.call() as client:
        await client.send_all(said)
        assert await all_of(client) == answered
        await client.send_all(b"more")
        await client.aclose()
        assert await at.refused() == reason
        assert at.callers[0].sock.fileno() < 0


@pollers
@trio_test
async def test_one_that_was_refused_and_does_not_hang_up_is_closed_after_a_while(backend: str) -> None:
    async with desk(backend) as at, at.call() as client:
        await client.send_all(b"QUIT\r\n")
        assert await all_of(client) == b""
        assert [seconds for seconds, _ in at.patience.waits] == [TIME_TO_ASK, FAREWELL]
        at.patience.over()
        assert await at.refused() == "what was said is no SOCKS: enter it in the program as SOCKS v5 host"
        assert at.callers[0].sock.fileno() < 0


@pollers
@pytest.mark.parametrize("said", [(GREETING + REQUEST)[:at] for at in range(len(GREETING + REQUEST))])
@trio_test
async def test_a_client_that_ends_before_it_has_asked(backend: str, said: bytes) -> None:
    async with desk(backend) as at, at.call() as client:
        await client.send_all(said)
        await client.send_eof()
        answered = await all_of(client)
        expected = b"\x05\xff" if len(said) < 3 else b"\x05\x00" + reply(How.FAILED)
        assert answered == (expected if said else b"")
        assert await at.refused() == UNTIMELY


@pollers
@trio_test
async def test_a_client_that_breaks_off(backend: str) -> None:
    async with desk(backend) as at:
        client = at.call()
        await client.send_all(GREETING)
        assert await exactly(client, 2) == b"\x05\x00"
        reset(client)
        assert await at.refused() == "reset by the client before it asked for a server"


@pollers
@pytest.mark.parametrize(
    ("said", "before", "answered"),
    [(b"", b"", b""), (GREETING, b"\x05\x00", reply(How.FAILED)), (b"\x05", b"", b"\x05\xff")],
)
@trio_test
async def test_a_client_that_never_asks_is_refused_and_harms_no_other(
    backend: str, said: bytes, before: bytes, answered: bytes
) -> None:
    async with desk(backend) as at, at.call() as client, at.call() as other:
        await client.send_all(said)
        assert await exactly(client, len(before)) == before
        await other.send_all(GREETING + REQUEST)
        peer, request, _ = await at.asked()
        assert request == EXAMPLE
        at.patience.over()
        assert await all_of(client) == answered
        await client.aclose()
        assert await at.refused() == "no SOCKS request within 30 seconds: enter it in the program as SOCKS v5 host"
        async with peer:
            await peer.send_all(reply(None))
            assert await exactly(other, 12) == b"\x05\x00" + reply(None)


@pollers
@trio_test
async def test_a_caller_that_is_hung_up_on_is_told_to_nobody(backend: str) -> None:
    async with desk(backend) as at, at.call() as client, at.call() as other:
        await other.send_all(GREETING)
        assert await exactly(other, 2) == b"\x05\x00"
        await client.send_all(GREETING)
        assert await exactly(client, 2) == b"\x05\x00"
        for caller in at.callers:
            caller.close()
            caller.close()
        assert await all_of(client) == await all_of(other) == b""
        at.patience.over()
        with pytest.raises(trio.WouldBlock):
            at.heard.receive_nowait()


# curl, a client that is none of ours. It is handed a page in the place of a server.

ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"
WAYS = {
    "--socks5": ("127.0.0.1", Request("127.0.0.1", 81, Kind.IPV4)),
    "--socks5-hostname": ("mail.example.org", Request("mail.example.org", 81, Kind.NAME)),
    "--socks4": ("127.0.0.1", Request("127.0.0.1", 81, Kind.IPV4, 4)),
    "--socks4a": ("mail.example.org", Request("mail.example.org", 81, Kind.NAME, 4)),
}


async def curl(at: Desk, url: str, *options: str) -> CompletedProcess[bytes]:
    """What curl makes of a URL through the port: with the last of the options."""
    where = f"{LOCAL}:{at.port.number}"
    command = [program("curl"), "--silent", "--show-error", "--noproxy", "", *options, where, url]
    return await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)


async def serve(at: Desk, expected: Request) -> None:
    peer, request, leftover = await at.asked()
    async with peer:
        assert request == expected
        await peer.send_all(reply(None, LOCAL, 81, request.version))
        head = leftover
        while not head.endswith(b"\r\n\r\n"):
            head += await peer.receive_some()
        assert head.startswith(b"GET / HTTP/1.1\r\n")
        await peer.send_all(ANSWER)


@pollers
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "options", [(), ("--proxy-user", "alice:xyzzy"), ("--proxy-user", "alice:xyzzy", "--socks5-basic")]
)
@trio_test
async def test_curl_gets_through(backend: str, way: str, options: tuple[str, ...]) -> None:
    host, request = WAYS[way]
    async with desk(backend) as at, trio.open_nursery() as nursery:
        nursery.start_soon(serve, at, request)
        done = await curl(at, f"http://{host}:81/", *options, way)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"hello", b"")


@pollers
@trio_test
async def test_curl_understands_a_refusal(backend: str) -> None:
    async with desk(backend) as at, trio.open_nursery() as nursery:

        async def refuse() -> None:
            peer, _, _ = await at.asked()
            async with peer:
                await peer.send_all(reply(How.REFUSED))

        nursery.start_soon(refuse)
        done = await curl(at, "http://mail.example.org:81/", "--socks5-hostname")
        assert done.returncode == 97
        assert b"(5)" in done.stderr


@pollers
@trio_test
async def test_curl_shows_what_a_program_is_told_that_speaks_http(backend: str) -> None:
    async with desk(backend) as at:
        done = await curl(at, "http://mail.example.org/", "--proxy")
        assert b"speaks SOCKS, not HTTP" in done.stdout
        assert (await at.refused()).startswith("HTTP is no SOCKS")
