"""A recorded client without sockets, before a server that is a script or plays a part itself."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from mailproxy.model.escape import escape
from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Entry, Frame, Note, Side
from mailproxy.model.session import How, Recording
from mailproxy.model.tls import Security, TlsFacts
from mailproxy.talk.play.acting import SAFELY, Acting
from mailproxy.talk.play.client import (
    Action,
    ClientPlayer,
    Close,
    Login,
    Pause,
    Refuse,
    Reset,
    Send,
    StartTls,
    TakeDown,
)
from mailproxy.talk.play.server import ServerPlayer
from mailproxy.talk.practice import conversation
from mailproxy.talk.practice.conversation import Party
from mailproxy.talk.stand_in import Absent, StandIn
from mailproxy.talk.ways import Insecure
from tests.talk.play.server_stage import corpus, recorded
from tests.tls import FACTS

LOGIN: Final = Login("", "correct horse")
PASSWORD: Final = re.compile(rb"<secret: (?:[^<>]*password )?(\d+) characters")
UNNAMED: Final = re.compile(rb"<secret: LOGIN, user name 5 characters>")
Cut = Callable[[bytes], Iterable[bytes]]
CUTS: Final[dict[str, Cut]] = {
    "whole": lambda octets: [octets],
    "octet by octet": lambda octets: [octets[at : at + 1] for at in range(len(octets))],
    "torn": lambda octets: [octets[at : at + 7] for at in range(0, len(octets), 7)],
}


def client(
    recording: Recording | str,
    acting: Acting = SAFELY,
    login: Login | None = None,
    security: Security = Security.NONE,
) -> ClientPlayer:
    """The client of a recording, a transcript or a session of the corpus."""
    if isinstance(recording, str):
        recording = recorded(recording) if "\n" in recording else corpus(recording)
    return ClientPlayer(recording, acting, login, security)


def login_of(recording: Recording) -> Login:
    """A password of the recorded length, and a name where none is told."""
    said = b"".join(each.octets for each in recording.entries if isinstance(each, Frame) and each.side is Side.CLIENT)
    found = PASSWORD.search(said)
    length, blank = int(found[1]) if found else 8, " " * (b"blank at the end" in said)
    return Login("alice" if UNNAMED.search(said) else "", "p" * (length - len(blank)) + blank)


class Met:
    """A player and its server. `said` is what the player did, a line each; what was taken down is there too."""

    def __init__(self, player: ClientPlayer, server: StandIn, cut: Cut = CUTS["whole"]) -> None:
        self.said: list[str] = []
        self.sent = b""
        self.entries: list[Entry] = []
        self.exchanges: list[Exchange] = []
        self.shaken = 0
        self._player = player
        self._server = server
        self._cut = cut
        self._greeted = False

    def play(self) -> "Met":
        """Let them talk until one of them ends it."""
        player = self._player
        if absent := self._server.absent():
            self._do(player.failed(absent.how, absent.reason, 0))
            return self
        actions = player.connected("mail.example.org", "192.0.2.25", 0)
        self._do(actions)
        if not any(isinstance(action, StartTls | Refuse) for action in actions):
            self._greet()
        for _ in range(100):
            if player.over:
                return self
            assert player.patience is not None
            self._do(player.late(0))
        raise AssertionError("it never ends")

    def _greet(self) -> None:
        self._greeted = True
        self._answer(self._server.receive())

    def _do(self, actions: Sequence[Action]) -> None:
        queue = deque(actions)
        while queue:
            match queue.popleft():
                case TakeDown(entries, exchanges):
                    self.entries += entries
                    self.exchanges += exchanges
                case Send(octets):
                    self.sent += octets
                    lines = octets.split(b"\r\n")
                    self.said += map(escape, lines if lines[-1] else lines[:-1])
                    self._answer(self._server.receive(octets))
                case StartTls():
                    self.said.append("=== TLS")
                    self.shaken += 1
                    self._secure()
                case Refuse():
                    self.said.append("=== TLS refused")
                    found = self._server.secure()
                    why = found if isinstance(found, Insecure) else Insecure("refused", by=Side.CLIENT)
                    self._do(self._player.insecure(why, 0))
                case Close():
                    self.said.append("*** closed")
                    if not self._player.over:
                        self._answer(self._server.ended())
                case Reset():
                    self.said.append("*** reset")
                case Pause(seconds):
                    self.said.append(f"=== {seconds:g} s")
                    self._do(self._player.woke(0))

    def _secure(self) -> None:
        found = self._server.secure()
        if not isinstance(found, TlsFacts):
            self._do(self._player.insecure(found, 0))
            return
        self._do(self._player.secured(found, 0))
        if not self._greeted:
            self._greet()

    def _answer(self, actions: Sequence[conversation.Action]) -> None:
        for action in actions:
            match action:
                case conversation.Send(octets):
                    for part in self._cut(octets):
                        self._do(self._player.heard(part, 0))
                case conversation.Close():
                    self._do(self._player.ended(How.CLOSED, 0, True if self.shaken else None))
                case conversation.Reset():
                    self._do(self._player.ended(How.RESET, 0))
                case _:
                    pass

    @property
    def notes(self) -> list[str]:
        """What was noted of it."""
        return [entry.text for entry in self.entries if isinstance(entry, Note)]


class Practising:
    """A practice server, as a stand-in. There is no TLS."""

    def __init__(self, party: Party) -> None:
        self._party = party

    def absent(self) -> Absent | None:
        return None

    def receive(self, octets: bytes = b"") -> list[conversation.Action]:
        return self._party.receive(octets)

    def secure(self) -> TlsFacts | Insecure:
        return Insecure("it speaks no TLS")

    def ended(self) -> list[conversation.Action]:
        self.leave()
        return [conversation.Close()]

    def leave(self) -> None:
        self._party.leave()


class Scripted:
    """A server that greets, and answers each line with the next of its answers, a list of lines for each."""

    def __init__(self, greeting: str, *answers: str) -> None:
        self._greeting = _lines(greeting)
        self._answers = deque(map(_lines, answers))
        self._heard = b""

    def absent(self) -> Absent | None:
        return None

    def receive(self, octets: bytes = b"") -> list[conversation.Action]:
        if not octets:
            return [conversation.Send(self._greeting)]
        *lines, self._heard = (self._heard + octets).split(b"\n")
        answers = [self._answers.popleft() for _ in lines if self._answers]
        return [conversation.Send(answer) for answer in answers if answer]

    def secure(self) -> TlsFacts | Insecure:
        return FACTS

    def ended(self) -> list[conversation.Action]:
        return [conversation.Close()]

    def leave(self) -> None:
        pass


def meet(player: ClientPlayer, server: StandIn | Recording | str, cut: Cut = CUTS["whole"]) -> Met:
    """Let a player talk to a server, or to the one of a recording."""
    if isinstance(server, str):
        server = recorded(server) if "\n" in server else corpus(server)
    if isinstance(server, Recording):
        server = ServerPlayer(server)
    return Met(player, server, cut).play()


def _lines(text: str) -> bytes:
    return "".join(f"{line}\r\n" for line in text.split("\n") if line).encode()
