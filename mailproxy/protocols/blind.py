"""What is no mail and goes through all the same, such as the page on which a mail program has its user log in.

Nothing of it is read or kept but how much it was, and what a TLS handshake shows of itself in clear.
"""

from mailproxy.model.octets import Entry, Kind, Mark, Note, Side
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.turn import MASKED, Heard, Steps, Terms

PASSED = "passed blind"


class BlindDialogue(Dialogue):
    """Hears nothing: all octets go on, are counted and are OPAQUE. There are no exchanges and no Telnet commands."""

    def __init__(self, terms: Terms = MASKED) -> None:
        super().__init__(terms)
        self._opaque_sides.update(Side)
        self._passed = dict.fromkeys(Side, 0)

    def hear_client(self) -> Steps:
        return self._pass(Side.CLIENT)

    def hear_server(self) -> Steps:
        return self._pass(Side.SERVER)

    def feed(self, side: Side, octets: bytes, at: int) -> Heard:
        """Count octets, all of which go on."""
        self._passed[side] += len(octets)
        return super().feed(side, octets, at)

    def finish(self, at: int) -> list[Entry]:
        """Tell how much has passed. A record that is read again tells it already."""
        entries = super().finish(at)
        if any(self._passed.values()):
            client, server = self._passed[Side.CLIENT], self._passed[Side.SERVER]
            told = f"{PASSED}, {client} octet{'s' * (client != 1)} of the client, {server} of the server"
            entries.append(Note(Mark.FACT, told, at))
        return entries

    def _pass(self, side: Side) -> Steps:
        inbox = self._inbox(side)
        yield from inbox.some()
        if side is Side.CLIENT or self._handshake:  # where the client does not begin TLS, nothing of the server is TLS
            yield from self._opaque(side)
        while True:
            inbox.omit(len(inbox.buffer), Kind.OPAQUE)
            yield
