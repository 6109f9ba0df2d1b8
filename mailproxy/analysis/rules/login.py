"""Refused logins that are not the password's fault."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CREDENTIALS, FAULT, POLICY, others
from mailproxy.analysis.standing import foremost
from mailproxy.analysis.step import LOGINS, evidence, said
from mailproxy.analysis.texts import find
from mailproxy.analysis.view import View
from mailproxy.model.finding import Confidence

WENT_WELL: Final = re.compile(r"success|worked|accepted|fetche[sd]|hundred|thousand", re.I)


def went_well_before(view: View) -> Iterator[Cause]:
    """The same login succeeded before: as the record says itself."""
    for index in foremost(view):
        each = view.steps[index]
        row = find(each.verb, each.reply.code if each.reply else "", said(each))
        if (
            each.verb in LOGINS
            and row is not None
            and row.name == "bad-credentials"
            and any(map(WENT_WELL.search, view.gaps))
        ):
            yield Cause(
                index, 45, view.stage(index), POLICY,
                "The server refuses a login that succeeded many times before: it holds the client off for a while.",
                "Wait, and let the program poll less often.",
                evidence(each), others((FAULT, CREDENTIALS)), Confidence.MEDIUM,
            )  # fmt: skip


RULES: Final = (Rule("login-went-well-before", "a login refused that succeeded shortly before", went_well_before),)
