"""TLS with the client that fails, by an alert or by a certificate."""

from dataclasses import dataclass
from typing import Final

from mailproxy.model import tls
from mailproxy.talk.faults.fault import SESSION, FaultError, Kind, TlsSpoil, What, nothing
from mailproxy.talk.faults.hide import upgrades
from mailproxy.wire.tls_names import ALERTS

_NUMBERS: Final = {name: number for number, name in ALERTS.items()}


@dataclass(frozen=True, slots=True)
class Alert(What):
    """The handshake is answered by an alert (RFC 8446 section 6)."""

    number: int

    @property
    def says(self) -> str:
        return f"alert {ALERTS[self.number]} sent by mailproxy"

    def tls(self) -> TlsSpoil:
        return TlsSpoil(alert=self.number)


@dataclass(frozen=True, slots=True)
class BadCertificate(What):
    """The certificate that is presented to the client is not to be trusted."""

    fault: tls.Fault

    @property
    def says(self) -> str:
        return f"{self.fault}, made so by mailproxy,"

    def tls(self) -> TlsSpoil:
        return TlsSpoil(faults=frozenset({self.fault}))


def alert(text: str) -> What:
    number = _NUMBERS.get(text.lower().replace("-", "_"))
    if number is None:
        raise FaultError(f"no alert: {text!r}; write alert and one of {', '.join(_NUMBERS)}")
    return Alert(number)


def expired(text: str) -> What:
    nothing(text, "expired certificate")
    return BadCertificate(tls.Fault.EXPIRED)


def wrong_name(text: str) -> What:
    nothing(text, "wrong name certificate")
    return BadCertificate(tls.Fault.WRONG_NAME)


ALERT: Final = Kind(
    "alert", "alert NAME", "the client's TLS handshake is answered by this alert", "alert handshake_failure", SESSION,
    alert, fits=upgrades,
)  # fmt: skip
EXPIRED: Final = Kind(
    "expired certificate", "expired certificate", "the client is presented a certificate that has expired",
    "expired certificate", SESSION, expired, fits=upgrades,
)  # fmt: skip
WRONG_NAME: Final = Kind(
    "wrong name certificate", "wrong name certificate", "the client is presented a certificate for another host",
    "wrong name certificate", SESSION, wrong_name, fits=upgrades,
)  # fmt: skip
