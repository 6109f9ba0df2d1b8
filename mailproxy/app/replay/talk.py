"""A recorded client speaks to a server: what its player wants is done over a connection."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf

import trio

from mailproxy.app.by_hand import Over, Record, Target
from mailproxy.model.octets import Side
from mailproxy.net.dial import Failure
from mailproxy.net.securing import Securing
from mailproxy.net.typed import RECEIVE, Connection, Ended, Event, Failed, Secured, dial
from mailproxy.talk import typist
from mailproxy.talk.faults.fault import TlsSpoil
from mailproxy.talk.play import client as play
from mailproxy.talk.ways import Insecure


class Talk:
    """One session of a player with a server. It raises nothing that a server or the network can bring about."""

    def __init__(self, target: Target, player: play.ClientPlayer, securing: Securing, record: Record) -> None:
        self._target = target
        self._player = player
        self._securing = securing
        self._record = record
        self._began = trio.current_time()
        self._pause: float | None = None  # until when, by trio's clock

    async def run(self) -> None:
        """Play, from the connection to its end, and take down what came of it."""
        try:
            await self._dial()
        finally:
            self._take_down(self._player.cut_off(self._at()))
            relay = self._player.relay
            dialogue = relay.dialogue
            protocol = self._target.protocol
            self._record.ended(Over(protocol, dialogue.user, dialogue.quit, relay.endings, self._at()))

    async def _dial(self) -> None:
        target = self._target
        found = await dial(target.host, target.port, lambda _: None)
        if isinstance(found, Failure):
            self._take_down(self._player.failed(found.how, found.reason, self._at()))
            return
        async with found:
            at = self._at()
            self._record.connected(replace(found.leg, connected=at))
            await self._do(found, self._player.connected(target.host, found.leg.address, at))
            await self._converse(found)

    async def _converse(self, connection: Connection) -> None:
        heard, hearing = trio.open_memory_channel[Event](0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen, connection, heard)
            async with hearing:
                while not self._player.over:
                    await self._step(connection, hearing)
            nursery.cancel_scope.cancel()

    async def _listen(self, connection: Connection, heard: "trio.MemorySendChannel[Event]") -> None:
        async with heard:
            while True:
                for event in await connection.hear():
                    await heard.send(event)
                    if isinstance(event, Ended | Failed):
                        return

    async def _step(self, connection: Connection, hearing: "trio.MemoryReceiveChannel[Event]") -> None:
        """Wait for the next thing that happens, and have the player hear of it."""
        waits = self._player.patience
        patience = inf if waits is None else trio.current_time() + waits
        pause = inf if self._pause is None else self._pause
        with trio.move_on_at(min(patience, pause)):
            try:
                await self._hear(connection, await hearing.receive())
            except trio.EndOfChannel:  # the server is gone, and the player has pauses to make
                await trio.sleep_forever()
            return
        if pause <= patience:
            self._pause = None
            await self._do(connection, self._player.woke(self._at()))
        else:
            await self._do(connection, self._player.late(self._at()))

    async def _hear(self, connection: Connection, event: Event) -> None:
        player, at = self._player, self._at()
        match event:
            case bytes():
                await self._do(connection, player.heard(event, at))
            case Secured(tls):
                self._record.secured(facts := self._securing.facts(tls))
                await self._do(connection, player.secured(facts, at))
            case Failed(tls):
                self._record.secured(self._securing.facts(tls))
                why = Insecure(tls.failure, tls.alert_number, tls.by, tls.clear)
                await self._do(connection, player.insecure(why, at))
            case Ended(how, notified):
                await self._do(connection, player.ended(how, at, notified))

    def _take_down(self, actions: Sequence[play.Action]) -> None:
        for action in actions:
            if isinstance(action, typist.TakeDown):
                self._record.heard(action.entries, action.exchanges)

    async def _do(self, connection: Connection, actions: Sequence[play.Action]) -> None:
        """Take down everything before anything is sent."""
        self._take_down(actions)
        for action in _joined(actions):
            match action:
                case typist.Send(octets):
                    await connection.send(octets)
                case typist.StartTls():
                    await connection.secure(self._securing.begin(Side.SERVER))
                case play.Refuse(alert):
                    await connection.secure(self._securing.begin(Side.SERVER, TlsSpoil(alert=alert)))
                case play.Pause(seconds):
                    self._pause = trio.current_time() + seconds
                case typist.Close():
                    await connection.end()
                case play.Reset():
                    connection.reset()
                case _:
                    pass

    def _at(self) -> int:
        return round((trio.current_time() - self._began) * 1_000_000)


def _joined(actions: Sequence[play.Action]) -> Iterator[play.Action]:
    """What is to be done after all was taken down; what is said in one go goes in one write, as far as that is wise."""
    said = b""
    for action in actions:
        match action:
            case typist.Send(octets) if len(said) + len(octets) <= RECEIVE:
                said += octets
            case typist.TakeDown():
                pass
            case _:
                if said:
                    yield typist.Send(said)
                said = b""
                yield action
    if said:
        yield typist.Send(said)
