"""`mailproxy replay client` with bad input: it plays as far as the record goes, and says where and why it stops."""

import json
import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.command import PROGRAM, Mailproxy, Ran
from tests.cli.mail_server import POP2, POP3, SMTP, Server, serving
from tests.cli.test_cli_replay_server import address

CORPUS = Path(__file__).parents[2] / "replay"
LIMIT = 60
unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")

BEGUN = """smtp 25
=== connected
<-  220 mail.example.org ESMTP
 -> EHLO client.example
<-  250 ok
 -> MAIL FROM:<bob@example.org>
<-  250 ok
"""
ADDRESSED = BEGUN + " -> RCPT TO:<alice@example.org>\n<-  250 ok\n"
ENVELOPE = ["EHLO client.example", "MAIL FROM:<bob@example.org>", "RCPT TO:<alice@example.org>"]
FETCHED = """pop3 110
=== connected
<-  +OK ready
 -> USER alice
<-  +OK
 -> PASS <secret: 8 characters>
<-  +OK
"""

Play = Callable[..., Ran]


@pytest.fixture
def play(mailproxy: Mailproxy, tmp_path: Path) -> Play:
    """Play the client of a transcript to a server."""

    def run(talk: str, server: Server, *words: str) -> Ran:
        path = tmp_path / "session.talk"
        path.write_text(talk, encoding="utf-8")
        return mailproxy("replay", "client", str(path), server.url, *words, "--db", str(tmp_path / "mail.db"))

    return run


@pytest.fixture
def smtp() -> Iterator[Server]:
    with serving(SMTP) as server:
        yield server


def stop(ran: Ran) -> str:
    """Where and why it stopped, as the screen tells it."""
    return " ".join(ran.out.partition("\n  stop")[2].partition("\n\n")[0].split())


# What the record lacks.


@pytest.mark.parametrize(
    ("talk", "said", "why"),
    [
        ("smtp 25\n", ["QUIT"], "the record has no word of the client"),
        (ADDRESSED, [*ENVELOPE, "QUIT"], "the record ends behind RCPT"),
        (
            ADDRESSED + " -> DATA\n<-  354 go on\n -> half of it\\\n",
            [*ENVELOPE, "DATA", "half of it"],
            "the record ends behind DATA",
        ),
        (
            BEGUN + "... some lines\n -> DATA\n<-  354 go on\n -> .\n<-  250 ok\n",
            [*ENVELOPE[:2], "QUIT"],
            "the record leaves something out before DATA: some lines",
        ),
        (
            ADDRESSED + " -> DATA\n<-  354 go on\n... the message\n -> .\n<-  250 ok\n",
            [*ENVELOPE, "QUIT"],
            "DATA: the record leaves something out of its message: the message",
        ),
    ],
)
def test_it_plays_as_far_as_the_record_goes(talk: str, said: list[str], why: str, smtp: Server, play: Play) -> None:
    ran = play(talk, smtp, "--deliver")
    assert (ran.code, ran.err) == (1, "")
    assert ran.lines[0].startswith("session 1 plays the client of ")
    assert stop(ran) == why
    assert smtp.said == said


