"""`mailproxy practice` as a program of its own."""

import json
import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from mailproxy.cli.main import main; main()", "practice"]
FREE = ["--smtp", "0", "--lmtp", "0", "--pop3", "0", "--pop2", "0"]
LIMIT = 30
unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")


@contextmanager
def started(*options: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([*COMMAND, *FREE, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as it:
        try:
            yield it
        finally:
            it.kill()


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=LIMIT, check=False)


def lines_until(process: subprocess.Popen[str], last: str) -> list[str]:
    assert process.stdout
    lines: list[str] = []
    while not lines or last not in lines[-1]:
        lines.append(process.stdout.readline())
        assert lines[-1], process.stderr and process.stderr.read()
    return lines


@unix
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_listens_and_ends_cleanly(how: signal.Signals, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    with started("--ready-file", str(ready)) as process:
        shown = "".join(lines_until(process, "Ctrl-C ends it."))
        said = json.loads(ready.read_text(encoding="utf-8"))
        where = {each["protocol"]: (each["host"], each["port"]) for each in said["listeners"]}
        assert list(where) == ["smtp", "lmtp", "pop3", "pop2"]
        for protocol, (host, port) in where.items():
            assert f"{protocol.upper()}  server {host}  port {port}" in shown
        assert "grey@example.org" in shown
        with smtplib.SMTP(*where["smtp"], local_hostname="client", timeout=LIMIT) as client:
            assert client.noop()[0] == 250
        process.send_signal(how)
        out, err = process.communicate(timeout=LIMIT)
        assert (process.returncode, out, err) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


@unix
def test_it_ends_while_a_client_is_connected(tmp_path: Path) -> None:
    with started("--json") as process:
        said = json.loads("".join(lines_until_brace(process)))
        assert said["accounts"][0]["address"] == "alice@example.org"
        [smtp] = [each for each in said["listeners"] if each["protocol"] == "smtp"]
        client = smtplib.SMTP(smtp["host"], smtp["port"], local_hostname="client", timeout=LIMIT)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LIMIT)
        assert process.returncode == 0
        client.close()


def lines_until_brace(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout
    for line in process.stdout:
        yield line
        if line == "}\n":
            return


def test_an_address_that_others_can_reach_needs_a_word() -> None:
    refused = run("--host", "0.0.0.0")
    assert refused.returncode == 2
    assert "--public" in refused.stderr


def test_a_ready_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    failed = run(*FREE, "--ready-file", str(tmp_path / "nowhere" / "ready.json"))
    assert failed.returncode == 1
    assert len(failed.stderr.splitlines()) == 1
    assert "nowhere" in failed.stderr


@unix
def test_a_taken_port_is_named() -> None:
    with started("--json") as process:
        said = json.loads("".join(lines_until_brace(process)))
        port = said["listeners"][0]["port"]
        failed = run("--smtp", str(port), "--lmtp", "0", "--pop3", "0", "--pop2", "0")
        assert failed.returncode == 1
        assert failed.stderr.startswith(f"mailproxy: 127.0.0.1:{port}: ")


def test_the_help_teaches() -> None:
    shown = run("--help")
    assert shown.returncode == 0
    for word in ("telnet 127.0.0.1 3110", "PASS practice", "--ready-file", "grey@example.org"):
        assert word in shown.stdout


def test_the_help_is_fast_to_load() -> None:
    heavy = "import sys, mailproxy.cli.practice; print([m for m in ('trio', 'sqlalchemy') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True, env=os.environ)
    assert shown.stdout == "[]\n"
