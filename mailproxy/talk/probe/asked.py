"""What a server is asked for."""

from typing import NamedTuple

from mailproxy.model.tls import Security
from mailproxy.protocols.descriptor import Protocol
from mailproxy.talk.probe.login import Login

SILENCE: float = 3.0
"""Seconds without a greeting after which TLS is tried, where nobody knows whether it comes first."""


class Asked(NamedTuple):
    """The server at `host` and `port`, what is spoken there, and how it is secured.

    Where `protocol` is None, the greeting tells. STARTTLS must be offered, NONE takes it where it is; where `security`
    is None, a server that says nothing is asked for TLS, too. `timeout` is in seconds, for each stage. The password of
    `login` goes only to a server that is trusted and under TLS, or with `in_clear` to any.
    """

    host: str
    port: int
    protocol: Protocol | None = None
    security: Security | None = None
    timeout: float = 10.0
    login: Login | None = None
    in_clear: bool = False

    def url(self, protocol: Protocol, security: Security) -> str:
        """The server as a URL, secured in another way."""
        suffix = {Security.NONE: "", Security.STARTTLS: "+starttls", Security.TLS: "s"}[security]
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{protocol.name}{suffix}://{host}:{self.port}"
