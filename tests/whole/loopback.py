"""Where things listen on this machine."""

import socket
from typing import Final, NamedTuple

HOST: Final = "127.0.0.1"


class Address(NamedTuple):
    """A TCP address on loopback."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def free() -> Address:
    """An address that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return Address(HOST, probe.getsockname()[1])
