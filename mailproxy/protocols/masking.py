"""Lines of both sides, in recorded form: where a secret stands, a mark is put."""

import re
from collections.abc import Generator
from typing import ClassVar, Final

from mailproxy.model.escape import escape
from mailproxy.model.mask import mark
from mailproxy.model.octets import Side, Span
from mailproxy.protocols import secrets
from mailproxy.protocols.hearing import Hearing
from mailproxy.protocols.secrets import Secret
from mailproxy.protocols.turn import (
    Line,
    Steps,
)
from mailproxy.wire.inbox import LINE_LIMIT

USER: Final = re.compile(r", user ([^,<> ]+)(?:[,>]|$)")
REPEATED: Final = mark("repeated by mailproxy").decode()
HARMLESS: Final = frozenset(verb + end for verb in secrets.OPEN_VERBS for end in (b" ", b"\r"))
_CLIENT: Final = Side.CLIENT
_SERVER: Final = Side.SERVER


class Masking(Hearing):
    """Reads lines.

    `known` are the verbs of the protocol in upper case; `open_helo` is false where HELO holds a password (POP2).
    """

    known: ClassVar[frozenset[bytes]] = frozenset()
    open_helo: ClassVar[bool] = True

    def command_line(self) -> Generator[None, None, Line]:
        """Wait for a command line of the client, its secrets masked."""
        inbox = self.client
        while not inbox.buffer:
            yield
        if self._may_be_tls[_CLIENT]:
            yield from self._opaque(_CLIENT)
        if end := inbox.buffer.find(b"\n", 0, LINE_LIMIT) + 1:
            return self._settle_line(end)
        reading = inbox.line()
        while True:
            try:
                next(reading)
            except StopIteration as stop:
                return self._settle_line(stop.value)
            self._settle_start()
            yield

    @property
    def plain(self) -> bool:
        """Whether the server's next octets can be read as they stand: no TLS may begin, no secret is to be masked."""
        return not (self.secrets or self._may_be_tls[_SERVER])

    def server_octets(self) -> Steps:
        """Wait until the server has said something that is not TLS."""
        while not self.server.buffer:
            yield
        if self._may_be_tls[Side.SERVER]:
            yield from self._opaque(Side.SERVER)

    def server_line(self, begun: bool = False) -> Generator[None, None, Line | None]:
        """Wait for a line of the server, with the secrets that it repeats masked.

        Where a reply has `begun`, None says that the server ended before the line.
        """
        inbox = self.server
        while not inbox.buffer:
            if begun and inbox.closed:
                return None
            yield
        if self._may_be_tls[_SERVER]:
            yield from self._opaque(_SERVER)
        length = inbox.buffer.find(b"\n", 0, LINE_LIMIT) + 1
        if not length:
            reading = inbox.line()
            while not length:
                try:
                    next(reading)
                except StopIteration as stop:
                    length = stop.value
                    break
                if not self.secrets:
                    inbox.settle(len(inbox.buffer))
                yield
        if self.secrets and not self.terms.secrets:
            length = self._conceal_echoes(length)
        start = inbox.position
        octets = inbox.take(length)
        return Line(octets, Span(_SERVER, start, inbox.position), False)

    def without_secrets(self, text: str) -> str:
        """A text of ours, with the secrets masked that have been said so far."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(escape(secret), REPEATED)
        return text

    def _settle_start(self) -> None:
        """Settle of a line that is not whole what cannot be part of a secret."""
        inbox = self.client
        if self._runs_on or self.suspicious or not inbox.buffer:
            return
        if self.terms.secrets:
            inbox.settle(len(inbox.buffer))
            return
        start = secrets.secret_start(inbox.buffer, self.known, self.open_helo)
        inbox.settle(len(inbox.buffer) if start is None else min(start, len(inbox.buffer)))

    def _settle_line(self, length: int) -> Line:
        """Settle a command line, its secret masked."""
        line = self.client.buffer[:length]
        if line[:5].upper() in HARMLESS and not self._runs_on:
            return self._conceal(length, None)
        runs_on = self._runs_on
        secret = secrets.whole(line) if runs_on else secrets.find(line, self.known, self.open_helo)
        if secret is None and self.suspicious and not self._is_known(line):
            secret = secrets.whole(line)
        self._runs_on = (runs_on or secret is not None) and not line.endswith(b"\n") and length >= LINE_LIMIT
        return self._conceal(length, secret)

    def _conceal(self, length: int, secret: Secret | None) -> Line:
        inbox = self.client
        start = inbox.position
        masked = False
        if secret and not self.terms.secrets:
            found = inbox.buffer[secret.start : secret.end]
            named = USER.search(found.decode("utf-8", "replace") if secrets.is_marked(found) else secret.shape)
            self.user = named[1] if named else self.user
            if not secrets.is_marked(found):
                self.secrets |= secrets.echoes(found)
                put = mark(secret.shape)
                begins = max(secret.start, inbox.settled)
                if begins < secret.end:  # else it is noted already, by somebody who could not know
                    inbox.conceal(begins, secret.end, put)
                    length += len(put) - (secret.end - begins)
            masked = True
        octets = inbox.take(length)
        return Line(octets, Span(_CLIENT, start, inbox.position), masked or secret is not None)

    def _conceal_echoes(self, length: int) -> int:
        inbox = self.server
        put = mark("repeated by the server")
        longest_first = sorted(self.secrets, key=len, reverse=True)
        pattern = re.compile(b"|".join(map(re.escape, longest_first)))
        while found := pattern.search(inbox.buffer, inbox.settled, length):
            inbox.conceal(found.start(), found.end(), put)
            length += len(put) - len(found[0])
        return length

    def _is_known(self, line: bytes) -> bool:
        words = line.split(None, 1)
        return not words or words[0].upper() in self.known
