"""Which exchange a line of a server's log belongs to."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from mailproxy.formats.server_log import LogLine
from mailproxy.model.exchange import Exchange
from mailproxy.model.session import Recording

_AUTH: Final = re.compile(
    r"authenticat|\bSASL\b|auth failed|AUTH failure|\bLogin: |password|unknown user", re.IGNORECASE
)
_TLS: Final = re.compile(r"\bSSL|\bTLS|STARTTLS")
_AFTER: Final = re.compile(
    r"(?:lost connection|timeout|improper command pipelining|too many errors) after ([A-Z-]{4,8})"
    r"|reject: ([A-Z]{4}) from |rejected ([A-Z]{4}) |rejected (?:after|during) (DATA)|ruleset=check_(\w+)"
)
_BEGINS: Final = re.compile(r"^connect from |connect from |^SMTP connection from (?!.*closed)", re.IGNORECASE)
_ENDS: Final = re.compile(
    r"disconnect|closed|did not issue|lost input channel|timeout|timed out|Logged out", re.IGNORECASE
)
_RULESETS: Final = {"mail": "MAIL", "rcpt": "RCPT", "data": "DATA", "relay": ""}
_LOGINS: Final = frozenset({"AUTH", "PASS", "APOP", "USER", "HELO"})
_UPGRADES: Final = frozenset({"STARTTLS", "STLS"})


def place(recording: Recording, line: LogLine, moment: datetime) -> Exchange | None:
    """The exchange that a line is about; None where it is about none. `moment` is when it was written, by our clock."""
    steps = sorted(recording.exchanges, key=lambda each: each.number)
    if not steps:
        return None
    text = line.text
    if found := _repeated(steps, text) or _queued(steps, line.told.queue, text) or _named(steps, text):
        return found
    if _AUTH.search(text) and (found := _last(steps, _LOGINS)):
        return found
    if _TLS.search(text):
        return _last(steps, _UPGRADES)
    if _BEGINS.match(text):
        return steps[0]
    if _ENDS.search(text):
        return steps[-1]
    at = (moment - recording.session.started).total_seconds() * 1_000_000
    return next((each for each in reversed(steps) if each.at <= at), steps[0])


def _repeated(steps: Sequence[Exchange], text: str) -> Exchange | None:
    """The one whose refusal the line repeats."""
    for each in reversed(steps):
        reply = each.reply
        said = reply.text.split("\n")[0].strip() if reply and not reply.positive else ""
        if reply and len(said) > 9 and reply.code in text and said in text:
            return each
    return None


def _queued(steps: Sequence[Exchange], queue: str, text: str) -> Exchange | None:
    """The one that carried the message; where it came to none, the one that began it."""
    if not queue:
        return None
    if re.match(rf"{re.escape(queue)}: (?:client=|reject: MAIL|ruleset=check_mail)", text):
        return _last(steps, {"MAIL"})
    carried = (each for each in steps if any(queue in reply.text for reply in each.replies))
    begun = {"MAIL"} if f"{queue}: from=" in text else {"DATA", "BDAT"}
    return next(carried, None) or _last(steps, begun)


def _named(steps: Sequence[Exchange], text: str) -> Exchange | None:
    """The last one with the verb that the line names."""
    found = _AFTER.search(text)
    verb = next(filter(None, found.groups()), "") if found else ""
    return _last(steps, {_RULESETS.get(verb, verb)} - {""})


def _last(steps: Sequence[Exchange], verbs: frozenset[str] | set[str]) -> Exchange | None:
    return next((each for each in reversed(steps) if each.verb in verbs), None)
