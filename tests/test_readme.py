"""The README tells the truth: it is current, its commands run, its queries answer, its links lead somewhere."""

import json
import os
import re
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from mailproxy.app.diagnose import EXIT_CODES
from mailproxy.app.library import complete
from mailproxy.app.settings import read as read_settings
from mailproxy.app.take_out import as_talk
from mailproxy.formats import json_tls, talk
from mailproxy.protocols.turn import Terms
from tests.readme import README, blocks, part, text
from tests.readme_parts import COMMAND, LIMIT, PARTS
from tests.tls import FACTS

README_TEXT: Final = text()
POSTGRESQL: Final = "postgresql://mailproxy@db.example.org/mailproxy"
NOT_RUN: Final = {
    "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/mailproxy demo": "needs the network",
    "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/python -m pytest -q": "this test",
    ". .venv/bin/activate": "only spares typing",
    "telnet 127.0.0.1 2525": "another program",
    "mailproxy setup alice@example.org": "asks that domain; tests/cli/test_cli_setup.py has one of its own",
    "mailproxy record": "needs what setup wrote; tests/cli/test_cli_setup.py goes on with it",
    "mailproxy ca install --thunderbird PROFILE": "needs a profile; tests/cli/test_cli_ca.py has one",
    "mailproxy point thunderbird": "needs a profile; tests/whole/test_point.py has one",
    "pip install '.[postgresql]'": "needs the network",
    f"mailproxy record --db {POSTGRESQL} smtp://mail.example.org:587": "needs that server",
    "python -m tests.bench --quick": "takes a minute",
    "python -m tests.readme --write": "would hide that a part is not current",
}
SESSIONS: Final = [
    [command for command in block.splitlines() if command not in NOT_RUN] for block in blocks(README_TEXT, "sh")
]
CODES: Final = {
    "mailproxy diagnose": set(EXIT_CODES.values()),
    "mailproxy diff": {1},  # they differ
    "mailproxy replay client": {1},  # the server of the demonstration is no more
}
"""What commands may end with that do not end with 0."""
FREE: Final = " --smtp 0 --lmtp 0 --pop3 0 --pop2 0"
MARKED: Final = re.compile(r"`([^`]+)`")
unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sh, and no signals to send")


@pytest.mark.parametrize("name", PARTS)
def test_what_is_generated_is_current(name: str) -> None:
    assert part(README_TEXT, name) == PARTS[name](), "python -m tests.readme --write"


def test_the_measured_table_has_its_place() -> None:
    assert "| what | direct | through mailproxy |" in part(README_TEXT, "bench")


def test_the_test_command_is_found_by_its_form() -> None:
    found = [line for line in README_TEXT.splitlines() if re.match(r"python3 -m venv .*pytest", line)]
    assert found == ["python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/python -m pytest -q"]


@pytest.mark.parametrize("command", re.findall(r"^### mailproxy (\S+)$", README_TEXT, re.M))
def test_a_command_has_the_options_that_its_help_has(command: str) -> None:
    env = os.environ | {"TERM": "dumb", "COLUMNS": "200"}
    shown = subprocess.run([*COMMAND, command, "--help"], env=env, capture_output=True, text=True, check=True).stdout
    section = re.split(r"^###? ", README_TEXT.partition(f"### mailproxy {command}\n")[2], flags=re.M)[0]
    described = set(re.findall(r"^\| `(--[a-z0-9-]+)", section, re.M)) | {"--help"}
    assert described == set(re.findall(r"^ +(?:-\w, )?(--[a-z0-9-]+)", shown.partition("Options:")[2], re.M))


class Listener(NamedTuple):
    """Where a command listens, and for what."""

    protocol: str
    host: str
    port: int
    security: str


