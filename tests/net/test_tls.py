"""Conversations under TLS over real sockets, with each poller: what goes through, and all that may go wrong."""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio
from trio.testing import trio_test

from mailproxy.model.octets import Side
from mailproxy.model.session import How
from mailproxy.model.tls import Fault, Security, TlsFacts, Verify
from mailproxy.net.authority import Authority
from mailproxy.net.listen import Port
from mailproxy.net.owner import Surroundings
from mailproxy.net.patience import Patience
from mailproxy.net.perform import Conversation
from mailproxy.net.poll import backends, open_poller
from mailproxy.net.reach import Address
from mailproxy.net.securing import Office, Securing, Terms
from mailproxy.net.trust import Trust
from mailproxy.protocols import named
from mailproxy.talk.bridge import Bridge
from mailproxy.talk.relay import Relay
from mailproxy.talk.ways import Ways
from tests.wire import pair

from .forge import forge
from .peer import Peer
from .test_relaying import LOCAL, Stage, accepted, reset, stream

pollers = pytest.mark.parametrize("backend", backends())
NONE, STARTTLS, TLS = Security.NONE, Security.STARTTLS, Security.TLS
C, S = Side.CLIENT, Side.SERVER
MESSAGE = b"Subject: x\r\n\r\n" + b"".join(bytes(range(128, 256)) * 8 + b"\r\n" for _ in range(3000)) + b".\r\n"
LISTING = b"".join(bytes(range(254, 126, -1)) * 8 + b"\r\n" for _ in range(3000))  # no telnet among it
NAMES = ("localhost", LOCAL, pair.HOST)


@dataclass
class World:
    """Whom mailproxy trusts, who trusts mailproxy, and what servers have."""

    office: Office
    client: ssl.SSLContext
    server: ssl.SSLContext


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("tls")
    root = folder / "root.pem"
    pair.authority().cert_pem.write_to_path(root)
    authority = Authority(folder / "authority")
    trust = Trust((root,))
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(authority.path)
    return World(Office(lambda: authority, lambda: trust), client, pair.server("", *NAMES))


class Under(Stage):
    """Records one conversation under TLS."""

    def __init__(self, ways: Ways) -> None:
        super().__init__()
        dialogue = named("smtp").dialogue()
        upgrading = named("smtp").upgrading
        assert upgrading is not None
        self.relay = Bridge(dialogue, ways, upgrading, LOCAL) if ways.bridged else Relay(dialogue, ways)
        self.facts: dict[Side, TlsFacts] = {}
        self.times_over = 0

    def secured(self, side: Side, facts: TlsFacts) -> None:
        self.facts[side] = facts

    def over(self) -> None:
        self.times_over += 1
        super().over()


@dataclass
class Scene:
    """A client and a server with mailproxy between them, and what it makes of their conversation."""

    stage: Under
    client: Peer
    server: Peer
    more: list[tuple[Under, Peer, Peer]] = field(default_factory=list)

    async def over(self) -> list[str]:
        """How it ended: the notes, but for the connection. Nothing went wrong with mailproxy itself."""
        await self.stage.ended.wait()
        assert self.stage.failures == []
        assert self.stage.times_over == 1
        return self.stage.notes[1:]


