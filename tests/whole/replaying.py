"""A recorded client as its user has it speak again: one command, in the folder of a proxy that has recorded it."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

from .played import Played
from .proxy import COMMAND, LIMIT, Proxy

SCHEMES: Final = {"none": "", "starttls": "+starttls", "tls": "s"}


class Ended(NamedTuple):
    """How a command ended: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def session(self) -> str:
        """The number of the session that was played."""
        found = re.match(r"session (\d+) plays the client of ", self.out)
        assert found, self.out + self.err
        return found[1]


def replay(proxy: Proxy, *words: str, password: str = "") -> Ended:
    """`mailproxy replay client` with these words, on what the proxy has recorded."""
    return ended(proxy, "replay", "client", *words, password=password)


def ended(proxy: Proxy, *words: str, password: str = "") -> Ended:
    """Any command on what the proxy has recorded."""
    return command(proxy.folder, *words, password=password)


def command(folder: Path, *words: str, password: str = "") -> Ended:
    """Any command on what is recorded in this folder."""
    told = {"MAILPROXY_PASSWORD": password} if password else {}
    done = subprocess.run(
        [COMMAND, *words, "--db", str(folder / "record.sqlite")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT,
        env={**os.environ, "MAILPROXY_CA": str(folder / "ca"), **told},
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def at(server: Played) -> str:
    """The URL of a server that is played."""
    [listener] = json.loads((server.folder / "ready.json").read_text())["listeners"]
    scheme = f"{listener['protocol']}{SCHEMES[listener['security']]}"
    return f"{scheme}://{listener['host']}:{listener['port']}"
