"""TLS that is refused: a client's hello is answered by an alert, whatever it offers."""

import ssl
from typing import Final

from mailproxy.model.octets import Side
from mailproxy.wire.tls import Tls

WHY: Final = "a fault that was asked for"


class Refusal(Tls):
    """Our end of it. The hello is heard, and known afterwards; the handshake goes no further."""

    __slots__ = ("_record",)

    def __init__(self, context: ssl.SSLContext, record: bytes) -> None:
        """`record` is a fatal alert in clear (RFC 8446 section 5.1)."""
        super().__init__(Side.CLIENT, context)
        self._record = record

    def _shake(self) -> None:
        if self.hello:
            self._out.write(self._record)
            self._hear(self.peer.other, self._record)
            self.failure = f"alert {self.alert} from mailproxy: {WHY}"
