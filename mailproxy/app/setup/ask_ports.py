"""Servers that are simply there: connects to likely names and ports, and reads who answers.

Nothing but EHLO or CAPA is said, and QUIT.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import trio

from mailproxy.app.routes import place
from mailproxy.app.setup.server import POP3, SMTP, Server
from mailproxy.model.escape import escape_text
from mailproxy.model.tls import Security
from mailproxy.net.ask import Context, Questions, call, exists, trusting

TIMEOUT: Final = 10.0
"""Seconds that one door may take."""
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
    doors: Sequence[Door], tell: Tell, context: Context | None = None, timeout: float = TIMEOUT
) -> tuple[Server, ...]:
    """Knock at all doors at once; who answers, the best first. Raises nothing that a server can bring about."""
    answers: dict[Door, Answer] = {}
    verify = context or trusting()
    names: dict[str, bool] = {}

    async def resolve(host: str) -> None:
        names[host] = await exists(host, timeout)

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


async def _knock(door: Door, context: Context, timeout: float) -> Answer | None:
    tls = door.security is Security.TLS
    answer, distrusted = await call(door.host, door.port, tls, partial(_talk, door), context, timeout)
    if answer and distrusted:
        note = f"its certificate is not trusted: {distrusted}"
        return replace(answer, trusted=False, server=replace(answer.server, note=note))
    return answer


async def _talk(door: Door, asked: Questions) -> Answer | None:
    """Read the greeting, and ask whether TLS can be begun."""
    greeting = await asked.read(_WHOLE_LINE)
    if not greeting.startswith(b"220" if door.protocol == SMTP else b"+OK"):
        return None
    if door.protocol == SMTP:
        greeting = await asked.read(_WHOLE_SMTP, greeting)
    security = door.security
    if security is Security.STARTTLS and not await _offers_tls(asked, door.protocol):
        security = Security.NONE
    await asked.say(b"QUIT\r\n")
    first = escape_text(greeting.partition(b"\n")[0].decode("utf-8", "replace").strip())[:100]
    return Answer(Server(door.protocol, door.host, door.port, security, f"port {door.port} answers"), first)


async def _offers_tls(asked: Questions, protocol: str) -> bool:
    """Whether STARTTLS (RFC 3207) or STLS (RFC 2595) is offered."""
    if protocol == POP3:
        await asked.say(b"CAPA\r\n")
        return bool(re.search(rb"(?im)^STLS\b", await asked.read(_WHOLE_LIST)))
    await asked.say(b"EHLO [127.0.0.1]\r\n")
    return bool(re.search(rb"(?im)^250[ -]STARTTLS\b", await asked.read(_WHOLE_SMTP)))
