"""What a spoiler wants is done before a server: in its order, with its pauses, and nothing is lost or done too late."""

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock, trio_test, wait_all_tasks_blocked

from mailproxy.model.octets import Frame, Origin, Side
from mailproxy.model.session import How
from mailproxy.model.tls import TlsFacts
from mailproxy.net import spoiled
from mailproxy.net.played import PlayedLeg
from mailproxy.net.reach import Address
from mailproxy.net.spoiled import SpoiledLeg
from mailproxy.protocols import named
from mailproxy.talk.faults.orders import Break, Close, Hand, Order, Pass, Tell, Wait
from mailproxy.talk.faults.parse import parse
from mailproxy.talk.faults.sessions import Faults
from mailproxy.talk.faults.spoiler import Spoiler
from mailproxy.talk.faults.times import SessionCount
from mailproxy.talk.practice import conversation as server
from mailproxy.talk.relay import Relay
from mailproxy.talk.ways import Insecure
from mailproxy.wire.tls import Tls

from .test_relaying import LOCAL, all_of, exactly, is_reset, pollers, proxy, stream

GREETING = b"220 x\r\n"
PATIENCE = 600.0


class Scripted(Spoiler):
    """Does for each event what a script says, else passes it on."""

    def __init__(self, script: dict[str, list[Order]]) -> None:
        super().__init__("smtp", (), SessionCount())
        self._script = script

    def connected(self) -> list[Order]:
        return self._script.get("connected", [])

    def said(self, octets: bytes, at: int = 0) -> list[Order]:
        return self._script.get(octets.decode().strip(), [Hand(octets)])

    def asked(self, octets: bytes, at: int = 0) -> list[Order]:
        if octets == b"FAIL\r\n":
            raise ZeroDivisionError
        return self._script.get(octets.decode().strip(), [Pass(octets)])

    def client_ended(self) -> list[Order]:
        return self._script.get("client ended", [])


class Server:
    """Stands in: echoes what it hears, and is asked afterwards what that was."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def absent(self) -> None:
        """It is there."""

    def receive(self, octets: bytes = b"") -> list[server.Action]:
        self.heard.append(octets.decode().strip())
        if octets == b"QUIT\r\n":
            return [server.Send(b"221 bye\r\n"), server.Close()]
        return [server.Send(b"250 " + octets if octets else GREETING)]

    def secure(self) -> TlsFacts | Insecure:
        return TlsFacts()

    def ended(self) -> list[server.Action]:
        self.heard.append("EOF")
        return [server.Close()]

    def leave(self) -> None:
        self.heard.append("left")


class Watch:
    """Writes down what becomes of the server, with the second in which it does."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.began = trio.current_time()
        self.passed = 0.0

    def _write(self, text: str) -> None:
        self.log.append(f"{trio.current_time() - self.began:g} {text}")

    def received(self, side: Side, octets: bytes) -> None:
        self._write(octets.decode().strip())

    def injected(self, octets: bytes) -> None:
        self._write(f"own {octets.decode().strip()}")

    def noted(self, text: str) -> None:
        self._write(f"=== {text}")

    def ended(self, side: Side, notified: bool | None) -> None:
        self._write("closed" if notified is None else f"closed, notified {notified}")

    def broke(self, side: Side, how: How) -> None:
        self._write(how)

    def cut_off(self, how: How, notified: bool | None = None) -> None:
        self._write(f"cut off: {how}" + ("" if notified is None else f", notified {notified}"))

    def secured(self, side: Side, tls: Tls) -> None:
        raise AssertionError("it has no socket")

    def insecure(self, side: Side, tls: Tls) -> None:
        raise AssertionError("it has no socket")

    def pretended(self, found: TlsFacts | Insecure) -> None:
        self._write(found.reason if isinstance(found, Insecure) else "secured")

    def congested(self, side: Side, congested: bool) -> None:
        self._write("congested" if congested else "room")

    def fell(self, failure: Exception) -> None:
        self._write(f"fell: {type(failure).__name__}")


class Play(Watch):
    """A server behind a spoiler with this script."""

    def __init__(self, nursery: trio.Nursery, spoiler: Spoiler) -> None:
        super().__init__()
        self.server = Server()
        self.leg = SpoiledLeg(spoiler, nursery, self)
        self.leg.inner = PlayedLeg(self.server, nursery, self.leg, patience=PATIENCE)
        self.leg.open()

    async def say(self, *lines: str) -> None:
        for line in lines:
            self.leg.send(f"{line}\r\n".encode())
        await wait_all_tasks_blocked()