@asynccontextmanager
async def scene(
    backend: str, world: World, ways: Ways, terms: Terms | None = None, early: bytes = b"", also: Ways | None = None
) -> AsyncIterator[Scene]:
    """Play it; `also` is another session at the same time."""
    terms = terms or Terms(ways.verify)
    stages = [Under(each) for each in (ways, also) if each]
    waiting = iter(stages)
    listener = socket.create_server((LOCAL, 0))
    listener.setblocking(False)
    with trio.fail_after(20), listener:
        async with trio.open_nursery() as nursery, open_poller(backend) as poller:
            patience = Patience()
            nursery.start_soon(patience.run)
            address = Address(LOCAL, listener.getsockname()[1])

            def start(sock: socket.socket, _: tuple[str, int]) -> None:
                stage = next(waiting)
                securing = Securing(world.office, terms, LOCAL, NAMES)
                surroundings = Surroundings(poller, nursery, patience)
                stage.conversation = Conversation(
                    sock, address, stage.relay, stage, surroundings, lambda: 7, securing, None, early
                )
                stage.conversation.start()

            port = Port(LOCAL, 0, poller, start, _no_trouble)
            peers = []
            for stage in stages:
                call = stream(socket.create_connection((LOCAL, port.number)))
                peers.append((stage, Peer(C, call), Peer(S, await accepted(listener))))
            try:
                yield Scene(*peers[0], peers[1:])
            finally:
                port.close()
                for stage, client, server in peers:
                    if stage.conversation:
                        stage.conversation.stop()
                    client.stream.socket.close()
                    server.stream.socket.close()
                nursery.cancel_scope.cancel()


def _no_trouble(error: OSError) -> None:
    raise error


# Mail goes through, whatever the ways.


async def serve(server: Peer, ways: Ways, context: ssl.SSLContext, upgrades: bool) -> bytes:
    """A server; returns the message."""
    if ways.server is TLS:
        await server.secure(context)
    await server.say(b"220 mail.example.org\r\n")
    while True:
        match (await server.line()).split()[0]:
            case b"EHLO" if upgrades and not server.tls:
                await server.say(b"250-mail.example.org\r\n250-STARTTLS\r\n250 8BITMIME\r\n")
            case b"EHLO":
                await server.say(b"250-mail.example.org\r\n250 8BITMIME\r\n")
            case b"STARTTLS":
                await server.say(b"220 go\r\n")
                await server.secure(context)
            case b"DATA":
                await server.say(b"354 go\r\n")
                message = await server.exactly(len(MESSAGE))
                await server.say(b"250 ok\r\n")
            case b"HELP":
                await server.say(b"214 help\r\n" + LISTING)
            case b"QUIT":
                await server.say(b"221 bye\r\n")
                await server.end()
                assert await server.rest() == b""
                return message


async def mail(client: Peer, ways: Ways, context: ssl.SSLContext, upgrades: bool) -> bytes:
    """A client; returns what it heard at last."""
    if ways.client is TLS:
        await client.secure(context)
    assert await client.reply() == b"220 mail.example.org\r\n"
    await client.say(b"EHLO x\r\n")
    offered = b"STARTTLS" in await client.reply()
    assert offered == upgrades
    if upgrades:
        await client.say(b"STARTTLS\r\n")
        assert (await client.reply()).startswith(b"220 ")
        await client.secure(context)
        assert client.tls is not None
        assert client.tls.trouble == ""
        await client.say(b"EHLO x\r\n")
        await client.reply()
    await client.say(b"DATA\r\n")
    assert await client.reply() == b"354 go\r\n"
    await client.say(MESSAGE)
    assert await client.reply() == b"250 ok\r\n"
    await client.say(b"HELP\r\n")
    assert await client.reply() == b"214 help\r\n"
    listing = await client.exactly(len(LISTING))
    await client.say(b"QUIT\r\n")
    assert await client.rest() == b"221 bye\r\n"
    await client.end()
    return listing


NINE = [Ways(client, server) for client in Security for server in Security]
MIRRORED = Ways()


@pollers
@pytest.mark.parametrize(("ways", "mirrored"), [*((ways, False) for ways in NINE), (MIRRORED, True)])
@trio_test
async def test_mail_goes_through(backend: str, world: World, ways: Ways, mirrored: bool) -> None:
    arrived: list[bytes] = []
    async with scene(backend, world, ways) as play:

        async def server() -> None:
            arrived.append(await serve(play.server, ways, world.server, mirrored or ways.server is STARTTLS))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(server)
            listing = await mail(play.client, ways, world.client, mirrored or ways.client is STARTTLS)
        assert listing == LISTING
        assert arrived == [MESSAGE]
        notes = await play.over()
        assert not [note for note in notes if "TLS failed" in note or "reset" in note]
        secured = {side for side, way in ((C, ways.client), (S, ways.server)) if mirrored or way is not NONE}
        assert set(play.stage.facts) == secured
        for side, facts in play.stage.facts.items():
            assert (facts.version, facts.trouble, facts.faults) == ("TLSv1.3", "", ()), side
        assert MESSAGE in play.stage.said(C)
        assert LISTING in play.stage.said(S)
        for peer in (play.client, play.server):
            assert peer.notified == (peer.side in secured)


