"""How long `mailproxy diff` takes for 10,000 exchanges: from files and the database, where few differ and all do."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from .figure import MAILPROXY, Figure, Goal
from .process import find
from .rounds import Effort

EXCHANGES: Final = 10_000
GOAL: Final = Goal(2)
BYE: Final = "221 2.0.0 Bye"
UNLIKE: Final = 1
"""The exit code where something differs."""


class Case(NamedTuple):
    """Two transcripts, and what makes them two."""

    what: str
    good: str
    bad: str


def diffs(effort: Effort) -> Iterator[Figure]:
    """The wall time of the whole command, in seconds; there is no other way to compare with."""
    count = effort.count(EXCHANGES)
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory:
        place = Path(directory)
        for case in (
            Case("whose last replies differ", _sent(count), _sent(count, bye="421 4.3.0 Out of order")),
            Case("that were all refused", _sent(count), _sent(count, answer="550 5.1.1 User unknown")),
            Case("whose messages all differ", _fetched(count, "Hello"), _fetched(count, "Goodbye")),
        ):
            for kept, command in _commands(place, case):
                samples = [_took(command) for _ in range(effort.rounds)]
                yield Figure(f"`diff` of {count:,} exchanges {case.what}, {kept}", "s", GOAL, {MAILPROXY: samples})


def _commands(place: Path, case: Case) -> Iterator[tuple[str, list[str]]]:
    """The command that compares them, in files and in a database of their own."""
    mailproxy = find("mailproxy") or "mailproxy"
    files = [place / "good.talk", place / "bad.talk"]
    for file, talk in zip(files, (case.good, case.bad), strict=True):
        file.write_text(talk, encoding="utf-8")
    names = [str(file) for file in files]
    yield "from transcripts", [mailproxy, "diff", *names]
    database = ["--db", str(place / f"{case.what}.sqlite")]
    subprocess.run([mailproxy, "import", *names, *database], check=True, capture_output=True, timeout=60)
    yield "from the database", [mailproxy, "diff", "last~1", "last", *database]


def _took(command: list[str]) -> float:
    """Raises `CalledProcessError` where the command fails, or finds no difference."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, timeout=60)
    taken = time.perf_counter() - began
    if done.returncode != UNLIKE:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return taken


def _sent(count: int, answer: str = "250 2.1.5 Ok", bye: str = BYE) -> str:
    """A message for so many recipients."""
    recipients = "".join(f" -> RCPT TO:<user{n}@example.net>\n<-  {answer}\n" for n in range(count))
    return (
        "smtp 25\n=== connected\n<-  220 mail.example.org ESMTP\n"
        " -> EHLO client.example.org\n<-  250 mail.example.org\n"
        f" -> MAIL FROM:<alice@example.org>\n<-  250 2.1.0 Ok\n{recipients} -> QUIT\n<-  {bye}\n"
    )


def _fetched(count: int, subject: str) -> str:
    """A mailbox of so many messages."""
    messages = "".join(
        f" -> RETR {n}\n<-  +OK 22 octets\n<-  Subject: {subject}\n<-\n<-  Hi {n}\n<-  .\n" for n in range(1, count + 1)
    )
    return (
        f"pop3 110\n=== connected\n<-  +OK\n -> USER alice\n<-  +OK\n -> PASS <secret: 9 characters>\n<-  +OK\n"
        f"{messages} -> QUIT\n<-  +OK\n"
    )
