"""All sessions that are being recorded at a time, and who calls for them."""

from functools import partial
from typing import Final

import trio

from mailproxy.app.flushing import Flusher
from mailproxy.app.plan import Plan, WhenFull
from mailproxy.app.routes import Route, place
from mailproxy.app.screen import Listening, Screen
from mailproxy.app.socks import Desk
from mailproxy.app.take import Call, Take
from mailproxy.net.authority import Authority
from mailproxy.net.listen import Port, Socket
from mailproxy.net.owner import Surroundings
from mailproxy.net.patience import Patience
from mailproxy.net.poll import Poller
from mailproxy.net.securing import Office
from mailproxy.net.trust import Trust
from mailproxy.store.recorder import Recorder
from mailproxy.store.trouble import DatabaseBusy, RecordingStopped

REMIND_EVERY: Final = 60.0


class Studio:
    """All sessions that are being recorded."""

    def __init__(self, plan: Plan, screen: Screen, recorder: Recorder, poller: Poller, nursery: trio.Nursery) -> None:
        self.stopping = trio.Event()
        self.plan = plan
        self.screen = screen
        self.recorder = recorder
        self.flusher = Flusher(recorder, screen)
        self.surroundings = Surroundings(poller, nursery, Patience())
        self.office = Office(lambda: Authority(plan.tls.authority), lambda: Trust(plan.tls.trust))
        self._poller = poller
        self.open: list[Listening] = []
        self._ports: list[Port] = []
        self._takes: set[Take] = set()
        self._desk: Desk | None = None
        self._held: list[Call] = []
        self._seen: set[Route] = set()
        self._stopped = ""
        self._exhausted = False

    def listen(self) -> dict[str, object]:
        """Listen on all routes; returns what the ready file says. Raises OSError, with the address as its filename."""
        for route in self.plan.routes:
            port = self._open(route)
            self._ports.append(port)
            self.open.append(Listening(route, port.host, port.number))
        if socks := self.plan.socks:
            self._desk = Desk(self.plan, self.surroundings, self._called, self._turned_away, self._page)
            port = self._open(socks)
            self._ports.append(port)
            self.open.append(Listening(socks, port.host, port.number))
        self.screen.listening(self.open)
        listeners = [
            {
                "protocol": route.protocol,
                "host": host,
                "port": port,
                "security": route.client.value,
                "upstream": route.upstream,
            }
            for route, host, port in self.open
        ]
        return {"version": 1, "listeners": listeners}

    def stop(self) -> None:
        """Cut all sessions off and listen no longer."""
        for port in self._ports:
            port.close()
        if self._desk:
            self._desk.close()
        for call in self._held:
            call.sock.close()
        for take in list(self._takes):
            take.stop()

    async def watch_time(self) -> None:
        """End what takes too long, for ever."""
        await self.surroundings.patience.run()

    async def remind(self) -> None:
        """Say which listeners nobody has called on yet."""
        while waiting := [each for each in self.open if each.route not in self._seen]:
            self.screen.waiting(waiting)
            await trio.sleep(REMIND_EVERY)

    def recording_stopped(self, stop: RecordingStopped) -> None:
        """Nothing can be recorded: say so, and do what the user wants then."""
        if not self._stopped:
            self._stopped = str(stop)
            then = {
                WhenFull.REFUSE: "new connections are refused until mailproxy is started again",
                WhenFull.RELAY: "sessions go on UNRECORDED",
                WhenFull.STOP: "mailproxy stops",
            }[self.plan.when_full]
            self.screen.trouble(f"NOTHING IS RECORDED any more: {stop}; {then}")
        if self.plan.when_full is WhenFull.STOP:
            self.stopping.set()

    def _open(self, route: Route) -> Port:
        try:
            return Port(
                route.listen_host, route.listen_port, self._poller, partial(self._accepted, route), self._trouble
            )
        except OSError as error:
            where = place(route.listen_host, route.listen_port)
            raise OSError(error.errno, error.strerror or str(error), where) from error

    def _accepted(self, route: Route, sock: Socket, address: tuple[str, int]) -> None:
        self._seen.add(route)
        if self._desk and route is self.plan.socks:
            self._desk.welcome(sock, address)
        else:
            self._called(Call(route, sock, address, sock.getsockname()[:2]))

    def _called(self, call: Call) -> None:
        try:
            number = self._number()
        except DatabaseBusy as trouble:
            if not self._held:
                self.screen.trouble(f"{trouble}; new connections wait")
            self._held.append(call)
            return
        if number is None and self.plan.when_full is not WhenFull.RELAY:
            call.sock.close()
            return
        take = Take(self, number, call)
        self._takes.add(take)
        take.start()

    def _turned_away(self, call: Call, reason: str) -> None:
        """Take down that somebody called and asked for nothing that can be had."""
        try:
            number = self._number()
        except DatabaseBusy:
            return
        Take(self, number, call).turned_away(reason)

    def _page(self, request: bytes) -> bytes:
        from mailproxy.app.ca_page import answer

        return answer(request, self.office.authority)

    def _number(self) -> int | None:
        """The number of the next session, None where it cannot be recorded. Raises DatabaseBusy."""
        if self._stopped:
            return None
        try:
            return self.recorder.next_id()
        except DatabaseBusy:
            raise
        except RecordingStopped as stop:
            self.recording_stopped(stop)
            return None

    def try_held(self) -> None:
        """Take the connections that had to wait for the database."""
        held, self._held = self._held, []
        for call in held:
            self._called(call)

    def done(self, take: "Take") -> None:
        """A session is over."""
        self._takes.discard(take)
        if self._exhausted:
            self._exhausted = False
            for port in self._ports:
                port.pause(False)

    def _trouble(self, error: OSError) -> None:
        if not self._exhausted:
            self.screen.trouble(f"no more connections can be taken: {error.strerror}; callers wait until one ends")
        self._exhausted = True
        for port in self._ports:
            port.pause(True)