@pollers
@trio_test
async def test_what_the_client_said_with_its_wish_for_a_connection(backend: str, world: World) -> None:
    """Through SOCKS, it may not have waited; TLS with the server takes a moment, and then it is heard, once."""
    async with scene(backend, world, Ways(NONE, TLS), early=b"EHLO early\r\n") as play:
        await play.server.secure(world.server)
        await play.server.say(b"220 x\r\n")
        assert await play.server.line() == b"EHLO early\r\n"
        await play.client.say(b"QUIT\r\n")
        assert await play.server.line() == b"QUIT\r\n"


@pollers
@trio_test
async def test_it_is_not_heard_a_second_time_as_tls(backend: str, world: World) -> None:
    async with scene(backend, world, Ways(), early=b"EHLO early\r\n") as play:
        assert await play.server.line() == b"EHLO early\r\n"
        await play.server.say(b"220 x\r\n250 x\r\n")
        assert await play.client.line() + await play.client.line() == b"220 x\r\n250 x\r\n"
        await play.client.say(b"STARTTLS\r\n")
        assert await play.server.line() == b"STARTTLS\r\n"
        await play.server.say(b"220 go\r\n")
        await play.client.line()
        await play.server.secure(world.server)
        await play.client.secure(world.client)
        await play.client.say(b"NOOP\r\n")
        assert await play.server.line() == b"NOOP\r\n"


# What is not TLS, and what is not a handshake.


@pollers
@trio_test
async def test_a_client_hello_on_a_port_in_clear_passes(backend: str, world: World) -> None:
    async with scene(backend, world, Ways()) as play:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(play.server.secure, pair.server())
            await play.client.secure(pair.client())
        await play.client.say(b"EHLO x\r\n")
        assert await play.server.line() == b"EHLO x\r\n"
        assert [note.split(":")[0] for note in play.stage.notes[1:]] == ["=== TLS passes through"] * 2
        assert play.stage.facts == {}


@pollers
@pytest.mark.parametrize("ways", [Ways(TLS, TLS), Ways(TLS, NONE)])
@trio_test
async def test_a_client_in_clear_on_a_port_of_tls(backend: str, world: World, ways: Ways) -> None:
    async with scene(backend, world, ways) as play:
        if ways.server is TLS:
            await play.server.secure(world.server)
        await play.client.say(b"EHLO x\r\n")
        assert await play.client.rest() == b""
        assert (await play.over())[-1] == "*** TLS failed with the client: it speaks in clear"
        assert play.stage.said(C) == b"EHLO x\r\n"
        assert play.stage.endings[C] == (C, How.FAILED)


@pollers
@trio_test
async def test_a_server_in_clear_where_tls_is_due(backend: str, world: World) -> None:
    """The client is told what the server said, as it would have been without us."""
    async with scene(backend, world, Ways(TLS, TLS)) as play:
        await play.server.say(b"220 x\r\n")
        assert await play.client.rest() == b"220 x\r\n"
        assert await play.over() == ["*** TLS failed with the server: it speaks in clear"]
        assert play.stage.said(S) == b"220 x\r\n"


@pollers
@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("garbage", [b"\x16garbage and more", b"\x16\x03\x01\xff\xff" + b"x" * 70_000])
@trio_test
async def test_garbage_where_a_handshake_is_due(backend: str, world: World, side: Side, garbage: bytes) -> None:
    async with scene(backend, world, Ways(TLS, TLS)) as play:
        if side is C:
            await play.server.secure(world.server)
        await (play.client if side is C else play.server).say(garbage)
        (trouble,) = [note for note in await play.over() if note.startswith("*** ")]
        assert trouble.startswith(f"*** TLS failed with the {side}: ")
        assert play.stage.facts[side].trouble in trouble


