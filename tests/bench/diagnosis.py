"""How long the verdicts on 1,000 sessions take, and that on one of 2,000 exchanges."""

import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from mailproxy.analysis.diagnose import diagnose
from mailproxy.app.library import complete, read_file
from mailproxy.formats.talk_read import read
from mailproxy.model.session import Recording
from mailproxy.protocols.turn import Terms

from .figure import MAILPROXY, Figure, Goal
from .rounds import Effort

CORPUS = Path(__file__).parents[2] / "replay"
SESSIONS = 1000
MESSAGES = 1000


def verdicts(effort: Effort) -> Iterator[Figure]:
    """The wall time of both, in seconds; there is no other way to compare with."""
    corpus = [recording for file in sorted(CORPUS.glob("*.talk")) for recording in read_file(str(file), "", Terms())]
    many = list(islice(cycle(corpus), SESSIONS))
    yield Figure(f"verdicts on {SESSIONS:,} sessions", "s", Goal(5), {MAILPROXY: _took(many, effort)})
    long = [_long()]
    yield Figure("the verdict on a session of 2,000 exchanges", "s", Goal(0.1), {MAILPROXY: _took(long, effort)})


def _took(recordings: list[Recording], effort: Effort) -> list[float]:
    samples = []
    for _ in range(effort.rounds):
        began = time.perf_counter()
        for recording in recordings:
            diagnose(recording)
        samples.append(time.perf_counter() - began)
    return samples


def _long() -> Recording:
    """A maildrop of 1,000 messages that is fetched and deleted."""
    numbers = range(1, MESSAGES + 1)
    listing = "".join(f"<-  {n} 22\n" for n in numbers)
    fetched = "".join(
        f" -> RETR {n}\n<-  +OK 22 octets\n<-  Subject: Hello\n<-\n<-  Hi\n<-  .\n -> DELE {n}\n<-  +OK\n"
        for n in numbers
    )
    talk = (
        f"pop3 110\n=== connected\n<-  +OK\n -> USER alice\n<-  +OK\n -> PASS <secret: 9 characters>\n<-  +OK\n"
        f" -> STAT\n<-  +OK {MESSAGES} {MESSAGES * 22}\n -> LIST\n<-  +OK\n{listing}<-  .\n{fetched} -> QUIT\n<-  +OK\n"
    )
    (recording,) = read(talk)
    return complete(recording, "", Terms())
