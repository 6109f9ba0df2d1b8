"""Who was silent for how long, against what the RFCs ask for (RFC 5321 section 4.5.3.2, RFC 1939 section 3)."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from mailproxy.analysis.lint import Found, Lint
from mailproxy.analysis.step import evidence
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange, Flag, Reply
from mailproxy.model.finding import Evidence
from mailproxy.model.octets import Frame

SECOND: Final = 1_000_000  # microseconds
SLOW: Final = 30  # seconds in which people begin to wonder
LIMITS: Final = {"": 300, "MAIL": 300, "RCPT": 300, "DATA": 120}
"""How long a client should wait, in seconds, for the greeting and the replies to these."""
FINAL_DOT: Final = 600
SERVER: Final = 300
AUTOLOGOUT: Final = 600
LEFT: Final = re.compile(r"(?:closed|reset) by the client")
GAVE_UP: Final = re.compile(r"(?:closed|reset) by the server|timed out waiting for the client")


class Wait(NamedTuple):
    """How long somebody waited for a reply: seconds, for what, how long the RFC lets one wait (0: says nothing)."""

    seconds: float
    what: str
    limit: int
    exchange: Exchange


def _waits(view: View) -> Iterator[Wait]:
    """How long each reply took; a message's from its end."""
    for each in view.steps:
        for place, reply in enumerate(each.replies[:2]):
            yield Wait((reply.at - _since(view, each, place)) / SECOND, *_what(view, each, place), each)


def _since(view: View, each: Exchange, place: int) -> int:
    if Flag.GREETING in each.flags:
        return view.recording.session.server.connected or 0
    if place and each.content and view.smtp:
        return view.said.at(each.content.span) or each.at
    if place:
        return max(each.replies[0].at, max((view.said.at(span) or 0 for span in each.extra), default=0))
    return each.at


def _what(view: View, each: Exchange, place: int) -> tuple[str, int]:
    if Flag.GREETING in each.flags:
        return "greeting", LIMITS[""] if view.smtp else 0
    if place and each.content and view.smtp:
        return "answer to the message", FINAL_DOT
    return f"answer to {each.verb or 'a command'}", LIMITS.get(each.verb, 0) if view.smtp else 0


def slow(view: View) -> Iterator[Found]:
    """A server that takes over 30 seconds."""
    found = [wait for wait in _waits(view) if wait.seconds > SLOW]
    if found:
        worst = max(found, key=lambda wait: wait.seconds)
        allowed = f"; a client should wait {worst.limit} s for it (RFC 5321 section 4.5.3.2)" if worst.limit else ""
        more = f" {len(found)} answers took over {SLOW} s." if found[1:] else ""
        yield Found(
            f"The server took {worst.seconds:.0f} s for its {worst.what}{allowed}.{more}", evidence(worst.exchange)
        )


def impatient(view: View) -> Iterator[Found]:
    """A client that left while it waited, sooner than the RFC asks for."""
    end = next(((at, note) for at, note in view.notes if LEFT.match(note.text)), None)
    last = next((each for each in reversed(view.steps) if each.command), None)
    if end is None or last is None or last.verb == "QUIT" or not view.smtp:
        return
    at, note = end
    answered = len(last.replies) > 1 or (last.replies and not last.content)
    since = view.said.at(last.content.span) if last.content else last.at
    what, limit = _what(view, last, 1 if last.content else 0)
    waited = (note.at - (since or last.at)) / SECOND
    if not answered and limit and SLOW / 3 < waited < limit:
        yield Found(
            f"The client waited {waited:.0f} s for the {what} and left; it should wait {limit} s (RFC 5321 section "
            "4.5.3.2).",
            (*evidence(last), Evidence(note=at)),
        )


def hasty(view: View) -> Iterator[Found]:
    """A server that ended an idle connection sooner than the RFC asks for."""
    wanted, rfc = (SERVER, "RFC 5321 section 4.5.3.2.7") if view.smtp else (AUTOLOGOUT, "RFC 1939 section 3")
    for at, note in view.notes:
        if not GAVE_UP.match(note.text) or view.quit is not None:
            continue
        spoken = [frame for frame in view.recording.entries[:at] if isinstance(frame, Frame) and frame.length]
        reply = _giving_up(view)
        until = reply.at if reply else note.at
        heard = [frame for frame in spoken if frame.at < until]
        idle = (until - heard[-1].at) / SECOND if heard else 0
        if SLOW / 3 < idle < wanted and heard[-1].side == "server":
            yield Found(
                f"The server waited {idle:.0f} s for the client and hung up; it should wait {wanted} s ({rfc}).",
                (*([Evidence(reply.span)] if reply else []), Evidence(note=at)),
            )
        return


def _giving_up(view: View) -> Reply | None:
    """What a server says when it gives up waiting."""
    last = view.steps[-1] if view.steps else None
    return last.reply if last and last.command is None and last.reply and not last.reply.positive else None


def silent(view: View) -> Iterator[Found]:
    """A client that was silent for longer than a server must wait."""
    wanted = SERVER if view.smtp else AUTOLOGOUT
    worst: tuple[float, Exchange] | None = None
    for before, each in zip(view.steps, view.steps[1:], strict=False):
        idle = (each.at - before.reply.at) / SECOND if before.reply and each.command else 0
        if idle > wanted and (worst is None or idle > worst[0]):
            worst = idle, each
    if worst:
        yield Found(
            f"The client was silent for {worst[0]:.0f} s before {worst[1].verb or 'a command'}; a server may hang up "
            f"after {wanted} s.",
            evidence(worst[1])[:1],
        )


LINTS: Final = (
    Lint("server-slow", "answers that take over 30 seconds", slow),
    Lint("client-impatient", "a client that waits shorter than RFC 5321 asks for", impatient),
    Lint("server-hasty", "a server that waits shorter than the RFC asks for", hasty),
    Lint("client-silent", "a client that is silent for longer than a server must wait", silent),
)