@pollers
@trio_test
async def test_a_client_hello_of_64_kilobytes(backend: str, world: World) -> None:
    """It is only half there, then it goes on, then it is found to be garbage: nothing is held for ever."""
    hello = b"\x01\x00\xff\xf0\x03\x03" + bytes(65_518)
    records = b"".join(
        b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part
        for part in (hello[at : at + 16_000] for at in range(0, len(hello), 16_000))
    )
    async with scene(backend, world, Ways(TLS, NONE)) as play:
        await play.client.say(records)
        assert (await play.over())[-1].startswith("*** TLS failed with the client: ")


PATIENCE = Terms(patience=0.3)
STALLS = {
    "a server that says nothing": (Ways(TLS, TLS), S, b"", "nothing was said within 0.3 s"),
    "a server that begins": (
        Ways(NONE, TLS),
        S,
        b"\x16\x03\x03\x10\x00",
        "the handshake was not finished within 0.3 s",
    ),
    "a client that says nothing": (Ways(TLS, NONE), C, b"", "nothing was said within 0.3 s"),
    "a client that begins": (Ways(TLS, NONE), C, b"\x16", "the handshake was not finished within 0.3 s"),
    "a server that never greets": (Ways(NONE, STARTTLS), S, b"", "TLS was not begun within 0.3 s"),
    "a server that never ends its greeting": (Ways(TLS, STARTTLS), S, b"220-x\r\n", "TLS was not begun within 0.3 s"),
}


@pollers
@pytest.mark.parametrize("who", STALLS)
@trio_test
async def test_patience_comes_to_an_end(backend: str, world: World, who: str) -> None:
    ways, side, octets, why = STALLS[who]
    async with scene(backend, world, ways, PATIENCE) as play:
        if octets:
            await (play.client if side is C else play.server).say(octets)
        assert await play.over() == [f"*** TLS failed with the {side}: {why}"]
        assert await play.client.rest() == b""


# A peer that leaves in the middle of it, at each flight.


@pollers
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("flights", [0, 1])
@pytest.mark.parametrize("breaks", [False, True])
@pytest.mark.parametrize("side", Side)
@trio_test
async def test_a_peer_leaves_in_the_handshake(
    backend: str, world: World, side: Side, breaks: bool, flights: int, version: str
) -> None:
    ways = Ways(TLS, TLS) if side is S else Ways(TLS, NONE)
    async with scene(backend, world, ways) as play:
        peer = play.client if side is C else play.server
        context = pair.client(version, trusts=False) if side is C else pair.server(version, *NAMES)
        first = peer.begin(context)
        if side is S:
            await peer.stream.receive_some(65_536)
        if flights:
            assert peer.tls is not None
            if side is C:
                await peer.stream.send_all(first)
                assert await peer.stream.receive_some(65_536)
            else:
                await peer.stream.send_all(b"\x16\x03\x03\x00\x7a\x02")
        if breaks:
            reset(peer.stream)
        else:
            await peer.stream.send_eof()
        (trouble,) = await play.over()
        known = side is S or flights
        middle = "closed in the middle of the handshake" if known else "closed before the handshake"
        assert trouble == (
            f"*** reset by the {side} in the TLS handshake" if breaks else f"*** TLS failed with the {side}: {middle}"
        )
        assert play.stage.endings[side] == (side, How.RESET if breaks else How.FAILED)


# Certificates, and what a client makes of them.


@pollers
@trio_test
async def test_a_server_that_nobody_trusts_is_one_that_the_client_does_not_trust(backend: str, world: World) -> None:
    async with scene(backend, world, Ways(TLS, TLS)) as play:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(play.server.secure, pair.server("", "elsewhere.example.net"))
            await play.client.secure(world.client)
        assert play.client.tls is not None
        assert play.client.tls.trouble == "CERTIFICATE_VERIFY_FAILED"
        assert (await play.over())[-2:] == [
            "=== the server's certificate is not trusted: hostname mismatch",
            "*** TLS failed with the client: alert bad_certificate from the client",
        ]
        assert play.stage.facts[S].faults == (Fault.WRONG_NAME,)


