"""`mailproxy replay server` as its user meets it: a process, its screen, its signals, and what it answers."""

import json
import os
import poplib
import signal
import smtplib
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cli.command import PROGRAM, Mailproxy, Ran

REPLAY = Path(__file__).parents[2] / "replay"
LIMIT = 30
MAIL = ("bob@example.org", ["alice@example.org"], "Subject: x\r\n\r\nHello Alice\r\n")
WHERE = ["--db", "played.sqlite", "--ready-file", "ready.json"]
unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")


class Running(NamedTuple):
    """A process that plays, and where."""

    process: subprocess.Popen[str]
    address: tuple[str, int]

    def ends(self, how: int = signal.SIGINT) -> Ran:
        """End it as its user does: its exit status, and what it printed."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=LIMIT)
        return Ran(self.process.returncode, out.encode(), err)

    def smtp(self) -> smtplib.SMTP:
        return smtplib.SMTP(*self.address, local_hostname="client.example", timeout=LIMIT)

    def pop3(self) -> poplib.POP3:
        return poplib.POP3(*self.address, timeout=LIMIT)


@contextmanager
def played(folder: Path, *words: str, listen: str = "0") -> Iterator[Running]:
    """Play sessions of the corpus, told by their names, and others by their files."""
    named = [str(REPLAY / f"{word}.talk") if (REPLAY / f"{word}.talk").exists() else word for word in words]
    with subprocess.Popen(
        [*PROGRAM, "replay", "server", *named, "--listen", listen, *WHERE],
        cwd=folder,
        env={**os.environ, "MAILPROXY_CA": str(folder / "ca")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Running(process, address(process, folder / "ready.json"))
        finally:
            process.kill()


def address(process: subprocess.Popen[str], ready: Path) -> tuple[str, int]:
    pause = threading.Event()
    while not ready.exists():
        assert process.poll() is None, process.communicate()
        pause.wait(0.02)
    [listener] = json.loads(ready.read_text(encoding="utf-8"))["listeners"]
    return listener["host"], listener["port"]


def codes(server: Running, times: int) -> list[int]:
    """How RCPT is answered, a connection each."""
    found = []
    for _ in range(times):
        with server.smtp() as client:
            client.ehlo()
            client.mail("bob@example.org")
            found.append(client.rcpt("grey@example.org")[0])
    return found


@unix
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_plays_whom_and_ends_cleanly(how: signal.Signals, tmp_path: Path) -> None:
    with played(tmp_path, "smtp-send-good") as server:
        with server.smtp() as client:
            assert client.sendmail(*MAIL) == {}
        ended = server.ends(how)
    assert (ended.code, ended.err) == (0, "")
    assert f"server 127.0.0.1  port {server.address[1]}" in ended.out
    assert "plays the server of" in ended.out
    assert "smtp-send-good.talk)" in ended.out
    assert "smtp-send-good.talk, played by mailproxy\n" in ended.out
    assert " -> mail FROM:<bob@example.org>" in ended.out
    assert not (tmp_path / "ready.json").exists()


@unix
def test_ctrl_c_ends_it_while_a_client_is_connected(tmp_path: Path) -> None:
    with played(tmp_path, "smtp-send-good") as server:
        client = server.smtp()
        assert server.ends().code == 0
        client.close()


@unix
def test_what_the_record_cannot_answer_is_told(tmp_path: Path) -> None:
    with played(tmp_path, "smtp-relay-denied", "--quiet") as server:
        with server.smtp() as client:
            client.ehlo()
            assert client.docmd("VRFY", "alice")[0] == 252
            assert client.docmd("XYZZY", "secret")[0] == 500
        ended = server.ends()
    assert ended.code == 0
    assert "VRFY" not in ended.out
    told = ended.err.splitlines()
    assert told[0].startswith('mailproxy: session 1: VRFY alice is not in the record: answered "252 ')
    assert told[1].startswith(
        "mailproxy: session 1: a command that is none of the protocol is not in the record: answered "
    )
    assert "secret" not in ended.err


@unix
def test_what_is_told_of_several_at_once_is_told_of_each(tmp_path: Path) -> None:
    with played(tmp_path, "smtp-relay-denied", "smtp-greylisted", "--json") as server:
        with server.smtp() as first, server.smtp() as second:
            for client in (second, first, second):
                client.ehlo()
                client.docmd("VRFY", "alice" if client is first else "bob")
            assert [client.mail("bob@example.org")[0] for client in (first, second)] == [250, 250]
            assert [client.rcpt("carol@example.net")[0] for client in (first, second)] == [554, 450]
        ended = server.ends()
    told = [line.split(" is not")[0] for line in ended.err.splitlines() if "VRFY" in line]
    assert told == [
        "mailproxy: session 2: VRFY bob",
        "mailproxy: session 1: VRFY alice",
        "mailproxy: session 2: VRFY bob",
    ]
    assert len(ended.lines) == 2


@unix
def test_strict_closes_instead(tmp_path: Path) -> None:
    with played(tmp_path, "smtp-relay-denied", "--strict", "--quiet") as server:
        client = server.smtp()
        client.ehlo()
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.docmd("VRFY", "alice")
        client.close()
        ended = server.ends()
    assert ended.code == 0
    assert ended.err == "mailproxy: session 1: VRFY alice is not in the record: the connection is closed\n"


@unix
def test_rules_change_replies(tmp_path: Path) -> None:
    rules = ["--edit", "RCPT s/554.*/250 2.1.5 Ok/", "--edit", r"MAIL 1 250-2.1.0 Well,\n250 2.1.0 yes"]
    with played(tmp_path, "smtp-relay-denied", *rules) as server:
        with server.smtp() as client:
            client.ehlo()
            assert client.mail("bob@example.org") == (250, b"2.1.0 Well,\n2.1.0 yes")
            assert client.rcpt("carol@example.net") == (250, b"2.1.5 Ok")
        assert server.ends().code == 0


@unix
def test_no_tls_begins_within_tls_though_the_record_offers_it(tmp_path: Path) -> None:
    with played(tmp_path, "smtp-send-good", listen="smtps://127.0.0.1:0") as server:
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        with smtplib.SMTP_SSL(*server.address, timeout=LIMIT, context=trusting) as client:
            client.ehlo("client.example")
            assert client.has_extn("SIZE")
            assert client.has_extn("STARTTLS")
            assert client.docmd("STARTTLS") == (503, b"5.5.1 TLS has begun already")
            assert client.sendmail(*MAIL) == {}
        ended = server.ends()
    assert ended.code == 0


@unix
def test_several_are_played_in_turn_and_the_last_one_from_then_on(tmp_path: Path) -> None:
    with played(tmp_path, "smtp-greylisted", "smtp-greylisted-accepted-good") as server:
        assert codes(server, 4) == [450, 250, 250, 250]
        assert server.ends().code == 0


@unix
def test_several_are_played_round_and_round(tmp_path: Path) -> None:
    with played(tmp_path, "smtp-greylisted", "smtp-greylisted-accepted-good", "--cycle") as server:
        assert codes(server, 4) == [450, 250, 450, 250]
        assert server.ends().code == 0


@unix
def test_pop3_content_is_the_recorded_one(tmp_path: Path) -> None:
    with played(tmp_path, "pop3-mpop-good") as server:
        client = server.pop3()
        client.user("anybody")
        client.pass_("any password")
        _, lines, octets = client.retr(1)
        client.quit()
        ended = server.ends()
    assert lines[0] == b"From: Bob <bob@example.org>"
    assert octets > len(lines)
    assert "any password" not in ended.out + ended.err


PAUSED = """
  0.000 smtp 25
  0.000 === connected
  0.000 <-  220 mail.example.org ESMTP
  0.100  -> NOOP
