"""`mailproxy sessions`, `show`, `export`, `import` and `prune`, on recordings that were imported."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailproxy.formats import FORMATS, OCTET_FORMATS
from tests.cli.command import LIMIT, PROGRAM, Mailproxy, Ran, program

SENT = r"""
# session 1, 2026-11-20T08:00:00.000000Z, client 192.0.2.7
smtp 587
   0.000 === connected to mail.example.org (192.0.2.25)
   0.010 <-  220 mail.example.org ESMTP
   0.020  -> EHLO client.example.org
   0.030 <-  250-mail.example.org
   0.030 <-  250 AUTH PLAIN
   0.040  -> AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=
   0.050 <-  235 2.7.0 Welcome
   0.060  -> MAIL FROM:<alice@example.org>
   0.070 <-  250 2.1.0 fine
   0.080  -> RCPT TO:<bob@example.net>
   0.090 <-  250 2.1.5 fine
   0.100  -> DATA
   0.110 <-  354 go on
   0.120  -> Subject: Lunch
   0.120  ->
   0.120  -> ..The dot at the start of this line is doubled on its way.
   0.120  -> Gr\xfc\xdfe \xc0\x00\x1b[31m, and a bare LF\n
   0.120  -> Alice
   0.120  -> .
   0.130 <-  250 2.0.0 queued
   1.500  -> QUIT
   1.501 <-  221 2.0.0 bye
   1.502 *** closed by the server
""".lstrip()

REFUSED = """
# session 2, 2026-11-21T08:00:00.000000Z, client 198.51.100.9
smtp 25
=== connected to relay.example.com (203.0.113.25)
<-  220 relay.example.com ESMTP
 -> EHLO client.example.org
<-  250 relay.example.com
 -> MAIL FROM:<alice@example.org>
<-  250 2.1.0 fine
 -> RCPT TO:<bob@example.net>
<-  554 5.7.1 <bob@example.net>: Relay access denied
 -> QUIT
<-  221 2.0.0 bye
*** closed by the server
""".lstrip()

WRONG = """
# session 3, 2026-11-22T08:00:00.000000Z, client 192.0.2.7
pop3 110
=== connected to pop.example.org (192.0.2.110)
<-  +OK pop.example.org ready
 -> USER alice
<-  +OK and the password?
 -> PASS wrong horse
<-  -ERR [AUTH] no
 -> QUIT
<-  +OK bye
*** closed by the server
""".lstrip()

HARMFUL = r"""
# session 4, 2026-11-23T08:00:00.000000Z, client 192.0.2.7
pop3 110
=== connected to pop.example.org (192.0.2.110)
<-  +OK \x1b[31mred\x07 \xe2\x80\xae \xff\x00
 -> USER \x1b]0;title\x07alice
<-  -ERR [AUTH] \x1b[2J no \\ such
 -> QUIT
<-  +OK \x9b31m
*** closed by the server
""".lstrip()

MESSAGE = (
    b"Subject: Lunch\r\n\r\n"
    b".The dot at the start of this line is doubled on its way.\r\n"
    b"Gr\xfc\xdfe \xc0\x00\x1b[31m, and a bare LF\n"
    b"Alice\r\n"
)
TALKS = {"sent": SENT, "refused": REFUSED, "wrong": WRONG, "harmful": HARMFUL}


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    """A directory with the transcripts."""
    for name, talk in TALKS.items():
        (tmp_path / f"{name}.talk").write_text(talk, encoding="utf-8")
    return tmp_path


@pytest.fixture(autouse=True)
def imported(talks: Path, mailproxy: Mailproxy) -> list[str]:
    """The database has them; what was told of it."""
    ran = mailproxy("import", *(str(talks / f"{name}.talk") for name in TALKS))
    assert (ran.code, ran.err) == (0, "")
    return ran.lines


def test_what_is_imported_is_told(imported: list[str], talks: Path) -> None:
    assert imported[:3] == [
        f"   1  smtp  {talks / 'sent.talk'}  ok: 1 message sent",
        f"   2  smtp  {talks / 'refused.talk'}  failed: RCPT: 554 5.7.1 <bob@example.net>: Relay access denied",
        f"   3  pop3  {talks / 'wrong.talk'}  failed: PASS: -ERR [AUTH] no",
    ]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", [4, 3, 2, 1]),
        ("--limit 2", [4, 3]),
        ("-n 1", [4]),
        ("--failed", [4, 3, 2]),
        ("--failed -n 1 --protocol smtp", [2]),
        ("--protocol pop3", [4, 3]),
        ("--protocol lmtp", []),
        ("--client 198.51.100.9", [2]),
        ("--client 192.0.2", [4, 3, 1]),
        ("--server pop.example", [4, 3]),
        ("--server relay.example.com", [2]),
        ("--since 2026-11-22T08:00:00+00:00", [4, 3]),
        ("--since 2026-11-22T08:00:01Z", [4]),
        ("--since 2999-01-01", []),
        ("--since 1s", []),
        ("--since 5200w", [4, 3, 2, 1]),
        ("--code 554", [2]),
        ("--code 5", [2]),
        ("--code 5.7", [2]),
        ("--code 235", [1]),
        ("--code -ERR", [4, 3]),
        ("--text denied", [2]),
        ("--text RELAY.access", []),
        ("--text BOB@example.net", [2, 1]),
        ("--text wonderland", []),
        ("--text AGFsaWNl", []),
        ("--client 192.0.2.7 --failed --code -ERR --text [auth]", [4, 3]),
    ],
)
def test_sessions_that_are_asked_for(mailproxy: Mailproxy, asked: str, found: list[int]) -> None:
    listed = mailproxy("sessions", *asked.split())
    assert (listed.code, listed.err) == (0, "")
    if found:
        assert [int(line.split()[0]) for line in listed.lines] == found
    else:
        assert listed.lines == ["No session is like that."]
    counted = mailproxy("sessions", *asked.split(), "--json").json["sessions"]
    assert [session["id"] for session in counted] == found


def test_a_session_is_told_of_in_one_line(mailproxy: Mailproxy) -> None:
    [line] = mailproxy("sessions", "--code", "235").lines
    assert re.fullmatch(
        r"1  2026-11-(19|20|21) \d\d:\d\d:00  smtp  mail\.example\.org:587  ok: 1 message sent  alice", line
    )


def test_no_session_yet(mailproxy: Mailproxy, tmp_path: Path) -> None:
    assert mailproxy("sessions", "--db", str(tmp_path / "new.sqlite")).lines == ["No session."]


def test_sessions_for_programs(mailproxy: Mailproxy, talks: Path) -> None:
    [session] = mailproxy("sessions", "--code", "554", "--json").json["sessions"]
    assert session == {
        "id": 2,
        "protocol": "smtp",
        "started": "2026-11-21T08:00:00.000000Z",
        "duration": 0.0,
        "upstream": "smtp://relay.example.com:25",
        "user": "",
        "outcome": "failed: RCPT: 554 5.7.1 <bob@example.net>: Relay access denied",
        "failed": True,
        "source": str(talks / "refused.talk"),
        "replays": "",
        "client": session["client"],
        "server": session["server"],
    }
    assert (session["client"]["host"], session["client"]["address"]) == ("198.51.100.9", "")
    assert (session["server"]["address"], session["server"]["ending"]["how"]) == ("203.0.113.25", "closed")


def test_a_session_is_shown_as_it_was(mailproxy: Mailproxy) -> None:
    shown = mailproxy("show", "2")
    assert shown.code == 0
    first, *said, last = shown.lines
    assert first.startswith("# session 2, 2026-11-2")
    assert first.endswith(".talk")
    length = len(REFUSED.splitlines()[2:])
    assert said[:length] == REFUSED.splitlines()[2:]
    assert said[length] == "# failed: RCPT: 554 5.7.1 <bob@example.net>: Relay access denied"
    assert said[length + 1].startswith("# why   The server passes no mail on to other domains for this client.")
    assert last.startswith("# ")


def test_a_message_is_folded_and_a_secret_masked(mailproxy: Mailproxy) -> None:
    said = mailproxy("show", "1").lines
    assert " -> AUTH PLAIN <secret: PLAIN, user alice, password 10 characters>" in said
    assert said[said.index(" -> DATA") :][1:4] == [
        "<-  354 go on",
        f" -> (message, 6 lines, {len(MESSAGE) + 4} octets)",
        "<-  250 2.0.0 queued",
    ]


def test_a_message_is_shown_whole_to_who_asks(mailproxy: Mailproxy) -> None:
    said = mailproxy("show", "1", "--full").lines
    assert said[said.index(" -> Subject: Lunch") :][:6] == [
        " -> Subject: Lunch",
        " ->",
        " -> ..The dot at the start of this line is doubled on its way.",
        r" -> Gr\xfc\xdfe \xc0\x00\x1b[31m, and a bare LF\n",
        " -> Alice",
        " -> .",
    ]


def test_seconds_stand_in_a_column(mailproxy: Mailproxy) -> None:
    said = mailproxy("show", "1", "--timing").lines
    assert "   1.500  -> QUIT" in said
    assert "   1.502 *** closed by the server" in said


def test_octets_in_hexadecimal(mailproxy: Mailproxy) -> None:
    said = mailproxy("show", "2", "--hex").lines
    assert " ->       83  6 octets, speech" in said
    assert " -> 00000053  51 55 49 54 0d 0a                                QUIT.." in said
    assert "*** closed by the server" in said


def test_octets_in_hexadecimal_hold_no_secret(mailproxy: Mailproxy) -> None:
    said = mailproxy("show", "3", "--hex").out
    assert "77 72 6f 6e 67" not in said
    assert "wrong" not in said.replace("wrong.talk", "")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("last", 4), ("last~0", 4), ("last~1", 3), ("last~3", 1), ("last-failed", 4), ("last-failed~2", 2), ("0002", 2)],
)
def test_a_session_has_names(mailproxy: Mailproxy, name: str, meant: int) -> None:
    assert mailproxy("show", name).lines[0].startswith(f"# session {meant}, ")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("last~4", "there are only 4 sessions"),
        ("last-failed~3", "there are only 3 failed sessions"),
        ("5", "there is no session 5"),
        ("9" * 400, f"there is no session {'9' * 18}"),
    ],
)
@pytest.mark.parametrize("command", ["show", "export"])
def test_a_name_of_nothing(mailproxy: Mailproxy, command: str, name: str, told: str) -> None:
    ran = mailproxy(command, name)
    assert (ran.code, ran.failure) == (1, told)


def test_several_are_shown_in_order(mailproxy: Mailproxy, talks: Path) -> None:
    shown = mailproxy("show", "3", str(talks / "refused.talk"), "1")
    heads = [line for line in shown.lines if re.match("# .*, (smtp|pop3) with ", line)]
    assert [re.split(", ", head)[0] for head in heads] == ["# session 3", "# session 2", "# session 1"]


def test_a_transcript_is_shown_without_the_database(mailproxy: Mailproxy, talks: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.sqlite"
    shown = mailproxy("show", str(talks / "wrong.talk"), "--db", str(new))
    assert " -> PASS <secret: 11 characters>" in shown.lines
    assert "wrong horse" not in shown.out
    assert not new.exists()


def test_a_transcript_is_shown_from_a_pipe(mailproxy: Mailproxy) -> None:
    shown = mailproxy("show", "-", typed=REFUSED.encode())
    assert shown.lines[0].endswith(", from standard input")
    assert "<-  554 5.7.1 <bob@example.net>: Relay access denied" in shown.lines


def test_a_session_for_programs(mailproxy: Mailproxy) -> None:
    [session] = mailproxy("show", "3", "--json").json["sessions"]
    assert [exchange["verb"] for exchange in session["exchanges"]] == ["", "USER", "PASS", "QUIT"]
    assert session["exchanges"][2]["argument"] == "<secret: 11 characters>"
    assert session["exchanges"][2]["enhanced"] == "AUTH"
    assert [entry["octets"] for entry in session["entries"] if entry.get("side") == "client"] == [
        "USER alice\\x0d\\x0a",
        "PASS <secret: 11 characters>\\x0d\\x0a",
        "QUIT\\x0d\\x0a",
    ]


@pytest.mark.parametrize(
    "words",
    [
        "show 4",
        "show 4 --full",
        "show 4 --hex",
        "show 4 --timing",
        "show 4 --json",
        "show 1 --full",
        "export 1",
        "export 4",
        "export 4 --format json",
        "sessions",
        "sessions --json",
    ],
)
def test_what_harms_a_terminal_is_never_printed_raw(mailproxy: Mailproxy, words: str) -> None:
    assert harmless(mailproxy(*words.split()))


def harmless(shown: Ran) -> bool:
    """Whether a command went well and printed nothing that a terminal would obey."""
    assert (shown.code, shown.err) == (0, "")
    harmful = {character for character in shown.out if not character.isprintable()} - {"\n"}
    assert harmful == set()
    return True


OBEYED = "\x1b[31m\x9b31m\u202e\u2066\x07"
ESCAPED = r"\x1b[31m\xc2\x9b31m\xe2\x80\xae\xe2\x81\xa6\x07"
TELLING = ["show last", "show last --full --timing", "show last --hex", "sessions", "sessions --json", "export last"]


@pytest.mark.parametrize("words", TELLING)
def test_a_transcript_that_holds_it_raw_is_printed_with_escapes(mailproxy: Mailproxy, words: str) -> None:
    raw = (
        f"# a comment {OBEYED}\nsmtp 25\n=== a fact {OBEYED}\n<-  220 {OBEYED}\n -> HELO {OBEYED}\n... {OBEYED}\n"
        f"*** trouble {OBEYED}\n"
    )
    assert harmless(mailproxy("import", "-", typed=raw.encode()))
    assert harmless(mailproxy(*words.split()))
    said = mailproxy("show", "last").lines
    assert f"=== a fact {ESCAPED}" in said
    assert f"<-  220 {ESCAPED}" in said
    assert f" -> HELO {ESCAPED}" in said
    assert f"... {ESCAPED}" in said
    assert f"*** trouble {ESCAPED}" in said


@pytest.mark.parametrize("words", TELLING)
def test_json_whose_every_text_holds_it_is_printed_with_escapes(mailproxy: Mailproxy, words: str) -> None:
    document = mailproxy("export", "2", "--format", "json").json
    [session] = document["sessions"]
    for field in ("user", "outcome", "source"):
        session[field] = OBEYED
    session["upstream"] = f"smtp://{OBEYED}"
    session["client"]["host"] = session["server"]["host"] = session["server"]["address"] = OBEYED
    session["entries"].append({"mark": "***", "text": f"{OBEYED}\nand a line more", "at": session["started"]})
    assert harmless(mailproxy("import", "-", typed=json.dumps(document).encode()))
    shown = mailproxy(*words.split())
    assert harmless(shown)
    assert ESCAPED in mailproxy("sessions", "-n", "1").lines[0]


@pytest.mark.skipif(sys.platform == "win32", reason="no file can be called so there")
def test_a_file_name_that_holds_it_is_printed_with_escapes(mailproxy: Mailproxy, tmp_path: Path) -> None:
    file = tmp_path / f"{OBEYED}.talk"
    file.write_text(REFUSED)
    for words in (["import", str(file)], ["show", str(file)], ["show", "last"]):
        shown = mailproxy(*words)
        assert harmless(shown)
        assert f"{ESCAPED}.talk" in shown.lines[0]
    written = mailproxy("export", "2", "--output", str(file))
    assert written.failure == f"wrote {tmp_path}/{ESCAPED}.talk"


def test_it_is_printed_as_an_escape(mailproxy: Mailproxy) -> None:
    assert mailproxy("show", "4").lines[2:4] == [
        r"<-  +OK \x1b[31mred\x07 \xe2\x80\xae \xff\x00",
        r" -> USER \x1b]0;title\x07alice",
    ]


def test_what_harms_a_terminal_is_not_in_an_error_either(mailproxy: Mailproxy, tmp_path: Path) -> None:
    torn = tmp_path / "torn.talk"
    torn.write_text("smtp 25\n<-  220 ready\n\x1b[31m no mark\n")
    ran = mailproxy("show", str(torn))
    assert ran.code == 1
    assert r"torn.talk:3: '\x1b[31m no mark': no mark; begin it with" in ran.failure


@pytest.mark.parametrize("name", TALKS)
@pytest.mark.parametrize("format", ["talk", "json"])
def test_export_and_import_make_an_equal(mailproxy: Mailproxy, tmp_path: Path, name: str, format: str) -> None:
    number = str(1 + list(TALKS).index(name))
    options = ["--timing"] if format == "talk" else []
    exported = mailproxy("export", number, "--format", format, *options)
    assert (exported.code, exported.err) == (0, "")
    other = str(tmp_path / "other.sqlite")
    taken = mailproxy("import", "-", "--db", other, typed=exported.octets)
    assert (taken.code, taken.err) == (0, "")
    [before] = mailproxy("show", number, "--json").json["sessions"]
    [after] = mailproxy("show", "1", "--json", "--db", other).json["sessions"]
    assert comparable(after) == comparable(before)


def comparable(session: dict[str, Any]) -> dict[str, Any]:
    """A session without what is its own in each database, and without how long its secrets were on the wire."""
    entries = [{key: value for key, value in entry.items() if key != "wire"} for entry in session["entries"]]
    return {**session, "id": 0, "source": "", "entries": entries}


@pytest.mark.parametrize("name", TALKS)
def test_without_the_seconds_both_sides_say_the_same(mailproxy: Mailproxy, tmp_path: Path, name: str) -> None:
    number = str(1 + list(TALKS).index(name))
    other = str(tmp_path / "other.sqlite")
    mailproxy("import", "-", "--db", other, typed=mailproxy("export", number).octets)
    [before] = mailproxy("show", number, "--json").json["sessions"]
    [after] = mailproxy("show", "1", "--json", "--db", other).json["sessions"]
    for side in ("client", "server"):
        assert stream(after, side) == stream(before, side) != ""
    assert list(map(meaning, after["exchanges"])) == list(map(meaning, before["exchanges"]))


def stream(session: dict[str, Any], side: str) -> str:
    """All that one side said."""
    return "".join(entry["octets"] for entry in session["entries"] if entry.get("side") == side)


def meaning(exchange: dict[str, Any]) -> list[object]:
    """An exchange without its times."""
    return [exchange[key] for key in ("number", "verb", "argument", "code", "enhanced", "text", "command", "content")]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_a_pipe_keeps_octets_whatever_the_locale_says(mailproxy: Mailproxy, encoding: str) -> None:
    octets = "smtp\r\n<-  220 Grüße \N{GREEK SMALL LETTER PI}".encode() + b" \xff\r\n -> QUIT\r\n"
    taken = program("import", "-", typed=octets, PYTHONIOENCODING=encoding)
    assert (taken.code, taken.err) == (0, "")
    assert mailproxy("export", "last").lines[2:] == [
        "<-  220 Grüße \N{GREEK SMALL LETTER PI} \\xff",
        " -> QUIT",
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is wanted")
@pytest.mark.parametrize("words", ["export 2", "export 2 --format json", "show 2", "sessions --json"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_told(words: str, unbuffered: str) -> None:
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "wb") as full:
        command = [*PROGRAM, *words.split()]
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=LIMIT, env=environment, check=False)
    assert (ran.returncode, ran.stderr) == (1, b"mailproxy: No space left on device\n")


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are wanted")
def test_a_file_that_is_cut_short_is_told(tmp_path: Path) -> None:
    """Python that was told not to buffer writes what fits, and says only how much that was."""
    long = tmp_path / "long.talk"
    long.write_text("smtp\n" + "<-  220 one of many lines\n" * 1000)
    limited = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)); from mailproxy.cli.main import main; main()"
    )
    with open(tmp_path / "out.talk", "wb") as out:
        command = [sys.executable, "-u", "-c", limited, "export", str(long)]
        ran = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, timeout=LIMIT, check=False)
    assert (ran.returncode, ran.stderr) == (1, b"mailproxy: File too large\n")


def test_an_exported_transcript_is_the_one_that_was_imported(mailproxy: Mailproxy) -> None:
    assert mailproxy("export", "2").out == REFUSED
    masked = "AUTH PLAIN <secret: PLAIN, user alice, password 10 characters>"
    assert mailproxy("export", "1", "--timing").out == SENT.replace("AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=", masked)


def test_several_in_one_stream(mailproxy: Mailproxy, tmp_path: Path) -> None:
    exported = mailproxy("export", "1", "2", "last")
    other = str(tmp_path / "other.sqlite")
    assert len(mailproxy("import", "-", "--db", other, typed=exported.octets).lines) == 3


def test_secrets_stay_where_somebody_wants_them(mailproxy: Mailproxy, talks: Path) -> None:
    assert mailproxy("import", "--keep-secrets", str(talks / "wrong.talk")).code == 0
    assert " -> PASS wrong horse" in mailproxy("export", "last").lines


def test_a_message_comes_out_octet_by_octet(mailproxy: Mailproxy) -> None:
    assert mailproxy("export", "1", "--format", "eml").octets == MESSAGE


FETCHED = r"""
pop3 110
<-  +OK pop.example.org ready
 -> RETR 1
<-  +OK 60 octets
<-  Subject: Lunch
<-
<-  ..The dot at the start of this line is doubled on its way.
<-  Gr\xfc\xdfe \xc0\x00\x1b[31m, and a bare LF\n
<-  Alice
<-  .
""".lstrip()

CHUNKED = r"""
smtp 25
<-  220 mail.example.org ESMTP
 -> BDAT 18
 -> Subject: Lunch
 ->
<-  250 2.0.0 on
 -> BDAT 111 LAST
 -> .The dot at the start of this line is doubled on its way.
 -> Gr\xfc\xdfe \xc0\x00\x1b[31m, and a bare LF\n
 -> Alice
<-  250 2.0.0 queued
""".lstrip().replace("111", str(len(MESSAGE) - 18))


@pytest.mark.parametrize("talk", [FETCHED, CHUNKED])
def test_a_message_that_went_another_way_comes_out_equal(mailproxy: Mailproxy, talk: str) -> None:
    assert harmless(mailproxy("import", "-", typed=talk.encode()))
    assert mailproxy("export", "last", "--format", "eml").octets == MESSAGE


def test_a_message_into_a_directory(mailproxy: Mailproxy, tmp_path: Path) -> None:
    into = tmp_path / "new" / "messages"
    ran = mailproxy("export", "1", "-f", "eml", "-o", str(into))
    [written] = into.iterdir()
    assert (ran.code, ran.err) == (0, f"mailproxy: wrote {written}\n")
    assert (written.name, written.read_bytes()) == ("1-1.eml", MESSAGE)


def test_transcripts_into_a_directory_and_into_a_file(mailproxy: Mailproxy, tmp_path: Path) -> None:
    into = tmp_path / "talks"
    assert mailproxy("export", "2", "3", "-o", str(into)).octets == b""
    assert sorted(path.name for path in into.iterdir()) == ["2.talk", "3.talk"]
    one = tmp_path / "one.talk"
    mailproxy("export", "2", "-o", str(one))
    assert one.read_bytes() == (into / "2.talk").read_bytes() == REFUSED.encode()


def test_json_into_a_file(mailproxy: Mailproxy, tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    mailproxy("export", "1", "2", "--format", "json", "-o", str(file))
    said = json.loads(file.read_text())
    assert (said["version"], [session["id"] for session in said["sessions"]]) == (1, [1, 2])


def test_no_message(mailproxy: Mailproxy) -> None:
    ran = mailproxy("export", "2", "--format", "eml")
    assert (ran.code, ran.failure) == (1, "no message was carried")


def test_a_file_that_cannot_be_written(mailproxy: Mailproxy, tmp_path: Path) -> None:
    where = tmp_path / "nowhere" / "it.talk"
    ran = mailproxy("export", "2", "-o", str(where))
    assert (ran.code, ran.failure) == (1, f"{where}: No such file or directory")


KNOWN = ", ".join([each.name for each in FORMATS] + [each.name for each in OCTET_FORMATS])


def test_bad_files_do_not_keep_good_ones_out(mailproxy: Mailproxy, talks: Path) -> None:
    letter = talks / "letter.txt"
    letter.write_text("Dear Alice,\n")
    ran = mailproxy("import", str(letter), str(talks / "refused.talk"), str(talks / "nowhere.talk"), "--json")
    assert ran.code == 1
    assert [session["id"] for session in ran.json["sessions"]] == [5]
    assert ran.err.splitlines() == [
        f"mailproxy: {letter}: this is no recording; the formats are {KNOWN}",
        f"mailproxy: {talks / 'nowhere.talk'}: No such file or directory",
    ]


def test_a_format_that_is_none(mailproxy: Mailproxy, talks: Path) -> None:
    ran = mailproxy("import", "--format", "mbox", str(talks / "refused.talk"))
    assert (ran.code, ran.failure) == (1, f"'mbox' is no format: there is {KNOWN}")


def test_a_protocol_that_is_none(mailproxy: Mailproxy) -> None:
    ran = mailproxy("sessions", "--protocol", "imap")
    assert ran.code == 2
    assert "'imap' is none of smtp, lmtp, pop3, pop2" in ran.failure


def test_old_sessions_are_deleted(mailproxy: Mailproxy) -> None:
    mailproxy("import", "-", typed=REFUSED.replace("2026-11-21", "2999-11-21").encode())
    assert mailproxy("prune", "--older-than", "0s").lines[0].startswith("4 sessions deleted, ")
    assert [session["id"] for session in mailproxy("sessions", "--json").json["sessions"]] == [5]


def test_nothing_is_old_enough(mailproxy: Mailproxy) -> None:
    assert mailproxy("prune", "--older-than", "5200w", "--json").json == {"version": 1, "pruned": 0, "freed": 0}
    assert len(mailproxy("sessions").lines) == 4


def test_the_oldest_go_until_it_fits(mailproxy: Mailproxy) -> None:
    pruned = mailproxy("prune", "--max-size", "1", "--json").json
    assert pruned["pruned"] == 4
    assert mailproxy("sessions").lines == ["No session."]
    assert mailproxy("prune", "--max-size", "1G").lines == ["0 sessions deleted, 0 octets given back"]


def test_sessions_of_one_click_stand_together(mailproxy: Mailproxy) -> None:
    """Each once, and what is not of one click is parted by an empty line."""
    together = mailproxy("sessions", "--by-click").lines
    assert sorted(line.split()[0] for line in together if line) == ["1", "2", "3", "4"]
    assert "" in together
