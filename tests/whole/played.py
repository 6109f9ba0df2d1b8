"""A recorded server as its user has it speak again: one process, told by its command line, read by its commands."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

from .proxy import COMMAND, LIMIT, Proxy

CORPUS: Final = Path(__file__).parents[2] / "replay"


class Verdict(NamedTuple):
    """What `diagnose` makes of a session: its outcome, and at which stage it went wrong."""

    outcome: str
    stage: str


class Played(Proxy):
    """`mailproxy replay server` with these arguments, from its start to `stop` or `kill`."""

    command: ClassVar[tuple[str, ...]] = ("replay", "server")

    @property
    def remarks(self) -> list[str]:
        """What it has told that the record could not answer, in whichever session."""
        told = (re.fullmatch(r"mailproxy: (?:session \d+: )?(.*)", line) for line in self.log.splitlines())
        return [line[1] for line in told if line]

    def verdicts(self, *named: str | Path) -> list[Verdict]:
        """Of these sessions, recorded here by their numbers and elsewhere by their files."""
        ended = subprocess.run(
            [COMMAND, "diagnose", *named, "--json", "--db", self.folder / "record.sqlite"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT,
        )
        assert ended.stdout, ended.stderr.decode(errors="replace")
        found: Sequence[dict[str, Any]] = [each["verdict"] for each in json.loads(ended.stdout)["sessions"]]
        return [Verdict(verdict["outcome"], verdict["stage"]) for verdict in found]


def written(folder: Path, name: str, transcript: str) -> Path:
    """A session that is in no file yet, in one of its own."""
    path = folder / f"{name}.talk"
    path.write_text(transcript.lstrip("\n"), encoding="utf-8")
    return path
