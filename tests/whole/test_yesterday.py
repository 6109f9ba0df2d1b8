"""README's walk "It worked yesterday", typed: record a good and a bad day, compare, play both peers, mend.

A person's mail program is poplib here, and its server the practice server.
"""

import json
import os
import poplib
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from tests.readme import text

from .loopback import Address
from .proxy import COMMAND, LIMIT, until

SECTION: Final = text().partition("\n## It worked yesterday\n")[2].partition("\n## ")[0]
RIGHT: Final = "practice"
WRONG: Final = "wrong horse"


class Desk:
    """Where the commands are typed: one database for all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self.env = {**os.environ, "MAILPROXY_DB": str(folder / "mail.sqlite"), "MAILPROXY_CA": str(folder / "ca")}

    def run(self, command: str, code: int) -> str:
        """What a command of the README prints, which ends with this code."""
        assert command in SECTION or command.split()[1] in {"sessions", "diagnose"}, "README does not say so"
        ended = subprocess.run(
            [COMMAND, *_words(command)], env={**self.env, "MAILPROXY_PASSWORD": RIGHT},
            capture_output=True, text=True, timeout=LIMIT, check=False,
        )  # fmt: skip
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout

    @contextmanager
    def serving(self, command: str, *more: str) -> Iterator[Address]:
        """Run a command that serves, for as long as the block runs; where its POP3 server is."""
        self._number += 1
        ready = self._folder / f"ready-{self._number}.json"
        words = [COMMAND, *_words(command), *more, "--ready-file", str(ready)]
        with subprocess.Popen(words, env=self.env, stdout=subprocess.DEVNULL) as process:
            try:
                until(lambda: ready.exists() or process.poll() is not None)
                listeners = json.loads(ready.read_text())["listeners"]
                yield next(Address(each["host"], each["port"]) for each in listeners if each["protocol"] == "pop3")
                process.terminate()
                assert process.wait(LIMIT) == 0
            finally:
                process.kill()


def _words(command: str) -> list[str]:
    """The words of a command; what is session 4 in the README, after the demonstration, is session 2 here."""
    words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', command)][1:]
    return ["2" if word == "4" else word for word in words]


def fetches(server: Address, password: str) -> str:
    """Fetch the first message as alice; what the mail program was told in the end."""
    client = poplib.POP3(*server, timeout=LIMIT)
    try:
        client.user("alice")
        client.pass_(password)
        return client.retr(1)[0].decode()
    except poplib.error_proto as refusal:
        return str(refusal)
    finally:
        with suppress(poplib.error_proto, OSError):
            client.quit()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_walk(desk: Desk) -> None:
    free = ("--smtp", "0", "--lmtp", "0", "--pop3", "0", "--pop2", "0")
    with desk.serving("mailproxy practice", *free) as server:
        with desk.serving(f"mailproxy record 0=pop3://{server}", "--quiet") as proxy:
            assert fetches(proxy, RIGHT).startswith("+OK")
            assert "[AUTH]" in fetches(proxy, WRONG)

        told = desk.run("mailproxy diff last-failed", 1)
        assert "compared with session 1, the last good one" in told
        assert "what matters, at auth" in told
        assert "PASS was answered -ERR, and +OK in the good session." in told

        with desk.serving("mailproxy replay server last-failed", "--listen", "0", "--quiet") as played:
            assert "[AUTH] User name or password is wrong" in fetches(played, RIGHT), "as it came out then"

        edited = 'mailproxy replay server 4 --edit "PASS s/-ERR .*/+OK Welcome/"'
        with desk.serving(edited, "--listen", "0", "--quiet") as played:
            assert "password" not in fetches(played, WRONG), "this far the mail program comes with another answer"

        told = desk.run("mailproxy replay client 4", 1)
        assert "now   +OK Welcome, alice" in told
        assert RIGHT not in told.replace("practice server", "")

        with desk.serving(f"mailproxy record 0=pop3://{server}", "--quiet") as proxy:
            assert fetches(proxy, RIGHT).startswith("+OK"), "the setting is mended"
    last = json.loads(desk.run("mailproxy sessions --json", 0))["sessions"][0]
    assert last["outcome"].startswith("ok")
    compared = subprocess.run(
        [COMMAND, "diff", "1", str(last["id"])], env=desk.env, capture_output=True, text=True, timeout=LIMIT, check=True
    )
    assert "nothing differs" in compared.stdout
    assert '"nothing differs"' in SECTION