@pollers
@pytest.mark.parametrize("mirrored", [False, True])
@trio_test
async def test_strict_refuses_with_an_alert(backend: str, world: World, mirrored: bool) -> None:
    ways = Ways(NONE, NONE, verify=Verify.STRICT) if mirrored else Ways(TLS, TLS, verify=Verify.STRICT)
    async with scene(backend, world, ways) as play:
        if mirrored:
            await play.client.say(b"STARTTLS\r\n")
            await play.server.line()
            await play.server.say(b"220 x\r\n220 go\r\n")
            assert await play.client.line() + await play.client.line() == b"220 x\r\n220 go\r\n"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(play.server.secure, pair.server("", "elsewhere.example.net"))
            await play.client.secure(world.client)
        assert play.client.tls is not None
        assert play.client.tls.trouble == "TLSV1_ALERT_ACCESS_DENIED"
        assert (await play.over())[-1].startswith("*** TLS failed with the server: hostname mismatch")


ODD_NAMES: dict[str, tuple[str | bytes, ...]] = {
    "two thousand names": (LOCAL, *(f"host-{number}.example.org" for number in range(2000))),
    "a wildcard": ("*.example.org", "*"),
    "NUL in a name": (b"mail.example.org\0.example.net",),
    "no name": (),
    "an empty name": (b"",),
    "an escape": (b"\x1b[2Jmail.example.org",),
}


