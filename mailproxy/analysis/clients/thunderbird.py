"""What Thunderbird makes of its server's words.

Each was seen with the real program; tests/whole/test_thunderbird_rules.py sees it again. Where it shows `Sending of the
message failed.`, that line stands before the text here.
"""

from typing import Final

from mailproxy.analysis.clients.behaviour import Behaviour, happened
from mailproxy.analysis.clients.thunderbird_fetching import FETCHING
from mailproxy.analysis.clients.thunderbird_sending import SENDING
from mailproxy.model.finding import Evidence
from mailproxy.model.session import Recording

__all__ = ["BEHAVIOURS", "KEPT_SECONDS", "MESSAGES_A_CONNECTION", "shown"]

BEHAVIOURS: Final[tuple[Behaviour, ...]] = (*SENDING, *FETCHING)
"""The most special first: where several hold of a session, the first tells most."""

KEPT_SECONDS: Final = 5
"""How long it keeps an SMTP connection for the next message."""

MESSAGES_A_CONNECTION: Final = 10
"""How many messages it sends on one SMTP connection."""


def shown(recording: Recording) -> list[tuple[Behaviour, tuple[Evidence, ...]]]:
    """What Thunderbird, if it was the client, made of what was said, the most special first, each with its proof."""
    return [(each, proof) for each in BEHAVIOURS if (proof := happened(each, recording))]
