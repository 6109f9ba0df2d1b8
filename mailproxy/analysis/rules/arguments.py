"""What stands behind MAIL and RCPT: paths that are not written as they must be, parameters that were offered or not."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, FAULT, MAILBOX, PROGRAM, others
from mailproxy.analysis.standing import foremost
from mailproxy.analysis.step import evidence, said
from mailproxy.analysis.texts import find
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange

PATH: Final = re.compile(r"(?:FROM|TO):<[^<>]*>(?P<parameters>(?: \S+)*)", re.I)
"""RFC 5321 section 4.1.2: no blank behind the colon, and angle brackets."""
SYNTAX: Final = re.compile(r"50[0145]|55[035]")
UNSAID: Final = frozenset({"address-syntax", "not-understood", "access-denied", ""})
"""What a refusal means, where it may be of the syntax all the same."""
ABOUT: Final = re.compile(r"param|option|argument|extension|unknown|unsupported|syntax|8bit|smtputf8", re.I)
OFFERS: Final = {
    "BODY": "8BITMIME", "SIZE": "SIZE", "AUTH": "AUTH", "SMTPUTF8": "SMTPUTF8",
    "RET": "DSN", "ENVID": "DSN", "NOTIFY": "DSN", "ORCPT": "DSN",
}  # fmt: skip
"""Parameters, and the capability that allows them (RFC 6152, RFC 1870, RFC 4954, RFC 6531, RFC 3461)."""
WANTED: Final = re.compile(r"must|need|require|declare|without", re.I)
ON: Final = r"(?:SUCCESS|FAILURE|DELAY)"
VALUES: Final = {
    "BODY": r"7BIT|8BITMIME|BINARYMIME", "SIZE": r"\d{1,20}", "RET": r"FULL|HDRS", "NOTIFY": rf"NEVER|{ON}(?:,{ON})*",
}  # fmt: skip


def paths(view: View) -> Iterator[Cause]:
    """An address without its angle brackets, or with a blank where there must be none."""
    for index in _of_syntax(view):
        each = view.steps[index]
        if not PATH.fullmatch(each.argument.strip()):
            yield Cause(
                index, 48, view.stage(index), PROGRAM,
                f"The address behind {each.verb} is not written as SMTP wants it: <user@domain>, with no blanks.",
                "Update the mail program; by hand, write MAIL FROM:<user@domain>.", evidence(each),
                others((CONFIG, FAULT)),
            )  # fmt: skip


def recipient(view: View) -> Iterator[Cause]:
    """A recipient that is no address, between brackets as they must be: somebody typed it so."""
    for index in _of_syntax(view):
        each = view.steps[index]
        if each.verb == "RCPT" and _meaning(each) == "address-syntax" and PATH.fullmatch(each.argument.strip()):
            yield Cause(
                index, 46, view.stage(index), CONFIG, "The recipient is not an address.",
                "Look at the recipient for blanks and other slips of the finger, in the address book too.",
                evidence(each), others((PROGRAM, MAILBOX)),
            )  # fmt: skip


def parameters(view: View) -> Iterator[Cause]:
    """A parameter that is refused: it was offered, or it was not, or the client never sent it."""
    for index in _of_syntax(view):
        each = view.steps[index]
        found = PATH.fullmatch(each.argument.strip())
        text = said(each)
        sent = dict(_parted(one) for one in found["parameters"].split()) if found else {}
        named = {name for name in OFFERS if re.search(rf"\b{name}\b", text, re.I)}
        if named and not named & sent.keys() and not WANTED.search(text):
            yield _misread(view, index, "The server refuses a parameter that the client did not send.")
        elif sent and ABOUT.search(text):
            yield from _refused(view, index, sent)


def _refused(view: View, index: int, sent: dict[str, str]) -> Iterator[Cause]:
    offered = [view.offers(index, OFFERS.get(name, name)) for name in sent]
    wrong = [name for name, value in sent.items() if not re.fullmatch(VALUES.get(name, ".*"), value, re.I)]
    if wrong or False in offered:
        name = next(iter(wrong), "") or next(name for name, known in zip(sent, offered, strict=True) if known is False)
        yield Cause(
            index, 48, view.stage(index), PROGRAM,
            f"The client sends {name} {'with an odd value' if wrong else 'though the server does not offer it'}.",
            "Update the mail program.", evidence(view.steps[index]), others((CONFIG, FAULT)),
        )  # fmt: skip
    elif all(offered):
        yield _misread(view, index, "The server refuses a parameter that it offers.")


def _misread(view: View, index: int, summary: str) -> Cause:
    return Cause(
        index, 48, view.stage(index), FAULT, summary, "Tell the provider: its server misreads what stands behind MAIL.",
        evidence(view.steps[index]), others((PROGRAM,)),
    )  # fmt: skip


def _of_syntax(view: View) -> Iterator[int]:
    """The refusals of MAIL and RCPT that may be of what stands behind them."""
    for index in foremost(view):
        each = view.steps[index]
        code = each.reply.code if each.reply else ""
        if view.smtp and each.verb in {"MAIL", "RCPT"} and SYNTAX.fullmatch(code) and _meaning(each) in UNSAID:
            yield index


def _meaning(each: Exchange) -> str:
    assert each.reply is not None
    row = find(each.verb, each.reply.code, f"{each.reply.code} {each.reply.enhanced} {said(each)}")
    return row.name if row else ""


def _parted(parameter: str) -> tuple[str, str]:
    name, _, value = parameter.partition("=")
    return name.upper(), value


RULES: Final = (
    Rule("path-syntax", "an address behind MAIL or RCPT without angle brackets, or with blanks", paths),
    Rule("recipient-malformed", "a recipient that is no address", recipient),
    Rule("parameter-refused", "a parameter of MAIL or RCPT that is refused, against what was offered", parameters),
)