@pollers
@pytest.mark.parametrize("names", ODD_NAMES)
@trio_test
async def test_odd_certificates(backend: str, world: World, tmp_path: Path, names: str) -> None:
    made = forge(*ODD_NAMES[names])
    chain = tmp_path / "chain.pem"
    chain.write_bytes(made.pem + made.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    async with scene(backend, world, Ways(TLS, TLS, verify=Verify.OFF)) as play:
        await play.server.secure(context)
        await play.client.secure(world.client)
        assert play.client.tls is not None
        assert play.client.tls.trouble == ""
        await play.server.say(b"220 x\r\n")
        assert await play.client.line() == b"220 x\r\n"
        assert play.stage.facts[S].chain[0].der == made.der
        assert all(note.isprintable() for note in play.stage.notes)


@pollers
@trio_test
async def test_an_alert_of_the_server_reaches_the_client_as_one(backend: str, world: World) -> None:
    async with scene(backend, world, Ways(TLS, TLS), Terms(tls_min="1.3")) as play:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(play.server.secure, pair.server("1.2"))
            await play.client.secure(world.client)
        assert play.client.tls is not None
        assert play.client.tls.trouble == "TLSV1_ALERT_PROTOCOL_VERSION"
        assert await play.over() == ["*** TLS failed with the server: alert protocol_version from the server"]
        assert play.stage.endings[S] == (S, How.FAILED)


@pollers
@trio_test
async def test_an_alert_of_ours_is_nobodys_ending(backend: str, world: World) -> None:
    async with scene(backend, world, Ways(TLS, NONE), Terms(tls_min="1.3")) as play:
        await play.client.secure(pair.client("1.2"))
        assert play.client.tls is not None
        assert play.client.tls.trouble == "TLSV1_ALERT_PROTOCOL_VERSION"
        assert "alert protocol_version from mailproxy" in (await play.over())[0]
        assert play.stage.endings[C] == (None, How.FAILED)


@pollers
@trio_test
async def test_no_certificate_can_be_had(backend: str, world: World, tmp_path: Path) -> None:
    (tmp_path / "authority.pem").write_bytes(b"no key")
    broken = Office(lambda: Authority(tmp_path), lambda: world.office.trust)
    async with scene(backend, World(broken, world.client, world.server), Ways(TLS, NONE)) as play:
        assert await play.client.rest() == b""
        (trouble,) = await play.over()
        assert trouble.startswith("*** TLS failed with the client: ")
        assert "run mailproxy ca new" in trouble


# Endings.


@pollers
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@trio_test
async def test_a_server_that_says_goodbye_with_its_last_flight(backend: str, world: World, version: str) -> None:
    """The client's handshake has not begun then: it comes about all the same, and the client reads it all."""
    async with scene(backend, world, Ways(TLS, TLS)) as play:
        server = play.server
        server.begin(pair.server(version, *NAMES))
        assert server.tls is not None
        while not server.tls.open:
            server.tls.receive(await server.stream.receive_some(65_536))
            if server.tls.open:
                server.tls.say(b"421 busy\r\n")
                server.tls.end()
            await server.stream.send_all(server.tls.outgoing())
        await server.stream.send_eof()
        await play.client.secure(world.client)
        assert await play.client.rest() == b"421 busy\r\n"
        assert play.client.notified
        await play.client.end()
        notes = await play.over()
        assert "*** closed by the server (close_notify)" in notes
        assert notes[-1] == "=== closed by the client too (close_notify)"


@pollers
@pytest.mark.parametrize("notify", [True, False])
@pytest.mark.parametrize("side", Side)
@trio_test
async def test_an_end_is_carried_through_with_or_without_a_word(
    backend: str, world: World, side: Side, notify: bool
) -> None:
    """The other may still speak: a megabyte."""
    async with scene(backend, world, Ways(TLS, TLS)) as play:
        await play.server.secure(world.server)
        await play.client.secure(world.client)
        ends, goes_on = (play.client, play.server) if side is C else (play.server, play.client)
        await ends.say(b"221 QUIT\r\n")
        await ends.end(notify)
        assert await goes_on.rest() == b"221 QUIT\r\n"
        assert (goes_on.notified, goes_on.eof) == (notify, not notify)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(goes_on.say, LISTING)
            assert await ends.exactly(len(LISTING)) == LISTING
        await goes_on.end()
        assert await ends.rest() == b""
        assert ends.notified
        how = "close_notify" if notify else "no close_notify"
        without = " without QUIT" if side is C else ""
        assert (await play.over())[-2:] == [
            f"*** closed by the {side}{without} ({how})",
            f"=== closed by the {side.other} too (close_notify)",
        ]


@pollers
@trio_test
async def test_a_server_that_wants_a_certificate_tells_so_late(backend: str, world: World) -> None:
    context = pair.server("1.3", *NAMES)
    context.verify_mode = ssl.CERT_REQUIRED
    pair.authority().configure_trust(context)
    async with scene(backend, world, Ways(TLS, TLS)) as play:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(play.server.secure, context)
            await play.client.secure(world.client)
        assert (await play.over())[-1] == "*** TLS failed with the server: alert certificate_required from the server"


@pollers
@trio_test
async def test_the_server_leaves_instead_of_granting_tls(backend: str, world: World) -> None:
    """A client that was not listened to while it waited is heard when it leaves too."""
    async with scene(backend, world, Ways()) as play:
        await play.client.say(b"STARTTLS\r\n")
        assert await play.server.line() == b"STARTTLS\r\n"
        await play.server.end()
        assert await play.client.rest() == b""
        await play.client.end()
        assert await play.over() == ["*** closed by the server", "=== closed by the client too"]


@pollers
@trio_test
async def test_other_sessions_go_on_meanwhile(backend: str, world: World) -> None:
    async with scene(backend, world, Ways(TLS, NONE), also=Ways(TLS, TLS)) as play:
        ((stage, client, server),) = play.more
        await server.secure(world.server)
        await client.secure(world.client)
        await play.client.say(b"\x16garbage where a handshake is due")
        assert (await play.over())[-1].startswith("*** TLS failed with the client: ")
        await client.say(b"EHLO x\r\n")
        assert await server.line() == b"EHLO x\r\n"
        await server.say(b"250 ok\r\n")
        assert await client.line() == b"250 ok\r\n"
        assert stage.failures == []