def play(script: dict[str, list[Order]], scene: Callable[[Play], Awaitable[None]], begin: bool = True) -> Play:
    """Play it, in no time."""

    async def run() -> Play:
        async with trio.open_nursery() as nursery:
            on = Play(nursery, Scripted(script))
            if begin:
                on.leg.begin()
            await wait_all_tasks_blocked()
            await scene(on)
            on.leg.close()
        on.passed = trio.current_time() - on.began
        return on

    return trio.run(run, clock=MockClock(autojump_threshold=0.02))


def test_what_nobody_spoils_passes() -> None:
    async def scene(on: Play) -> None:
        await on.say("EHLO a")

    on = play({}, scene)
    assert on.log == ["0 220 x", "0 250 EHLO a"]
    assert on.server.heard == ["", "EHLO a", "left"]


def test_whoever_says_nothing_is_left_after_a_while() -> None:
    async def scene(on: Play) -> None:
        await trio.sleep(500)
        await on.say("NOOP")
        await trio.sleep(700)

    on = play({}, scene)
    assert on.log == ["0 220 x", "500 250 NOOP", "1100 closed"]


def test_a_server_that_hears_nothing_leaves_within_a_pause() -> None:
    async def scene(on: Play) -> None:
        await on.say("NOOP")
        await trio.sleep(1000)

    on = play({"NOOP": [Wait(900), Pass(b"NOOP\r\n")]}, scene)
    assert on.log == ["0 220 x", "900 closed"]


class Metered(Play):
    """Counts the octets that the client gets."""

    octets = 0

    def received(self, side: Side, octets: bytes) -> None:
        self.octets += len(octets)


