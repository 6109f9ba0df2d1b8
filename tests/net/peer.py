"""A peer of mailproxy over a real socket, in clear or under TLS, that can stop wherever a test wants it to."""

import ssl
from typing import Final

import trio

from mailproxy.model.octets import Side
from tests.wire.pair import HOST, Theirs

CHUNK: Final = 65_536


class Peer:
    """A client or a server. `ended` says how it heard the other end: with close_notify, or without."""

    def __init__(self, side: Side, stream: trio.SocketStream) -> None:
        self.side = side
        self.stream = stream
        self.tls: Theirs | None = None
        self.eof = False
        self._heard = b""

    @property
    def notified(self) -> bool:
        """Whether the other has said close_notify."""
        return self.tls is not None and self.tls.ended

    async def say(self, octets: bytes) -> None:
        """Say it, under TLS where that has begun."""
        if self.tls:
            self.tls.say(octets)
            octets = self.tls.outgoing()
        await self.stream.send_all(octets)

    async def line(self) -> bytes:
        """The next line."""
        while b"\n" not in self._heard:
            assert await self._more(), f"ended behind {self._heard[-80:]!r}"
        line, _, self._heard = self._heard.partition(b"\n")
        return line + b"\n"

    async def reply(self) -> bytes:
        """The next reply of SMTP."""
        lines = [await self.line()]
        while lines[-1][3:4] == b"-":
            lines.append(await self.line())
        return b"".join(lines)

    async def exactly(self, length: int) -> bytes:
        """So many octets."""
        parts = [self._heard]
        while sum(map(len, parts)) < length:
            self._heard = b""
            assert await self._more(), "ended too early"
            parts.append(self._heard)
        octets = b"".join(parts)
        self._heard = octets[length:]
        return octets[:length]

    async def rest(self) -> bytes:
        """All up to the end."""
        parts = []
        while await self._more():
            parts.append(self._heard)
            self._heard = b""
        return b"".join([*parts, self._heard])

    async def _more(self) -> bool:
        if self.eof or self.notified:
            return False
        octets = await self.stream.receive_some(CHUNK)
        self.eof = not octets
        if self.tls:
            self.tls.receive(octets)
            if answer := self.tls.outgoing():
                await self.stream.send_all(answer)
            octets, self.tls.heard = self.tls.heard, b""
        self._heard += octets
        return bool(octets) or not (self.eof or self.notified)

    def begin(self, context: ssl.SSLContext) -> bytes:
        """Begin TLS; returns what is to be said first."""
        self.tls = Theirs(self.side, context, HOST)
        return self.tls.outgoing()

    async def secure(self, context: ssl.SSLContext) -> "Peer":
        """The handshake, up to its end or its failure."""
        first = self.begin(context)
        if first:
            await self.stream.send_all(first)
        assert self.tls is not None
        while not (self.tls.open or self.tls.trouble or self.eof):
            await self._more()
        return self

    async def end(self, notify: bool = True) -> None:
        """Say no more; what the other says is still heard."""
        if self.tls and notify:
            self.tls.end()
            await self.stream.send_all(self.tls.outgoing())
        await self.stream.send_eof()
