"""The sessions of a log in which several go on at once."""

from mailproxy.formats.conversation import Conversation
from mailproxy.formats.error import FormatError
from mailproxy.formats.paste import Paste
from mailproxy.formats.trouble import of_connection
from mailproxy.model.octets import Frame, Side
from mailproxy.model.session import Recording


class Several:
    """The sessions of a log, each by what the log tells it apart with: its key."""

    def __init__(self, source: str = "") -> None:
        self._source = source
        self._all: dict[str, Conversation] = {}
        self._last: Conversation | None = None
        self._before: list[str] = []

    def of(self, key: str, protocol: str = "") -> Conversation:
        """The session with this key; a new one where none has it."""
        if key not in self._all:
            self._all[key] = Conversation(Paste(self._source, protocol))
        self._last = self._all[key]
        while self._before:
            self._last.paste.odd(self._before.pop(0))
        return self._last

    @property
    def last(self) -> Conversation | None:
        """The session that was spoken of last."""
        return self._last

    def told(self, text: str) -> None:
        """Hear what the tool says of no session in particular."""
        if self._last:
            self._last.told(text)
        elif of_connection(text):
            self.of("").told(text)

    def odd(self, line: str) -> None:
        """Hear a line that was not understood; trouble can be read out of it all the same."""
        if of_connection(line):
            self.told(line)
        elif self._last:
            self._last.paste.odd(line)
        elif line.strip():
            self._before.append(line)

    def recordings(self) -> list[Recording]:
        """All sessions, in the order of their beginnings. Raises FormatError where none was understood."""
        found: list[Recording] = []
        for each in self._all.values():
            try:
                found += each.paste.recordings()
            except FormatError:
                continue
        mail = [recording for recording in found if not _is_imap(recording)]
        if not mail:
            what = "only IMAP is in it" if found else "nothing is in it that a client or a server said"
            raise FormatError(f"{self._source or 'text'}: {what}")
        return mail


def _is_imap(recording: Recording) -> bool:
    said = [entry for entry in recording.entries if isinstance(entry, Frame) and entry.side is Side.SERVER]
    return bool(said) and said[0].octets.startswith(b"* ")
