"""Servers that are simply there: connects to likely names and ports, and reads who answers.

Nothing but EHLO or CAPA is said, and QUIT.
"""

import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import trio

from mailproxy.app.routes import place
from mailproxy.app.setup.server import POP3, SMTP, Server
from mailproxy.model.escape import escape_text
from mailproxy.model.tls import Security

TIMEOUT: Final = 10.0
"""Seconds that one door may take."""
_LARGEST: Final = 16_384
_DOORS: Final = (
    (SMTP, Security.TLS, 465),
    (SMTP, Security.STARTTLS, 587),
    (SMTP, Security.STARTTLS, 25),
    (POP3, Security.TLS, 995),
    (POP3, Security.STARTTLS, 110),
)
_PREFIXES: Final = {SMTP: ("smtp.", "mail.", ""), POP3: ("pop.", "pop3.", "mail.", "")}
_RANK: Final = {Security.TLS: 0, Security.STARTTLS: 1, Security.NONE: 2}
_WHOLE_SMTP: Final = re.compile(rb"(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\n")
_WHOLE_LINE: Final = re.compile(rb"[^\n]*\n")
_WHOLE_LIST: Final = re.compile(rb"-[^\n]*\n|\+[^\n]*\n(?s:.*\n)?\.\r?\n")


@dataclass(frozen=True, slots=True)
class Door:
    """Where somebody may answer; STARTTLS is used where it is offered."""

    protocol: str
    host: str
    port: int
    security: Security


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answered at a door, in the first line that was said."""

    server: Server
    greeting: str
    trusted: bool = True


Tell = Callable[[str], None]
"""Takes a line of progress."""


def doors(domain: str, protocols: Sequence[str]) -> Iterator[Door]:
    """The doors of a domain, the likeliest first."""
    for protocol, security, port in _DOORS:
        for prefix in _PREFIXES[protocol] if protocol in protocols else ():
            yield Door(protocol, prefix + domain, port, security)


async def ask(
    doors: Sequence[Door], tell: Tell, context: ssl.SSLContext | None = None, timeout: float = TIMEOUT
) -> tuple[Server, ...]:
    """Knock at all doors at once; who answers, the best first. Raises nothing that a server can bring about."""
    answers: dict[Door, Answer] = {}
    verify = context or ssl.create_default_context()
    names: dict[str, bool] = {}

    async def resolve(host: str) -> None:
        names[host] = await _exists(host, timeout)

    async def knock(door: Door) -> None:
        if answer := await _knock(door, verify, timeout):
            answers[door] = answer
            tell(f"{place(door.host, door.port)} answers: {answer.greeting}")

    async with trio.open_nursery() as nursery:
        for host in dict.fromkeys(door.host for door in doors):
            nursery.start_soon(resolve, host)
    async with trio.open_nursery() as nursery:
        for door in doors:
            if names[door.host]:
                nursery.start_soon(knock, door)
    order = list(doors)
    best = sorted(
        answers, key=lambda door: (_RANK[answers[door].server.security], not answers[door].trusted, order.index(door))
    )
    return tuple(answers[door].server for door in best)


async def _exists(host: str, timeout: float) -> bool:
    """Whether a name has an address."""
    with trio.move_on_after(timeout):
        try:
            return bool(await trio.socket.getaddrinfo(host, None))
        except (OSError, UnicodeError):
            return False
    return False


async def _knock(door: Door, context: ssl.SSLContext, timeout: float) -> Answer | None:
    with trio.move_on_after(timeout):
        try:
            return await _talk(door, context)
        except ssl.SSLError:
            return None
        except trio.BrokenResourceError as error:
            if not isinstance(error.__cause__, ssl.SSLCertVerificationError):
                return None
            distrusted = error.__cause__.verify_message
        except (OSError, trio.ClosedResourceError):
            return None
        return await _again(door, distrusted)
    return None


async def _again(door: Door, distrusted: str) -> Answer | None:
    """Who answers where the certificate is not trusted: this is told, and the recording judges it anew."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        answer = await _talk(door, context)
    except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
        return None
    note = f"its certificate is not trusted: {distrusted}"
    return answer and replace(answer, trusted=False, server=replace(answer.server, note=note))


async def _talk(door: Door, context: ssl.SSLContext) -> Answer | None:
    """Read the greeting, and ask whether TLS can be begun."""
    stream: trio.abc.Stream = await trio.open_tcp_stream(door.host, door.port)
    async with _closing(stream):
        if door.security is Security.TLS:
            stream = trio.SSLStream(stream, context, server_hostname=door.host, https_compatible=True)
        greeting = await _read(stream, _WHOLE_LINE)
        if not greeting.startswith(b"220" if door.protocol == SMTP else b"+OK"):
            return None
        if door.protocol == SMTP:
            greeting = await _read(stream, _WHOLE_SMTP, greeting)
        security = door.security
        if security is Security.STARTTLS and not await _offers_tls(stream, door.protocol):
            security = Security.NONE
        await stream.send_all(b"QUIT\r\n")
    first = escape_text(greeting.partition(b"\n")[0].decode("utf-8", "replace").strip())[:100]
    return Answer(Server(door.protocol, door.host, door.port, security, f"port {door.port} answers"), first)


class _closing:
    """Closes a stream at once, whatever TLS would still have to say."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream

    async def __aenter__(self) -> None:
        """Nothing yet."""

    async def __aexit__(self, *_: object) -> None:
        await trio.aclose_forcefully(self._stream)


async def _offers_tls(stream: trio.abc.Stream, protocol: str) -> bool:
    """Whether STARTTLS (RFC 3207) or STLS (RFC 2595) is offered."""
    if protocol == POP3:
        await stream.send_all(b"CAPA\r\n")
        return bool(re.search(rb"(?im)^STLS\b", await _read(stream, _WHOLE_LIST)))
    await stream.send_all(b"EHLO [127.0.0.1]\r\n")
    return bool(re.search(rb"(?im)^250[ -]STARTTLS\b", await _read(stream, _WHOLE_SMTP)))


async def _read(stream: trio.abc.Stream, whole: re.Pattern[bytes], octets: bytes = b"") -> bytes:
    """What the server says behind `octets`, with them, once it is whole; what there is where it never is."""
    while not whole.match(octets) and len(octets) < _LARGEST:
        more = await stream.receive_some(_LARGEST)
        if not more:
            break
        octets += more
    return octets
