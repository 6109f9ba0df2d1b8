"""`mailproxy replay server` with bad input: it plays as far as the record goes, and says what the record lacks."""

import poplib
import signal
import smtplib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import PROGRAM, Mailproxy
from tests.cli.mail_server import SMTP, serving
from tests.cli.test_cli_replay_server import LIMIT, Running, address, played, unix

pytestmark = unix
BEGUN = """smtp 25
=== connected
<-  220 mail.example.org ESMTP
 -> EHLO client.example
<-  250 ok
 -> MAIL FROM:<bob@example.org>
<-  250 ok
"""
LOGGED_IN = """pop3 110
=== connected
<-  +OK ready
 -> USER alice
<-  +OK
 -> PASS <secret: 8 characters>
<-  +OK
"""
MAIL = ("bob@example.org", ["alice@example.org"], "Subject: Lunch\r\n\r\nHow are you?\r\n")
LEFT_OUT = "octets of a message are not in the record"


def send(server: Running) -> None:
    with server.smtp() as client:
        assert client.sendmail(*MAIL) == {}


def fetch(server: Running) -> None:
    client = server.pop3()
    client.user("anybody")
    client.pass_("anything")
    assert client.retr(1)[0].startswith(b"+OK")
    client.quit()


def be_refused(server: Running) -> None:
    with pytest.raises(smtplib.SMTPServerDisconnected):
        server.smtp()


def greet_amiss(server: Running) -> None:
    with pytest.raises(smtplib.SMTPConnectError, match="ready"):
        server.smtp()


def log_in_amiss(server: Running) -> None:
    client = server.pop3()
    with pytest.raises(poplib.error_proto, match="Unknown command"):
        client.user("alice")
    client.close()


@pytest.mark.parametrize(
    ("talk", "meet", "told"),
    [
        ("smtp 25\n", be_refused, "the record has no word of the server: the connection is closed"),
        (
            BEGUN + " -> RCPT TO:<alice@example.org>\n",
            send,
            'the record ends within RCPT alice@example.org: answered "250 ok"',
        ),
        (
            BEGUN + " -> RCPT TO:<alice@example.org>\n<-  250 ok\n -> DATA\n<-  354 go on\n -> half of it\\\n",
            send,
            'the record ends within DATA: answered "250 ok"',
        ),
        (
            BEGUN + "... some lines\n -> DATA\n<-  354 go on\n -> .\n<-  250 ok\n",
            send,
            'RCPT alice@example.org is not in the record: answered "250 ok"',
        ),
        (
            LOGGED_IN + " -> RETR 1\n<-  +OK 100 octets\n<-  Subject: Lunch\n",
            fetch,
            "the record ends within RETR 1: what is missing is made up",
        ),
        (
            LOGGED_IN + " -> RETR 1\n<-  +OK 48 octets\n... 43 octets of the server left out\n<-  \n<-  .\n",
            fetch,
            f"43 {LEFT_OUT}",
        ),
        (LOGGED_IN, greet_amiss, ""),
        ("pop2 109\n<-  + ready\n -> HELO a b\n<-  - Unknown command\n*** closed by the server\n", log_in_amiss, ""),
    ],
)
def test_it_plays_as_far_as_the_record_goes(
    talk: str, meet: Callable[[Running], None], told: str, mailproxy: Mailproxy, tmp_path: Path
) -> None:
    (tmp_path / "session.talk").write_text(talk, encoding="utf-8")
    with played(tmp_path, "session.talk", "--quiet") as server:
        meet(server)
        ended = server.ends()
    assert ended.code == 0
    assert told in ended.err
    [session] = mailproxy("sessions", "--json", "--db", str(tmp_path / "played.sqlite")).json["sessions"]
    assert session["replays"] == "server of session.talk"


def test_strict_closes_where_the_record_ends(tmp_path: Path) -> None:
    (tmp_path / "session.talk").write_text(BEGUN + " -> RCPT TO:<alice@example.org>\n", encoding="utf-8")
    with played(tmp_path, "session.talk", "--quiet", "--strict") as server:
        client = server.smtp()
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.sendmail(*MAIL)
        client.close()
        ended = server.ends()
    assert "the record ends within RCPT alice@example.org: the connection is closed" in ended.err


def test_ten_thousand_exchanges(tmp_path: Path) -> None:
    noops = " -> NOOP\n<-  250 number {}\n"
    talk = BEGUN + "".join(noops.format(number) for number in range(10_000))
    (tmp_path / "session.talk").write_text(talk, encoding="utf-8")
    with played(tmp_path, "session.talk", "--quiet") as server:
        with server.smtp() as client:
            assert client.sock is not None
            client.sock.sendall(b"NOOP\r\n" * 10_000)
            said = [client.getreply()[1] for _ in range(10_000)]
        ended = server.ends()
    assert said == [b"number %d" % number for number in range(10_000)]
    assert ended.code == 0


def test_a_message_whose_body_was_not_kept(mailproxy: Mailproxy, tmp_path: Path) -> None:
    ready, db = tmp_path / "recorded.json", str(tmp_path / "played.sqlite")
    with serving(SMTP) as upstream:
        words = ["record", f"0={upstream.url}", "--content", "none", "--quiet", "--ready-file", str(ready), "--db", db]
        with subprocess.Popen([*PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            with smtplib.SMTP(*address(process, ready), local_hostname="client.example") as client:
                client.sendmail(*MAIL)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=LIMIT)
    with played(tmp_path, "1", "--quiet") as server:
        send(server)
        ended = server.ends()
    assert (ended.code, ended.err) == (0, "")
    assert mailproxy("diff", "1", "2", "--db", db).lines[-1] == "nothing differs"


@pytest.mark.skipif(sys.platform == "darwin", reason="writes a hundred megabytes")
def test_a_message_of_a_hundred_megabytes(tmp_path: Path) -> None:
    octets = 100_000_000
    line = b"x" * 998 + b"\r\n"
    told = LOGGED_IN + f" -> RETR 1\n<-  +OK {octets} octets\n<-  {'x' * 998}\n... {octets - 2000} octets of the server"
    (tmp_path / "session.talk").write_text(f"{told} left out\n<-  {'x' * 998}\n<-  .\n", encoding="utf-8")
    with played(tmp_path, "session.talk", "--quiet") as server:
        client = server.pop3()
        client.user("alice")
        client.pass_("anything")
        _, lines, came = client.retr(1)
        client.quit()
        ended = server.ends()
    assert lines[0] == line.strip()
    assert came == octets
    assert f"{octets - 2000} {LEFT_OUT}" in ended.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["7"], "there is no session 7"),
        (["smtp-send-good", "7"], "there is no session 7"),
        (["yesterday"], "yesterday names no session"),
        (["empty.talk"], "empty.talk: this is no recording"),
    ],
)
def test_what_cannot_be_played_is_one_line(
    words: list[str], says: str, mailproxy: Mailproxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    corpus = Path(__file__).parents[2] / "replay" / "smtp-send-good.talk"
    Path("empty.talk").touch()
    assert mailproxy("import", str(corpus), "--db", "mail.db").code == 0
    named = [str(corpus) if word == corpus.stem else word for word in words]
    ran = mailproxy("replay", "server", *named, "--listen", "0", "--db", "mail.db")
    assert ran.code == 1
    assert says in ran.failure
