"""What the rest of the house asks of a protocol, so that none of it names one."""

from dataclasses import dataclass

from mailproxy.protocols.answering import ANSWERING, Answering
from mailproxy.protocols.asking import ASKING, Asking
from mailproxy.protocols.course import COURSE, Course
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.upgrade import Upgrading


@dataclass(frozen=True, slots=True)
class Ports:
    """The port a protocol is served on, and the one mailproxy listens on."""

    server: int
    listen: int


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol: the scheme of its URLs, the port it is served on, the one mailproxy listens on, how it reads.

    `upgrading` tells how it goes over to TLS, `starttls` on which ports it does so where nobody names one, `tls` where
    it is under TLS from the start; None where it never is.
    """

    name: str
    port: int
    listen: int
    dialogue: type[Dialogue]
    title: str
    fetches: bool = False
    """Whether messages go from the server to the client."""
    counted: bool = False
    """Whether the octets of a message are counted, and no dot ends it."""
    refusal: str = ""
    """How its servers refuse, as an example."""
    upgrading: Upgrading | None = None
    starttls: Ports | None = None
    tls: Ports | None = None
    course: Course = COURSE
    """How two of its sessions are compared."""
    asking: Asking = ASKING
    """How its client's part is played again."""
    answering: Answering = ANSWERING
    """How its server's part is played again."""
