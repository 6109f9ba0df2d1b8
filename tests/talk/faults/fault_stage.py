"""A spoiler between a client and a server, without sockets: a script of what both say, a transcript of what passes."""

from collections.abc import Callable, Sequence
from typing import Final

from mailproxy.model.injected import injected
from mailproxy.talk.faults.orders import Break, Close, Hand, Order, Pass, Tell, Wait
from mailproxy.talk.faults.parse import parse
from mailproxy.talk.faults.sessions import Faults

Cut = Callable[[bytes], Sequence[bytes]]
CUTS: Final[dict[str, Cut]] = {
    "whole": lambda octets: [octets],
    "octets": lambda octets: [octets[at : at + 1] for at in range(len(octets))],
    "torn": lambda octets: [part for part in (octets[:1], octets[1:-1], octets[1:][-1:]) if part],
    "lines": lambda octets: octets.splitlines(keepends=True),
}


class Stage:
    """Plays a script to a spoiler: ` -> ` is a line of the client, `<-  ` of the server; neighbours come at once."""

    def __init__(self, protocol: str, *faults: str, cut: str = "whole") -> None:
        self.spoiler = Faults(tuple(map(parse, faults))).session(protocol)
        self.orders: list[Order] = self.spoiler.connected()
        self._cut = CUTS[cut]

    def play(self, script: str) -> "Stage":
        """Let these things be said."""
        said: list[tuple[str, bytes]] = []
        for line in script.strip("\n").splitlines():
            mark, octets = line[:4], written(line[4:])
            if said and said[-1][0] == mark:
                said[-1] = mark, said[-1][1] + octets
            else:
                said.append((mark, octets))
        for mark, octets in said:
            if mark == "****":
                self.orders += self.spoiler.ended(None) if octets.startswith(b"s") else self.spoiler.client_ended()
                continue
            for part in self._cut(octets):
                self.orders += self.spoiler.asked(part) if mark == " -> " else self.spoiler.said(part)
        return self

    @property
    def to_server(self) -> bytes:
        """What the server gets."""
        return b"".join(order.octets for order in self.orders if isinstance(order, Pass))

    @property
    def to_client(self) -> bytes:
        """What the client gets."""
        return b"".join(order.octets for order in self.orders if isinstance(order, Hand))

    @property
    def own(self) -> bytes:
        """What of it is mailproxy's own."""
        return b"".join(order.octets for order in self.orders if isinstance(order, Hand) and order.own)

    @property
    def told(self) -> list[str]:
        """What was told."""
        return [_did(order) for order in self.orders if isinstance(order, Tell)]

    @property
    def ended(self) -> bool:
        """Whether the connection has ended, which is the last of all orders."""
        assert not any(isinstance(order, Close | Break) for order in self.orders[:-1])
        return isinstance(self.orders[-1:], list) and isinstance(self.orders[-1], Close | Break)

    def talk(self) -> list[str]:
        """What passed, in order: octets that go the same way are put together, then parted in lines."""
        lines: list[str] = []
        mark, octets = "", b""
        for order in [*self.orders, None]:
            now = _mark(order)
            if octets and now != mark:
                lines += [f"{mark}{shown(line)}" for line in octets.splitlines(keepends=True)]
                octets = b""
            mark = now
            match order:
                case Pass(more) | Hand(more):
                    octets += more
                case Tell():
                    lines.append(f"=== {_did(order)}")
                case Wait(seconds):
                    lines.append(f"... {seconds:g} s")
                case Close():
                    lines.append("*** closed")
                case Break():
                    lines.append("*** reset")
        return lines


def _mark(order: Order | None) -> str:
    match order:
        case Pass():
            return " -> "
        case Hand(own=True):
            return "<!  "
        case Hand():
            return "<-  "
        case _:
            return ""


def _did(order: Tell) -> str:
    told = injected(order.text)
    assert told
    assert told.rule
    return told.did


def written(line: str) -> bytes:
    """A line as octets: its line end is CRLF, unless a backslash says that it broke off."""
    return line[:-1].encode() if line.endswith("\\") else line.encode() + b"\r\n"


def shown(line: bytes) -> str:
    """Octets as a line."""
    text = line.decode("utf-8", "backslashreplace")
    if text.endswith("\r\n"):
        return text[:-2]
    return text[:-1] + "\\n" if text.endswith("\n") else text + "\\"


def transcript(text: str) -> list[str]:
    """What is expected."""
    return text.strip("\n").splitlines()
