"""How long two sessions of 10,000 exchanges take to be compared: alike, and each refused that was granted."""

import time
from collections.abc import Iterator

from mailproxy.analysis.diff import compare
from mailproxy.app.library import complete
from mailproxy.formats.talk_read import read
from mailproxy.model.session import Recording
from mailproxy.protocols.turn import Terms

from .figure import MAILPROXY, Figure, Goal
from .rounds import Effort

EXCHANGES = 10_000
GOAL = Goal(2)


def diffs(effort: Effort) -> Iterator[Figure]:
    """The wall time of a comparison, both verdicts included, in seconds; there is no other way to compare with."""
    count = round(EXCHANGES * effort.share)
    good, bad = _session(count, "250 2.1.5 Ok"), _session(count, "550 5.1.1 User unknown")
    yield Figure(
        f"the diff of {count:,} exchanges with as many alike", "s", GOAL, {MAILPROXY: _took(good, good, effort)}
    )
    yield Figure(
        f"the diff of {count:,} exchanges with as many refused", "s", GOAL, {MAILPROXY: _took(good, bad, effort)}
    )


def _took(good: Recording, bad: Recording, effort: Effort) -> list[float]:
    samples = []
    for _ in range(effort.rounds):
        began = time.perf_counter()
        compare(good, bad)
        samples.append(time.perf_counter() - began)
    return samples


def _session(count: int, answer: str) -> Recording:
    """A message for so many recipients."""
    recipients = "".join(f" -> RCPT TO:<user{n}@example.net>\n<-  {answer}\n" for n in range(count))
    talk = (
        "smtp 25\n=== connected\n<-  220 mail.example.org ESMTP\n"
        " -> EHLO client.example.org\n<-  250 mail.example.org\n"
        f" -> MAIL FROM:<alice@example.org>\n<-  250 2.1.0 Ok\n{recipients} -> QUIT\n<-  221 2.0.0 Bye\n"
    )
    (recording,) = read(talk)
    return complete(recording, "", Terms())