def test_it_plays_as_far_as_the_password(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILPROXY_PASSWORD", "")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with serving(POP3, "pop3") as server:
        ran = play(FETCHED, server)
    assert (ran.code, ran.err, server.said) == (1, "", ["USER alice", "QUIT"])
    assert stop(ran).startswith("PASS: the password is masked in the record, and none is given (put it into MAILPROXY")


def test_nobody_is_named_without_a_password(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILPROXY_PASSWORD", "")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with serving(POP3, "pop3") as server:
        ran = play(FETCHED, server, "--user", "bob")
    assert (ran.code, server.said) == (2, [])
    assert "no password is given: put it into MAILPROXY_PASSWORD" in ran.failure


def test_a_file_that_is_empty_is_no_recording(play: Play, smtp: Server) -> None:
    ran = play("", smtp)
    assert ran.code == 1
    assert "session.talk: this is no recording" in ran.failure


@unix
def test_a_message_whose_body_was_not_kept(smtp: Server, mailproxy: Mailproxy, tmp_path: Path) -> None:
    db = ["--db", str(tmp_path / "mail.db")]
    ready = tmp_path / "ready.json"
    words = ["record", f"0={smtp.url}", "--content", "headers", "--quiet", "--ready-file", str(ready), *db]
    with subprocess.Popen([*PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        with smtplib.SMTP(*address(process, ready), local_hostname="client.example") as client:
            client.sendmail("bob@example.org", ["alice@example.org"], "Subject: Lunch\r\n\r\nHow are you?\r\n" * 40)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT)
    smtp.said.clear()
    ran = mailproxy("replay", "client", "1", "--deliver", *db)
    assert ran.code == 1
    assert "octets of the message are not in the record (`record --content full` keeps them)" in stop(ran)
    assert "DATA" not in smtp.said
    assert mailproxy("replay", "client", "1", *db).code == 0
    assert mailproxy("diff", "1", "1", *db).code == 0
    listed = mailproxy("sessions", "--json", *db).json["sessions"]
    assert [each["replays"] for each in listed] == ["client of 1", "client of 1", ""]


def test_ten_thousand_exchanges(smtp: Server, play: Play) -> None:
    ran = play(BEGUN + " -> NOOP\n<-  250 ok\n" * 10_000 + " -> QUIT\n<-  221 bye\n", smtp)
    assert (ran.code, len(smtp.said)) == (0, 10_003), ran.out
    assert "nothing differs" in ran.out


# Other servers than the recorded one.


@pytest.mark.parametrize(
    ("session", "scheme", "replies", "why"),
    [
        ("smtp-send-good", "smtp", POP3, "the server's first words are no greeting of smtp: +OK ready"),
        (
            "pop3-mpop-good",
            "pop3",
            SMTP,
            "the server's first words are no greeting of pop3: 220 mail.example.org ESMTP",
        ),
        (
            "pop2-session-good",
            "pop2",
            POP3 | {"HELO": "-ERR what?"},
            "HELO is refused now, and was granted then: - ERR what?",
        ),
        ("pop3-typed-good", "pop3", POP2, "USER is refused now, and was granted then: - no"),
    ],
)
def test_a_server_of_another_protocol(
    session: str,
    scheme: str,
    replies: dict[str, str],
    why: str,
    play: Play,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAILPROXY_PASSWORD", "wonderland")
    with serving(replies, scheme) as server:
        ran = play((CORPUS / f"{session}.talk").read_text(encoding="utf-8"), server)
    assert (ran.code, stop(ran)) == (1, why)


TWO = ADDRESSED + " -> RCPT TO:<carol@example.org>\n<-  250 ok\n -> QUIT\n<-  221 bye\n"


@pytest.mark.parametrize(
    ("refused", "words", "said", "why"),
    [
        ("MAIL", [], ["EHLO", "MAIL", "QUIT"], "MAIL is refused now, and was granted then: 550 no"),
        ("MAIL", ["--keep-going"], ["EHLO", "MAIL", "RCPT", "RCPT", "QUIT"], ""),
        ("RCPT", [], ["EHLO", "MAIL", "RCPT", "RCPT", "QUIT"], ""),
        ("EHLO", [], ["EHLO", "QUIT"], "EHLO is refused now, and was granted then: 550 no"),
        ("EHLO", ["--keep-going"], ["EHLO", "MAIL", "RCPT", "RCPT", "QUIT"], ""),
    ],
)
def test_what_is_refused(refused: str, words: list[str], said: list[str], why: str, play: Play) -> None:
    with serving(SMTP | {refused: "550 no"}) as server:
        ran = play(TWO, server, *words)
    assert (ran.code, stop(ran)) == (1, why)
    assert [line.split(" ")[0] for line in server.said] == said


@pytest.mark.parametrize(
    ("words", "said"), [([], ["USER", "PASS", "QUIT"]), (["--keep-going"], ["USER", "PASS", "STAT", "QUIT"])]
)
def test_a_refused_login(words: list[str], said: list[str], play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILPROXY_PASSWORD", "wonderland")
    with serving(POP3 | {"PASS": "-ERR no"}, "pop3") as server:
        ran = play(FETCHED + " -> STAT\n<-  +OK 1 14\n -> QUIT\n<-  +OK\n", server, *words)
    assert ran.code == 1
    assert [line.split(" ")[0] for line in server.said] == said


def test_a_message_that_nobody_takes_is_sent_only_if_told_so(play: Play) -> None:
    talk = ADDRESSED + " -> DATA\n<-  354 go on\n -> Hello\n -> .\n<-  250 ok\n -> QUIT\n<-  221 bye\n"
    with serving(SMTP | {"RCPT": "550 no"}) as server:
        assert stop(play(talk, server, "--deliver")) == "DATA: no recipient is taken now"
        assert "DATA" not in server.said
        assert play(talk, server, "--deliver", "--keep-going").code == 1
        assert server.said[-4:] == ["DATA", "Hello", ".", "QUIT"]


# Who is not there, or not known.


def test_a_name_that_nobody_has(play: Play, mailproxy: Mailproxy, tmp_path: Path) -> None:
    session, db = str(CORPUS / "smtp-send-good.talk"), str(tmp_path / "mail.db")
    ran = mailproxy("replay", "client", session, "smtp://no-such-host.invalid", "--db", db)
    assert ran.code == 1
    assert ran.lines[0].endswith(": failed: no such host")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["7"], 1, "there is no session 7"),
        (["no-such-file.talk"], 1, "no-such-file.talk: No such file"),
        (["yesterday"], 1, "yesterday names no session: a number, last"),
        ([str(CORPUS / "smtp-send-good.talk"), "localhost"], 2, "'localhost' is no server: write smtp://host"),
        ([str(CORPUS / "smtp-send-good.talk"), "pop3://localhost"], 2, "speaks smtp, which is not spoken there"),
    ],
)
def test_what_cannot_be_played_is_one_line(
    words: list[str], code: int, says: str, mailproxy: Mailproxy, tmp_path: Path
) -> None:
    db = str(tmp_path / "mail.db")
    assert mailproxy("import", str(CORPUS / "smtp-send-good.talk"), "--db", db).code == 0
    ran = mailproxy("replay", "client", *words, "--db", db)
    assert ran.code == code
    assert says in ran.failure


# Ctrl-C.


@unix
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_tells_what_came_of_it_so_far(how: signal.Signals, mailproxy: Mailproxy, tmp_path: Path) -> None:
    db = ["--db", str(tmp_path / "mail.db")]
    many = ["--times", "20", "--parallel", "4", *db]
    with serving(SMTP, patient=lambda number: number <= 7) as server:
        ended = stopped(how, server, 4, *many)
    assert (ended.code, ended.err) == (130, "")
    assert ended.lines[0] == "stopped when 7 of 20 times were over:"
    assert ended.lines[2].startswith("      4  cut off   (sessions ")
    assert ended.lines[3].startswith("      7  ok: no message")
    listed = mailproxy("sessions", "--json", *db).json["sessions"]
    assert sorted(each["outcome"] for each in listed) == [
        *["ok: no message"] * 7,
        *["unfinished: no message, cut off: mailproxy was stopped"] * 4,
    ]


@unix
def test_ctrl_c_in_a_document(tmp_path: Path) -> None:
    with serving(SMTP, patient=lambda number: False) as server:
        ended = stopped(signal.SIGINT, server, 1, "--json", "--db", str(tmp_path / "mail.db"))
    told = json.loads(ended.octets)
    assert (ended.code, told["stopped"], told["cut_off"], told["sessions"]) == (130, True, [1], [])


def stopped(how: signal.Signals, server: Server, silences: int, *words: str) -> Ran:
    """Play until so many of the server's clients wait in vain."""
    asked = [*PROGRAM, "replay", "client", str(CORPUS / "smtp-send-good.talk"), server.url, *words]
    with subprocess.Popen(asked, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        for _ in range(silences):
            assert server.silent.acquire(timeout=LIMIT)
        process.send_signal(how)
        out, err = process.communicate(timeout=LIMIT)
    return Ran(process.returncode, out, err.decode())
