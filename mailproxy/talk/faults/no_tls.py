"""TLS that is not to be had: refused, or made to look as if it had never been offered (a middlebox does that)."""

from dataclasses import dataclass
from typing import Final

from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.faults import capabilities
from mailproxy.talk.faults.fault import SESSION, Kind, Stream, Unit, What, nothing
from mailproxy.talk.faults.hide import upgrades

SMTP_REFUSAL: Final = b"454 4.7.0 TLS not available due to temporary reason\r\n"  # RFC 3207 section 4
POP_REFUSAL: Final = b"-ERR TLS not available\r\n"  # RFC 2595 section 4


@dataclass(frozen=True, slots=True)
class RefuseTls(What):
    """The wish for TLS is refused, in the form in which the protocol grants it."""

    @property
    def upgrades(self) -> bool:
        return True

    def instead(self, protocol: Protocol) -> bytes | None:
        if protocol.upgrading is None:
            return None
        return SMTP_REFUSAL if protocol.upgrading.granted[:1].isdigit() else POP_REFUSAL


@dataclass(frozen=True, slots=True)
class StripTls(RefuseTls):
    """The offer is hidden, too."""

    @property
    def says(self) -> str:
        return "offer of TLS hidden by mailproxy"

    def stream(self, unit: Unit, protocol: Protocol) -> Stream | None:
        if protocol.upgrading is None:
            return None
        verb = protocol.upgrading.verb.encode()
        return capabilities.stream(
            unit, protocol, lambda lines: [line for line in lines if not capabilities.names(line, verb)]
        )


def refuse(text: str) -> What:
    nothing(text, "refuse tls")
    return RefuseTls()


def strip(text: str) -> What:
    nothing(text, "strip tls")
    return StripTls()


REFUSE_TLS: Final = Kind(
    "refuse tls", "refuse tls", "STARTTLS or STLS is answered by `454` or `-ERR`, the server is not asked",
    "refuse tls one in 20", SESSION, refuse, fits=upgrades,
)  # fmt: skip
STRIP_TLS: Final = Kind(
    "strip tls", "strip tls", "the same, and the server's offer of it is hidden", "strip tls", SESSION, strip,
    fits=upgrades,
)  # fmt: skip
