"""How a mail program goes to its server: in clear or under TLS, straight or through SOCKS."""

import ssl
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from .loopback import Address


class Layer(StrEnum):
    """When TLS begins."""

    CLEAR = "clear"
    STARTTLS = "starttls"  # once the client has asked for it (RFC 3207, RFC 2595)
    IMPLICIT = "implicit"  # before all else (RFC 8314)


class Way(NamedTuple):
    """The layer, the file of root certificates that the server is checked by, and the SOCKS server, if there is one.

    Without `root` nothing is checked.
    """

    layer: Layer = Layer.CLEAR
    root: Path | None = None
    socks: Address | None = None

    @property
    def context(self) -> ssl.SSLContext:
        """The same for Python's clients."""
        context = ssl.create_default_context(cafile=self.root)
        if not self.root:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    @property
    def curl(self) -> list[str]:
        """The same in curl's options; that TLS comes first is said by the URL."""
        trust = ["--cacert", str(self.root)] if self.root else ["--insecure"]
        tunnel = ["--socks5-hostname", str(self.socks)] if self.socks else []
        return [*(["--ssl-reqd"] if self.layer is Layer.STARTTLS else []), *trust, *tunnel]

    @property
    def settings(self) -> str:
        """The same in the settings that msmtp and mpop have in common."""
        trust = f"tls_trust_file {self.root}\n" if self.root else "tls_certcheck off\n"
        begin = f"tls on\ntls_starttls {'on' if self.layer is Layer.STARTTLS else 'off'}\n{trust}"
        tunnel = f"proxy_host {self.socks.host}\nproxy_port {self.socks.port}\n" if self.socks else ""
        return ("tls off\n" if self.layer is Layer.CLEAR else begin) + tunnel


PLAIN: Final = Way()
