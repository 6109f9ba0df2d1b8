"""openssl s_server: a TLS server that says what it is told to, whoever calls, and tells which alert it got."""

import re
import subprocess
from typing import Final, Self

from .certificate import Certificate
from .loopback import Address, free
from .need import program

LIMIT: Final = 20.0  # seconds after which it is held to be stuck
ALERT: Final = re.compile(r":(?:sslv3|tlsv1|tlsv13) alert ([a-z ]+):")


class TlsServer:
    """Takes one connection while it is open. `says` goes to the client as soon as TLS stands."""

    def __init__(self, certificate: Certificate, *options: str, says: bytes = b"") -> None:
        self.address: Address = free()
        self._process = subprocess.Popen(
            [
                *(program("openssl"), "s_server", "-naccept", "1", "-accept", str(self.address), *options),
                *("-cert", str(certificate.chain), "-cert_chain", str(certificate.chain), "-key", str(certificate.key)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert any(line == b"ACCEPT\n" for line in self._process.stdout), "openssl does not listen"
        self._process.stdin.write(says)
        self._process.stdin.flush()

    def alert(self) -> str:
        """Wait until its client has gone: the alert that it got, as in `unknown_ca`, or nothing."""
        assert self._process.stdout is not None
        log = self._process.stdout.read().decode(errors="replace")
        self._process.wait(LIMIT)
        found = ALERT.search(log)
        return found[1].replace(" ", "_") if found else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
