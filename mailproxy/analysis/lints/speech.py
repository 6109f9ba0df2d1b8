"""Commands and replies that are said in another way than the RFCs want."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from mailproxy.analysis.lint import Found, Lint, times
from mailproxy.analysis.step import HELLOS, evidence
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.finding import Evidence

LABEL: Final = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
NAME: Final = re.compile(rf"(?=.{{1,253}}$)(?:{LABEL}\.)+{LABEL}\.?", re.I)
LITERAL: Final = re.compile(r"\[(?:IPv6:)?([0-9a-f:.]+)\]", re.I)
SHOWN: Final = 5  # exchanges whose octets prove something
FLAGS: Final = (
    (Flag.BAD_LINE_END, "speech-line-end", "a command or a reply that does not end in CRLF",
     "a line that does not end in CRLF"),
    (Flag.LONG_LINE, "speech-long-line", "a command or a reply over 512 octets", "a line of more than 512 octets"),
    (Flag.EIGHT_BIT, "speech-8-bit", "a command or a reply with octets above 127", "octets above 127"),
    (Flag.NUL, "speech-nul", "a command or a reply with a NUL", "a NUL"),
    (Flag.ODD_REPLY, "odd-reply", "a reply that is not written as the RFC wants",
     "a reply that is not written as the RFC wants"),
    (Flag.MIXED_CODES, "mixed-codes", "a reply whose lines differ in code", "a reply whose lines differ in code"),
)  # fmt: skip


def hello(view: View) -> Iterator[Found]:
    """A greeting by something that is neither a host name nor an address (RFC 5321 section 4.1.1.1)."""
    for each in view.steps:
        if view.smtp and each.verb in HELLOS and not _is_name(each.argument.strip()):
            name = f"as {each.argument.strip()[:80]!r}" if each.argument.strip() else "without a name"
            yield Found(
                f"The client greets {name}: neither a full host name nor an address in brackets (RFC 5321 section "
                "4.1.1.1).",
                evidence(each)[:1],
            )
            return


def _is_name(text: str) -> bool:
    if "<" in text:  # a foreign transcript that leaves the name out
        return True
    if literal := LITERAL.fullmatch(text):
        try:
            ip_address(literal[1])
        except ValueError:
            return False
        return True
    return NAME.fullmatch(text) is not None and not re.fullmatch(r"[\d.]+", text)


def pipelining(view: View) -> Iterator[Found]:
    """Commands that did not wait for answers, where that was not offered (RFC 2920, RFC 2449 section 6.6)."""
    last: Exchange | None = None
    for index, each in enumerate(view.steps):
        if each.command is None:
            continue
        if last and last.reply and each.at < last.reply.at and view.offers(index, "PIPELINING") is False:
            yield Found(
                f"{each.verb or 'A command'} did not wait for the answer to {last.verb or 'the one before'}, and the "
                "server does not offer PIPELINING.",
                (*evidence(last), Evidence(each.command)),
            )
            return
        last = each


def early(view: View) -> Iterator[Found]:
    """A client that spoke before the greeting (RFC 5321 section 4.3.1)."""
    first = next((each for each in view.steps if each.command), None)
    if first and Flag.EARLY in first.flags and view.greeting and not view.begins_with_gap:
        yield Found("The client spoke before the server had greeted it.", evidence(first)[:1])


def _utf8(view: View) -> bool:
    """Whether it was agreed that addresses and names hold any characters (RFC 6531, RFC 6856)."""
    return any(each.verb == "UTF8" or (each.verb == "MAIL" and "SMTPUTF8" in each.argument) for each in view.steps)


def _lint(flag: Flag, name: str, knows: str, what: str) -> Lint:
    def look(view: View) -> Iterator[Found]:
        odd = [each for each in view.steps if flag in each.flags]
        if odd and not (flag is Flag.EIGHT_BIT and _utf8(view)):
            proofs = [proof for each in odd[:SHOWN] for proof in evidence(each)]
            yield Found(f"{times(len(odd), 'exchange')} had {what}.", tuple(proofs))

    return Lint(name, knows, look)


LINTS: Final = (
    *(_lint(*row) for row in FLAGS),
    Lint("hello-name-odd", "a client that greets by no full host name", hello),
    Lint("spoke-early", "a client that speaks before the greeting", early),
    Lint("pipelined", "commands that do not wait where PIPELINING is not offered", pipelining),
)