class Running:
    """A command that serves until it is interrupted, and where it listens."""

    def __init__(self, process: subprocess.Popen[str], ready: Path) -> None:
        self.process = process
        pause = threading.Event()
        while not ready.exists():
            assert process.poll() is None, process.communicate()
            pause.wait(0.02)
        said = json.loads(ready.read_text(encoding="utf-8"))["listeners"]
        self.listeners = [
            Listener(each["protocol"], each["host"], each["port"], each.get("security", "none")) for each in said
        ]

    def interrupt(self) -> str:
        """Press Ctrl-C, and see that it ends well; returns what it printed."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=LIMIT)
        assert self.process.returncode == 0, err
        return out


@contextmanager
def started(command: str, folder: Path, env: dict[str, str]) -> Iterator[Running]:
    ready = re.search(r"--ready-file (\S+)", command)
    path = folder / (ready[1] if ready else "ready.json")
    whole = f"exec {command}" + ("" if ready else f" --ready-file {path.name}")
    with subprocess.Popen(
        ["sh", "-c", whole], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Running(process, path)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the README's reader has: `mailproxy` on the path, and a database with what the demonstration left."""
    home = tmp_path_factory.mktemp("home")
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    given = os.environ | {"PATH": path, "HOME": str(home), "MAILPROXY_DB": str(home / "mail.sqlite"), "TERM": "dumb"}
    given["MAILPROXY_PASSWORD"] = "practice"
    subprocess.run([*COMMAND, "demo"], env=given, stdout=subprocess.DEVNULL, check=True, timeout=LIMIT)
    asked = [*COMMAND, "ca", "path"]
    trusted = subprocess.run(asked, env=given, capture_output=True, text=True, check=True, timeout=LIMIT).stdout
    return given | {"SSL_CERT_FILE": trusted.strip()}  # what the machine trusts, of which the servers' are