@pytest.mark.parametrize("rate", [3, 50, 1201])
def test_so_many_octets_a_second_hold_to_within_a_write_however_late_a_clock_is(rate: int) -> None:
    clock = MockClock()

    async def run() -> list[tuple[float, int]]:
        seen = []
        async with trio.open_nursery() as nursery:
            on = Metered(nursery, spoiler("smtp", f"throttle {rate}"))
            on.leg.begin()
            on.leg.received(Side.SERVER, b"x" * 40 * rate)
            for late in (0.03, 0.5, 0.07, 1.0, 0.013, 7.0, 0.2, 20.0):
                await wait_all_tasks_blocked()
                clock.jump(late)
                await wait_all_tasks_blocked()
                seen.append((trio.current_time() - on.began, on.octets))
            on.leg.close()
        return seen

    for passed, octets in trio.run(run, clock=clock):
        assert rate * passed - max(rate // 10, 1) <= octets <= rate * passed + 1e-6


def test_a_pause_holds_all_that_comes_behind_it_in_its_order() -> None:
    async def scene(on: Play) -> None:
        on.leg.send(b"NOOP\r\n")
        on.leg.send(b"RSET\r\n")
        on.leg.send(b"HELP\r\n")
        await trio.sleep(7)

    on = play({"NOOP": [Wait(2), Tell("late"), Pass(b"NOOP\r\n")], "250 RSET": [Wait(3), Hand(b"ok")]}, scene)
    assert on.log == ["0 220 x", "2 === late", "2 250 NOOP", "5 ok", "5 250 HELP"]
    assert on.server.heard == ["", "NOOP", "RSET", "HELP", "left"]


def test_the_client_ends_within_a_pause_and_nothing_is_lost() -> None:
    async def scene(on: Play) -> None:
        on.leg.send(b"NOOP\r\n")
        on.leg.send(b"RSET\r\n")
        on.leg.finish()
        await trio.sleep(3)

    on = play({"NOOP": [Wait(2), Pass(b"NOOP\r\n")], "client ended": [Pass(b"held")]}, scene)
    assert on.server.heard == ["", "NOOP", "RSET", "held", "EOF", "left"]
    assert on.log[1:] == ["2 250 NOOP", "2 250 RSET", "2 250 held", "2 closed"]


def test_the_server_ends_within_a_pause_and_nothing_is_lost() -> None:
    async def scene(on: Play) -> None:
        on.leg.send(b"QUIT\r\n")
        await trio.sleep(5)

    on = play({"221 bye": [Wait(4), Hand(b"221 bye")]}, scene)
    assert on.log == ["0 220 x", "4 221 bye", "4 closed"]


def test_all_is_over_within_a_pause_and_nothing_is_waited_for() -> None:
    async def scene(on: Play) -> None:
        on.leg.send(b"NOOP\r\n")
        on.leg.close()
        on.leg.send(b"RSET\r\n")

    on = play({"NOOP": [Wait(86_400), Pass(b"NOOP\r\n")]}, scene)
    assert on.log == ["0 220 x"]
    assert on.server.heard == ["", "left"]
    assert on.passed == 0


def test_a_server_that_has_ended_still_hears_the_client() -> None:
    async def scene(on: Play) -> None:
        on.leg.ended(Side.SERVER, None)
        await on.say("NOOP")

    on = play({"NOOP": [Break()]}, scene)
    assert "0 closed" in on.log
    assert on.server.heard == ["", "NOOP", "left"]


@pytest.mark.parametrize(
    ("order", "told"),
    [(Close(), "0 cut off: closed"), (Break(), "0 cut off: reset"), (Break(How.TIMED_OUT), "0 cut off: timed-out")],
)
def test_the_spoiler_ends_the_connection(order: Order, told: str) -> None:
    async def scene(on: Play) -> None:
        await on.say("NOOP", "RSET")
        assert on.leg.closed

    on = play({"NOOP": [Tell("now"), order, Hand(b"too late")]}, scene)
    assert on.log == ["0 220 x", "0 === now", told]
    assert on.server.heard == ["", "left"]


def test_what_happens_at_the_start_waits_until_the_connection_is_known() -> None:
    async def scene(on: Play) -> None:
        assert on.log == []
        on.leg.begin()
        await on.say("NOOP")

    on = play({"connected": [Tell("at once"), Close()]}, scene, begin=False)
    assert on.log == ["0 === at once", "0 cut off: closed"]


def test_tls_begins_in_its_turn() -> None:
    async def scene(on: Play) -> None:
        on.leg.send(b"STARTTLS\r\n")
        on.leg.start_tls()
        await trio.sleep(2)
        await on.say("QUIT")

    on = play({"STARTTLS": [Wait(1), Pass(b"STARTTLS\r\n")]}, scene)
    assert on.log[1:] == ["1 250 STARTTLS", "1 secured", "1 220 x", "2 221 bye", "2 closed, notified True"]


def test_a_connection_that_ends_before_tls_has_begun_is_told_as_a_failure_of_tls() -> None:
    async def scene(on: Play) -> None:
        on.leg.start_tls()
        on.leg.begin()

    on = play({"connected": [Close()]}, scene, begin=False)
    assert on.log == ["0 closed before the handshake"]


def test_the_client_is_not_read_while_too_much_of_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spoiled, "ROOM", 10)

    async def scene(on: Play) -> None:
        on.leg.send(b"NOOP\r\n")
        on.leg.send(b"123456\r\n")
        on.leg.send(b"789\r\n")
        await trio.sleep(2)

    on = play({"NOOP": [Wait(1)], "123456": [], "789": []}, scene)
    assert on.log == ["0 220 x", "0 congested", "1 room"]


def test_a_client_that_is_not_read_is_read_again_once_the_connection_has_ended() -> None:
    async def scene(on: Play) -> None:
        on.leg.congested(Side.SERVER, True)
        await on.say("NOOP")

    on = play({"NOOP": [Close()]}, scene)
    assert on.log == ["0 220 x", "0 congested", "0 room", "0 cut off: closed"]


def test_a_spoiler_that_fails_harms_its_own_session_alone() -> None:
    async def scene(on: Play) -> None:
        await on.say("FAIL")

    assert play({}, scene).log == ["0 220 x", "0 fell: ZeroDivisionError"]


# Over real connections.


def spoiler(protocol: str, *rules: str) -> Spoiler:
    return Faults(tuple(map(parse, rules))).session(protocol)


@pollers
@trio_test
async def test_a_reply_in_the_servers_place_is_recorded_as_mailproxys(backend: str) -> None:
    with trio.socket.socket() as listener:
        port = await listening(listener)
        address = Address(LOCAL, port, spoiler=spoiler("smtp", "at RCPT 2 answer 452 4.5.3 Too many"))
        async with (
            proxy(backend, address) as (stage, call),
            stream(call()) as client,
            trio.SocketStream((await listener.accept())[0]) as server,
        ):
            await server.send_all(GREETING)
            await exactly(client, len(GREETING))
            await client.send_all(b"RCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nNOOP\r\n")
            assert await exactly(server, 21) == b"RCPT TO:<a@x>\r\nNOOP\r\n"
            await server.send_all(b"250 a\r\n250 fine\r\n")
            assert await exactly(client, 37) == b"250 a\r\n452 4.5.3 Too many\r\n250 fine\r\n"
        own = [each for each in stage.entries if isinstance(each, Frame) and each.origin is Origin.PROXY]
        assert [(each.side, each.octets) for each in own] == [(Side.SERVER, b"452 4.5.3 Too many\r\n")]
        assert stage.notes[1] == (
            "=== fault: RCPT 2 answered 452 4.5.3 Too many by mailproxy, the server was not asked "
            '(--fault "at RCPT 2 answer 452 4.5.3 Too many")'
        )


