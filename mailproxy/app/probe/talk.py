"""One server, asked over a connection: the party's orders are carried out, and each stage ends in time."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import trio

from mailproxy.app.probe.notes import Notes
from mailproxy.app.probe.target import Target
from mailproxy.model.octets import Side
from mailproxy.model.session import How
from mailproxy.net.dial import Failure
from mailproxy.net.securing import Securing
from mailproxy.net.typed import Connection, dial, resolve
from mailproxy.talk.probe import Action, Close, Probe, Send, Stage, StartTls
from mailproxy.talk.relay import TROUBLE
from mailproxy.talk.typist import TakeDown
from mailproxy.talk.ways import Insecure
from mailproxy.wire.tls import Tls

ADDRESSES: Final = 4
"""So many addresses of a host are tried."""


class Talk:
    """Asks one server. `done` hears of each stage as it ends."""

    def __init__(
        self, target: Target, party: Probe, securing: Securing, notes: Notes, done: Callable[[Stage], None]
    ) -> None:
        self.addresses: tuple[str, ...] = ()
        self.address = ""
        self._target = target
        self._party = party
        self._securing = securing
        self._notes = notes
        self._done = done
        self._told = 0
        self._tls: Tls | None = None
        self._began = trio.current_time()

    async def run(self) -> None:
        """Ask; it raises nothing that a server or the network can bring about."""
        try:
            await self._ask()
        finally:
            for action in self._party.left(self._at()):
                self._take_down(action)
            self._notes.ended(self._party, self._at())

    async def _ask(self) -> None:
        found = await self._resolve()
        if isinstance(found, Failure):
            await self._do(None, self._party.unreachable(*found, self._at()))
            return
        self.addresses = found
        self._party.resolved(found, self._at())
        self._tell()
        connection = await self._connect(found)
        if connection is None:
            return
        async with connection:
            await self._listen(connection)

    # Finding the server.

    async def _resolve(self) -> tuple[str, ...] | Failure:
        host, port = self._target.host, self._target.port
        with trio.move_on_after(self._party.patience):
            return await resolve(host, port)
        return Failure(How.NO_NAME, f"DNS did not answer within {self._party.patience:g} s")

    async def _connect(self, addresses: Sequence[str]) -> Connection | None:
        """The connection to the first address that takes one; each has its share of the stage's time."""
        wanted = addresses[:ADDRESSES]
        ends = trio.current_time() + self._party.patience
        last = Failure(How.TIMED_OUT)
        tried: list[str] = []
        for left, address in zip(range(len(wanted), 0, -1), wanted, strict=True):
            last = Failure(How.TIMED_OUT)
            with trio.move_on_after(max(0, ends - trio.current_time()) / left):
                found = await dial(address, self._target.port, lambda _: None)
                if isinstance(found, Connection):
                    await self._connected(found, address, tried)
                    return found
                last = found
            tried.append(f"{address}: {last.reason or TROUBLE[last.how]}")
        await self._do(None, self._party.unreachable(*last, self._at(), tried))
        return None

    async def _connected(self, connection: Connection, address: str, tried: Sequence[str]) -> None:
        self.address = address
        at = self._at()
        self._notes.connected(replace(connection.leg, host=self._target.host, connected=at))
        own = connection.leg.local_address
        await self._do(connection, self._party.connected(address, own, at, tried))

    # Talking to it.

    async def _listen(self, connection: Connection) -> None:
        party = self._party
        while not party.over:
            step, patience = party.step, party.patience
            with trio.move_on_after(patience) as scope:
                while party.step is step and not party.over:
                    await self._hear(connection)
            if scope.cancelled_caught and not party.over:
                with trio.move_on_after(patience):
                    await self._do(connection, party.late(self._at()))

    async def _hear(self, connection: Connection) -> None:
        octets = await connection.receive()
        tls = self._tls
        if isinstance(octets, How):
            if tls and not tls.open and octets is How.CLOSED:
                tls.eof()
                await self._insecure(connection, tls)
            else:
                await self._do(connection, self._party.ended(octets, self._at()))
        elif tls:
            await self._decrypt(connection, tls, octets)
        else:
            await self._do(connection, self._party.received(octets, self._at()))

    async def _decrypt(self, connection: Connection, tls: Tls, octets: bytes) -> None:
        shaking = not tls.open
        plain = tls.receive(octets)
        await connection.send(tls.outgoing())
        if shaking and tls.open:
            facts = self._securing.facts(tls)
            self._notes.secured(facts)
            await self._do(connection, self._party.secured(facts, self._at()))
        if plain and not self._party.over:
            await self._do(connection, self._party.received(plain, self._at()))
        if tls.failure and not self._party.over:
            await self._insecure(connection, tls)
        elif tls.ended and not self._party.over:
            await self._do(connection, self._party.ended(How.CLOSED, self._at()))

    async def _insecure(self, connection: Connection, tls: Tls) -> None:
        facts = self._securing.facts(tls)
        self._notes.secured(facts)
        why = Insecure(tls.failure, tls.alert_number, tls.by, tls.clear)
        await self._do(connection, self._party.insecure(why, facts, self._at()))

    async def _start_tls(self, connection: Connection) -> None:
        try:
            self._tls = self._securing.begin(Side.SERVER)
        except (OSError, ValueError) as error:
            await self._do(connection, self._party.insecure(Insecure(str(error)), None, self._at()))
            return
        self._tls.begin()
        await connection.send(self._tls.outgoing())

    # Orders.

    async def _do(self, connection: Connection | None, actions: Sequence[Action]) -> None:
        self._tell()
        for action in actions:
            self._take_down(action)
            match action:
                case Send(octets) if connection:
                    await connection.send(self._tls.send(octets) if self._tls else octets)
                case StartTls() if connection:
                    await self._start_tls(connection)
                case Close() if connection and self._tls:
                    await connection.send(self._tls.end())
                case _:
                    pass

    def _take_down(self, action: Action) -> None:
        if isinstance(action, TakeDown):
            self._notes.heard(action.entries, action.exchanges)

    def _tell(self) -> None:
        """Tell of the stages that have ended since."""
        ended = self._party.progress.done
        for stage in ended[self._told :]:
            self._done(stage)
        self._told = len(ended)

    def _at(self) -> int:
        return round((trio.current_time() - self._began) * 1_000_000)