@pytest.fixture(scope="module")
def servers(env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Practice servers in place of those that the README names, by scheme: host:port. Those under TLS have a mailproxy
    in front of them that takes it off."""
    folder = tmp_path_factory.mktemp("servers")
    with started("mailproxy practice --ready-file practice.json" + FREE, folder, env) as running:
        plain = {each.protocol: f"{each.host}:{each.port}" for each in running.listeners}
        routes = " ".join(f"{name}s://:0={name}://{plain[name]}" for name in ("smtp", "pop3"))
        with started(f"mailproxy record --quiet --db tls.sqlite {routes}", folder, env) as secured:
            yield plain | {f"{each.protocol}s": f"{each.host}:{each.port}" for each in secured.listeners}
            secured.interrupt()
        running.interrupt()


def here(command: str, servers: dict[str, str]) -> str:
    """The command with practice servers for servers, and any free port of this machine for where to listen."""
    command = re.sub(
        r"(?:(?:(\w+)://)?[\d.:]+=)?(\w+)://(?:mail\.example\.org|127\.0\.0\.1)(?::\d+)?",
        lambda found: f"{found[1] or found[2].removesuffix('s')}://:0={found[2]}://{servers[found[2]]}",
        command,
    )
    command = command.replace("--socks 1080", "--socks 0")
    command = re.sub(r"probe mail\.example\.org$", f"probe smtp://{servers['smtp']}", command)
    command = re.sub(r"telnet mail\.example\.org 25$", f"telnet {servers['smtp']}", command)
    return re.sub(r"telnet 127\.0\.0\.1:3110$", f"telnet {servers['pop3']}", command)


@unix
@pytest.mark.parametrize("commands", [each for each in SESSIONS if each], ids=lambda commands: commands[0])
def test_commands_run(commands: list[str], env: dict[str, str], servers: dict[str, str], tmp_path: Path) -> None:
    for command in commands:
        match command.split():
            case ["mailproxy", "record", *_]:
                serves(here(command, servers), tmp_path, env)
            case ["mailproxy", "replay", "server", *_]:
                serves(f"{command} --listen 0", tmp_path, env)
            case ["mailproxy", "practice", *_]:
                assert "alice@example.org" in serves(command + FREE, tmp_path, env)
            case _:
                runs(here(command, servers), tmp_path, env)


def serves(command: str, folder: Path, env: dict[str, str]) -> str:
    """Run a command that serves, until every listener has greeted; returns what it printed."""
    with started(command, folder, env) as running:
        greetings = [greeting(*each) for each in running.listeners if each.protocol != "socks"]
        assert [said for said in greetings if "mailproxy practice server" not in said] == []
        return running.interrupt()


def runs(command: str, folder: Path, env: dict[str, str]) -> None:
    """Run a command that ends by itself; it must show or write something, and complain of nothing."""
    ended = subprocess.run(
        ["sh", "-c", command],
        cwd=folder, env=env, input="QUIT\n", capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    expected = next((codes for begins, codes in CODES.items() if command.startswith(begins)), {0})
    assert re.findall(r"^mailproxy: (?!wrote ).*", ended.stderr, re.M) == []
    assert ended.returncode in expected
    assert ended.stdout or ended.stderr or list(folder.iterdir())


def greeting(protocol: str, host: str, port: int, security: str = "none") -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((host, port), timeout=LIMIT) as caller:
        secured = context.wrap_socket(caller) if security == "tls" else caller
        with secured, secured.makefile() as lines:
            return lines.readline()


def test_what_is_not_run_is_there_and_has_a_reason() -> None:
    there = [command for block in blocks(README_TEXT, "sh") for command in block.splitlines()]
    assert [command for command, reason in NOT_RUN.items() if command not in there or not reason] == []


@pytest.mark.parametrize("query", blocks(README_TEXT, "sql"))
def test_a_query_answers(query: str, env: dict[str, str]) -> None:
    with closing(sqlite3.connect(env["MAILPROXY_DB"])) as connection:
        assert connection.execute(query).fetchall() != []


def test_the_settings_are_read_and_name_all_there_are(tmp_path: Path) -> None:
    (block,) = blocks(README_TEXT, "toml")
    path = tmp_path / "mailproxy.toml"
    path.write_text(block, encoding="utf-8")
    settings = read_settings(path)
    assert [route.upstream for route in settings.routes] == [
        "smtp://mail.example.org:587",
        "pop3://mail.example.org:110",
    ]
    assert [name for name, value in settings._asdict().items() if value in (None, ())] == []


OUTCOMES: Final = (
    "failed: TLS failed with the client: alert certificate_expired from the client",
    "failed: AUTH: 535 5.7.8 authentication failed",
)


@pytest.mark.parametrize(("block", "outcome"), list(zip(blocks(README_TEXT, "talk"), OUTCOMES, strict=True)))
def test_a_transcript_is_one(block: str, outcome: str) -> None:
    (recording,) = talk.read(block)
    read = complete(recording, "README.md", Terms())
    assert read.session.outcome == outcome
    assert said(as_talk(read)) == said(block)


def said(transcript: str) -> list[str]:
    return [line for line in transcript.splitlines() if not line.startswith("#")]


def test_the_json_has_the_fields_that_are_described(env: dict[str, str]) -> None:
    section = README_TEXT.partition("\n## JSON\n")[2].partition("\n## ")[0]
    rows = (line.strip("|").split("|") for line in section.splitlines() if line.startswith("| "))
    described = {name.strip(): set(MARKED.findall(fields)) for name, fields in rows if "`" in fields}
    fetched = [*COMMAND, "export", "2", "--format", "json"]
    whole = json.loads(subprocess.run(fetched, env=env, capture_output=True, check=True, timeout=LIMIT).stdout)
    assert described == {name: set(fields) for name, fields in objects(whole).items()}


TLS: Final[dict[str, Any]] = json_tls.written(FACTS)


def objects(whole: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """An object of each kind."""
    (session,) = whole["sessions"]
    fetched = next(each for each in session["exchanges"] if each["content"])
    return {
        "file": whole,
        "session": session,
        "leg": session["server"],
        "tls": TLS,
        "certificate": TLS["chain"][0],
        "ending": session["server"]["ending"],
        "frame": next(each for each in session["entries"] if "side" in each),
        "note": next(each for each in session["entries"] if "mark" in each),
        "exchange": fetched,
        "reply": fetched["replies"][0],
        "content": fetched["content"],
        "span": fetched["command"],
    }


def test_links_lead_somewhere() -> None:
    links = set(re.findall(r"\]\(([^)\s]+)\)", README_TEXT))
    headings = {anchor(each) for each in re.findall(r"^#+ (.+)$", README_TEXT, re.M)}
    broken = [
        link for link in links if not (link[1:] in headings if link[0] == "#" else (README.parent / link).exists())
    ]
    assert broken == []


def anchor(heading: str) -> str:
    """What a heading is called in a link."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