@pollers
@trio_test
async def test_a_reset_on_wish_reaches_both(backend: str) -> None:
    with trio.socket.socket() as listener:
        port = await listening(listener)
        address = Address(LOCAL, port, spoiler=spoiler("smtp", "after EHLO reset"))
        async with proxy(backend, address) as (stage, call):
            async with stream(call()) as client, trio.SocketStream((await listener.accept())[0]) as server:
                await server.send_all(b"220 x\r\n")
                await exactly(client, 7)
                await client.send_all(b"EHLO a\r\n")
                await exactly(server, 8)
                await server.send_all(b"250 x\r\n")
                assert await is_reset(client)
                assert await is_reset(server)
            await stage.ended.wait()
            assert stage.notes[2:] == ["*** reset by the server, by mailproxy in its place"]
            assert stage.said(Side.SERVER) == b"220 x\r\n250 x\r\n"


SIZE = 10 << 20
LINE = b".." + b"x" * 68 + b"\r\n"
MESSAGE = LINE * (SIZE // len(LINE)) + b".\r\n"
NEVER = (
    "at RCPT 99 answer 452 4.5.3 Too many", "at content 99 reset after 100 octets", "at QUIT 99 drop",
    "at octet 999999999 close", "delay 5 above 99 connections", "after content 99 close",
)  # fmt: skip


@pollers
@trio_test
async def test_a_message_to_the_server_is_the_same_with_faults_that_do_not_happen(backend: str) -> None:
    with trio.socket.socket() as listener:
        port = await listening(listener)
        async with proxy(backend, Address(LOCAL, port, spoiler=spoiler("smtp", *NEVER))) as (stage, call):
            async with stream(call()) as client, trio.SocketStream((await listener.accept())[0]) as server:
                await server.send_all(b"220 x\r\n")
                await exactly(client, 7)
                await client.send_all(b"DATA\r\n")
                await exactly(server, 6)
                await server.send_all(b"354 go\r\n")
                await exactly(client, 8)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(send_and_end, client, MESSAGE + b"QUIT\r\n")
                    assert await all_of(server) == MESSAGE + b"QUIT\r\n"
                await server.send_all(b"250 taken\r\n221 bye\r\n")
                await server.aclose()
                assert await all_of(client) == b"250 taken\r\n221 bye\r\n"
            await stage.ended.wait()
            assert stage.notes[1:] == ["*** closed by the client", "=== closed by the server too"]
            assert stage.said(Side.CLIENT) == b"DATA\r\n" + MESSAGE + b"QUIT\r\n"


@pollers
@trio_test
async def test_a_message_of_the_server_is_the_same_with_faults_that_do_not_happen(backend: str) -> None:
    rules = (*NEVER[1:], "at content 2 unstuffed dot", "at RETR 2 wrong count")
    with trio.socket.socket() as listener:
        port = await listening(listener)
        async with proxy(backend, Address(LOCAL, port, spoiler=spoiler("pop3", *rules))) as (stage, call):
            stage.relay = Relay(named("pop3").dialogue())
            async with stream(call()) as client, trio.SocketStream((await listener.accept())[0]) as server:
                await server.send_all(b"+OK x\r\n")
                await exactly(client, 7)
                await client.send_all(b"RETR 1\r\n")
                await exactly(server, 8)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(send_and_end, server, b"+OK\r\n" + MESSAGE)
                    assert await all_of(client) == b"+OK\r\n" + MESSAGE
                await client.send_all(b"QUIT\r\n")
                await client.send_eof()
                assert await all_of(server) == b"QUIT\r\n"
            await stage.ended.wait()
            assert stage.said(Side.SERVER) == b"+OK x\r\n+OK\r\n" + MESSAGE


async def listening(listener: trio.socket.SocketType) -> int:
    await listener.bind((LOCAL, 0))
    listener.listen()
    port: int = listener.getsockname()[1]
    return port


async def send_and_end(peer: trio.SocketStream, octets: bytes) -> None:
    await peer.send_all(octets)
    await peer.send_eof()
