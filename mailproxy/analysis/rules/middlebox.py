"""Devices on the way that rewrite what is said."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, FAULT, NETWORK, others
from mailproxy.analysis.step import HELLOS, evidence, said
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Flag
from mailproxy.model.finding import Stage

OVERWRITTEN: Final = re.compile(r"^X{4,}[A-Z]?\b|^\*{4,}", re.M)
STARRED: Final = re.compile(r"\*{6,}")
REMEDY: Final = (
    "Switch mail inspection off in the firewall or antivirus on the way (ESMTP inspection), or use port 465, which it "
    "cannot read."
)  # fmt: skip


def look(view: View) -> Iterator[Cause]:
    """An offer or a greeting that was overwritten, and a client that did not come further."""
    for index, each in enumerate(view.steps):
        text = each.reply.text if each.reply else ""
        offer = (each.verb in HELLOS or not each.verb) and OVERWRITTEN.search(text)
        starred = Flag.GREETING in each.flags and STARRED.search(said(each))
        through = view.secure_from is not None or view.sent or view.fetched
        if (offer or starred) and not through:
            yield Cause(
                index + 1, 85, Stage.TLS, NETWORK,
                "A device on the way overwrites what the server offers, so that TLS cannot begin.",
                REMEDY, evidence(each), others((FAULT, CONFIG)),
            )  # fmt: skip
            return


RULES: Final = (Rule("overwritten", "a firewall or antivirus overwrites the greeting or the offer of TLS", look),)