100.100 <-  250 at last
"""


@unix
@pytest.mark.parametrize(("pauses", "waits"), [("none", False), ("1000x", False), ("real", True)])
def test_pauses_are_made_on_wish(pauses: str, waits: bool, tmp_path: Path) -> None:
    """A hundred seconds are none, a tenth of one, or more than a client waits here."""
    (tmp_path / "paused.talk").write_text(PAUSED.lstrip("\n"), encoding="utf-8")
    with played(tmp_path, "paused.talk", "--pauses", pauses) as server:
        client = server.smtp()
        assert client.sock is not None
        client.sock.settimeout(1 if waits else LIMIT)
        if waits:
            with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
                client.noop()
        else:
            assert client.noop() == (250, b"at last")
        client.close()
        assert server.ends().code == 0


@unix
def test_json_is_a_line_for_each_session(tmp_path: Path) -> None:
    with played(tmp_path, "smtp-greylisted", "smtp-greylisted-accepted-good", "--json") as server:
        assert codes(server, 2) == [450, 250]
        ended = server.ends()
    assert ended.code == 0
    sessions: list[dict[str, Any]] = [each for line in ended.lines for each in json.loads(line)["sessions"]]
    assert [(each["id"], each["failed"]) for each in sessions] == [(1, True), (2, False)]
    assert sessions[0]["verdict"]["rule"] == "greylisted"
    assert sessions[0]["replays"].startswith("server of ")


@unix
def test_what_was_played_can_be_played_again(tmp_path: Path, mailproxy: Mailproxy) -> None:
    with played(tmp_path, "smtp-relay-denied") as server:
        assert codes(server, 1) == [554]
        server.ends()
    shown = mailproxy("sessions", "--json", "--db", str(tmp_path / "played.sqlite")).json
    [session] = shown["sessions"]
    assert session["id"] == 1
    with played(tmp_path, "1") as server:
        assert codes(server, 1) == [554]
        assert server.ends().code == 0


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["smtp-send-good", "--edit", "RCPT s/("], 2, "--edit"),
        (["smtp-send-good", "--pauses", "slow"], 2, "'slow' is none of none, real, 2x"),
        (["smtp-send-good", "--listen", "0.0.0.0:0"], 2, "--public"),
        (["smtp-send-good", "--listen", "gopher://1"], 2, "--listen"),
        (["smtp-send-good", "pop3-mpop-good"], 1, "these are of pop3 and smtp: play each protocol by itself"),
        (["blind-socks-good"], 1, "is no mail: nothing of it was read"),
        (["no-such-file.talk"], 1, "no-such-file.talk"),
    ],
)
def test_what_cannot_be_played_is_said(words: list[str], code: int, says: str, mailproxy: Mailproxy) -> None:
    named = [str(REPLAY / f"{word}.talk") if (REPLAY / f"{word}.talk").exists() else word for word in words]
    refused = mailproxy("replay", "server", *named)
    assert refused.code == code
    assert says in " ".join(refused.err.split())
