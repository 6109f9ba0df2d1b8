"""What the rest of the house asks of a protocol, so that none of it names one."""

from dataclasses import dataclass

from mailproxy.protocols.dialogue import Dialogue


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol: the scheme of its URLs, the port it is served on, the one mailproxy listens on, how it reads."""

    name: str
    port: int
    listen: int
    dialogue: type[Dialogue]
    title: str
    fetches: bool = False
    """Whether messages go from the server to the client."""
