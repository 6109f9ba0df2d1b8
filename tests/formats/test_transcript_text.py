"""The notation of a transcript, by examples that read as it does."""

from datetime import UTC, datetime

import pytest

from mailproxy.formats import talk
from mailproxy.formats.error import FormatError
from mailproxy.model.octets import Entry, Frame, Kind, Mark, Note, Origin, Side
from mailproxy.model.session import Ending, How, Leg, Recording, Session

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
CLIENT, SERVER = Side.CLIENT, Side.SERVER

SUBMISSION = r"""
# A comment, anywhere. The first other line names the protocol, and the port where it is known.
smtp 587
=== connected to mail.example.org (192.0.2.25)
<-  220 mail.example.org ESMTP
 -> EHLO [192.0.2.7]
<-  250-mail.example.org
<-  250 STARTTLS
 -> STARTTLS
<-  220 go ahead
=== TLS with the client: TLSv1.3, TLS_AES_256_GCM_SHA384
=== TLS with the server: TLSv1.3, TLS_AES_256_GCM_SHA384, certificate of mail.example.org
 ~> EHLO [192.0.2.7]
<~  250-mail.example.org
<~  250 AUTH PLAIN
 ~> AUTH PLAIN <secret: PLAIN, user alice, password 9 characters>
<~  535 5.7.8 authentication failed
*** closed by the client without QUIT
"""


def read(text: str) -> Recording:
    [recording] = talk.read(text.lstrip("\n"), "some.talk", NOW)
    return recording


def said(*lines: str) -> list[Frame]:
    """The frames of these lines."""
    return [entry for entry in read("\n".join(("smtp", *lines))).entries if isinstance(entry, Frame)]


def written(*entries: Entry, timing: bool = False, fold: bool = False) -> list[str]:
    """The lines for these entries, without the two that begin a transcript."""
    recording = Recording(Session(0, "smtp", NOW), entries)
    return list(talk.write(recording, timing=timing, fold=fold))[2:]


def client(octets: bytes, kind: Kind = Kind.SPEECH, at: int = 0, secure: bool = False) -> Frame:
    return Frame(CLIENT, octets, at, 0, len(octets), kind, secure=secure)


def server(octets: bytes, kind: Kind = Kind.SPEECH, at: int = 0, secure: bool = False) -> Frame:
    return Frame(SERVER, octets, at, 0, len(octets), kind, secure=secure)


def test_a_session_is_read() -> None:
    recording = read(SUBMISSION)
    session, entries = recording.session, recording.entries
    assert session.protocol == "smtp"
    assert session.upstream == "smtp://mail.example.org:587"
    assert session.server == Leg(SERVER, "mail.example.org", "192.0.2.25", 587, connected=0)
    assert session.client == Leg(CLIENT, connected=0, ending=Ending(CLIENT, How.CLOSED, 0))
    assert (session.started, session.duration, session.source) == (NOW, 0, "some.talk")
    assert entries[0] == Note(Mark.COMMENT, SUBMISSION.splitlines()[1][2:], 0)
    assert entries[2] == Frame(SERVER, b"220 mail.example.org ESMTP\r\n", 0, 0, 28)
    assert entries[3] == Frame(CLIENT, b"EHLO [192.0.2.7]\r\n", 0, 0, 18)
    assert entries[6] == Frame(CLIENT, b"STARTTLS\r\n", 0, 18, 10)
    assert entries[10] == Frame(CLIENT, b"EHLO [192.0.2.7]\r\n", 0, 28, 18, secure=True)
    assert entries[-1] == Note(Mark.TROUBLE, "closed by the client without QUIT", 0)


def test_a_session_is_written_as_it_was_read() -> None:
    comment, header, *rest = SUBMISSION.strip().splitlines()
    assert list(talk.write(read(SUBMISSION))) == ["# 2026-01-31T12:00:00.000000Z", header, comment, *rest]


def test_the_first_lines_say_which_session_it_is_and_are_read_back() -> None:
    session = Session(12, "pop3", NOW, "pop3://mail.example.org:110", Leg(CLIENT, "192.0.2.7", connected=0))
    lines = list(talk.write(Recording(session)))
    assert lines == ["# session 12, 2026-01-31T12:00:00.000000Z, client 192.0.2.7", "pop3 110"]
    [again] = talk.read("\n".join(lines), now=datetime.now(UTC))
    assert (again.session.id, again.session.started, again.session.client.host) == (12, NOW, "192.0.2.7")
    assert again.entries == ()


@pytest.mark.parametrize(
    ("line", "octets"),
    [
        (" -> NOOP", b"NOOP\r\n"),
        (r" -> NOOP\n", b"NOOP\n"),
        (r" -> NOOP\r", b"NOOP\r"),
        (" -> NOOP\\", b"NOOP"),
        (r" -> C:\\", b"C:\\\r\n"),
        (r" -> C:\\n", b"C:\\n\r\n"),
        (r" -> C:\\\n", b"C:\\\n"),
        (r" -> C:\\" + "\\", b"C:\\"),
        (r" -> a\x0db", b"a\rb\r\n"),
        (" -> Grüße", "Grüße\r\n".encode()),
        (r" -> \xff\x00", b"\xff\x00\r\n"),
        (" -> blank at the end ", b"blank at the end \r\n"),
        (" ->", b"\r\n"),
        (r" -> \x28message, 1 line, 3 octets)", b"(message, 1 line, 3 octets)\r\n"),
        (r" -> (message)", b"(message)\r\n"),
        (r" -> \n", b"\n"),
    ],
)
def test_a_line_keeps_every_octet(line: str, octets: bytes) -> None:
    assert [frame.octets for frame in said(line)] == [octets]
    assert written(client(octets)) == [line]


def test_what_people_write_by_hand_is_taken() -> None:
    assert [frame.octets for frame in said(" -> ", "<-", " ~>", r" -> EHLO me\r\n")] == [
        b"\r\n",
        b"\r\n",
        b"\r\n",
        b"EHLO me\r\n",
    ]


def test_a_line_waits_for_its_end() -> None:
    writer = talk.Writer()
    assert writer.entry(client(b"EH")) == []
    assert writer.entry(client(b"LO me\r")) == []
    assert list(map(talk.text, writer.entry(client(b"\nNO")))) == [" -> EHLO me"]
    assert list(map(talk.text, writer.finish())) == [" -> NO\\"]
    assert writer.finish() == []


def test_a_line_stays_open_when_the_other_side_speaks() -> None:
    assert written(client(b"RCPT TO:"), server(b"421 too slow\r\n"), client(b"<a@example.org>\r\n")) == [
        " -> RCPT TO:\\",
        "<-  421 too slow",
        " -> <a@example.org>",
    ]


def test_a_line_end_torn_by_the_other_side_is_kept() -> None:
    assert written(client(b"NOOP\r"), server(b"421\r\n"), client(b"\n")) == [r" -> NOOP\r", "<-  421", r" -> \n"]


def test_a_note_comes_between() -> None:
    assert written(client(b"QU"), Note(Mark.TROUBLE, "reset by the client", 0)) == [
        " -> QU\\",
        "*** reset by the client",
    ]


def test_a_line_is_torn_where_tls_begins() -> None:
    assert written(client(b"NO"), client(b"OP\r\n", secure=True)) == [" -> NO\\", " ~> OP"]


def test_a_very_long_line_is_broken_up_and_reads_back() -> None:
    octets = b"x" * (2 * talk.LONGEST + 5) + b"\r\n"
    lines = written(client(octets))
    assert [len(line) for line in lines] == [talk.LONGEST + 5, talk.LONGEST + 5, 9]
    assert b"".join(frame.octets for frame in said(*lines)) == octets
    assert written(*(client(octets[at : at + 1]) for at in range(len(octets)))) == lines


def test_a_withheld_secret_writes_nothing() -> None:
    assert written(Frame(CLIENT, b"", 0, 0, 12)) == []


@pytest.mark.parametrize(
    ("frame", "line"),
    [
        (Frame(CLIENT, b"", 0, 0, 14233, Kind.OMITTED), "... 14233 octets of the client left out"),
        (Frame(SERVER, b"", 0, 0, 1, Kind.OMITTED), "... 1 octet of the server left out"),
        (Frame(CLIENT, b"", 0, 0, 517, Kind.OPAQUE), "=== 517 octets of the client, not in clear"),
        (Frame(CLIENT, b"\xff\xfb\x1f", 0, 0, 3, Kind.TELNET), r"=== telnet from the client: \xff\xfb\x1f"),
        (Frame(SERVER, b"\xff\xfe\x1f", 0, 0, 3, Kind.TELNET, Origin.PROXY), r"=== telnet to the client: \xff\xfe\x1f"),
    ],
)
def test_octets_that_are_told_and_not_said(frame: Frame, line: str) -> None:
    assert written(frame) == [line]
    assert said(line) == [frame]


def test_octets_left_out_are_counted_together_and_stand_at_their_place() -> None:
    lines = [" ~> DATA", "<~  354 go", "... 3000 octets of the client left out", " ~> .", "<~  250 ok"]
    entries = [
        client(b"DATA\r\n", secure=True),
        server(b"354 go\r\n", secure=True),
        Frame(CLIENT, b"", 0, 6, 1000, Kind.OMITTED, secure=True),
        Frame(CLIENT, b"", 0, 1006, 2000, Kind.OMITTED, secure=True),
        client(b".\r\n", Kind.CONTENT, secure=True),
        server(b"250 ok\r\n", secure=True),
    ]
    assert written(*entries) == lines
    left_out, dot = said(*lines)[2:4]
    assert left_out == Frame(CLIENT, b"", 0, 6, 3000, Kind.OMITTED, secure=True)
    assert dot.start == 3006


def test_time_stands_in_a_column_or_does_not() -> None:
    entries = (server(b"220 hi\r\n", at=12_345_000), Note(Mark.FACT, "30 s pass", 12_345_678), client(b"", at=1))
    assert written(*entries, timing=True) == ["  12.345 <-  220 hi", "  12.346 === 30 s pass"]
    assert [entry.at for entry in read("smtp\n  12.345 <-  220 hi\n  13.000  -> QUIT\n").entries] == [
        12_345_000,
        13_000_000,
    ]


def test_time_passes_without_a_column_when_it_is_said_to() -> None:
    recording = read("smtp\n<-  220 hi\n=== 300 s pass\n*** timed out waiting for the client")
    session, entries = recording.session, recording.entries
    assert [entry.at for entry in entries] == [0, 0, 300_000_000]
    assert session.duration == 300_000_000
    assert session.client.ending == Ending(CLIENT, How.TIMED_OUT, 300_000_000)


def test_a_message_is_folded_as_soon_as_its_end_is_seen() -> None:
    writer = talk.Writer(fold=True)
    lines = [
        talk.text(line)
        for octets in (b"Subject: hi\r\n\r\n", b"..dot\r\n", b".\r", b"\n")
        for line in writer.entry(client(octets, Kind.CONTENT))
    ]
    assert lines == [" -> (message, 4 lines, 25 octets)"]
    assert writer.finish() == []


def test_an_empty_message_is_folded() -> None:
    assert written(client(b".\r\n", Kind.CONTENT), fold=True) == [" -> (message, 1 line, 3 octets)"]


def test_a_message_that_is_broken_off_says_so() -> None:
    assert written(client(b"Subject: hi\r\n", Kind.CONTENT), server(b"421 bye\r\n"), fold=True) == [
        " -> (message, 1 line, 13 octets so far)",
        "<-  421 bye",
    ]


def test_a_message_of_announced_length_is_whole_without_a_dot() -> None:
    assert written(
        client(b"BDAT 14 LAST\r\n"), client(b"Hi\r\n\r\nthere\r\n\r", Kind.CONTENT), server(b"250 ok\r\n"), fold=True
    ) == [" -> BDAT 14 LAST", " -> (message, 3 lines, 14 octets)", "<-  250 ok"]
    assert written(
        server(b"=2\r\n"), client(b"RETR\r\n"), server(b"Hi", Kind.CONTENT), client(b"ACKS\r\n"), fold=True
    ) == ["<-  =2", " -> RETR", "<-  (message, 0 lines, 2 octets)", " -> ACKS"]


def test_of_a_message_left_out_the_octets_are_told() -> None:
    assert written(Frame(CLIENT, b"", 0, 0, 9000, Kind.OMITTED), server(b"250 ok\r\n"), fold=True) == [
        " -> (message, 9000 octets)",
        "<-  250 ok",
    ]


def test_a_folded_message_is_read_as_octets_left_out() -> None:
    assert said(" ~> (message, 482 lines, 14233 octets)") == [
        Frame(CLIENT, b"", 0, 0, 14233, Kind.OMITTED, secure=True)
    ]


def test_speech_is_not_folded() -> None:
    assert written(server(b"+OK\r\n1 100\r\n.\r\n"), fold=True) == ["<-  +OK", "<-  1 100", "<-  ."]


def test_lines_know_who_spoke() -> None:
    writer = talk.Writer()
    [hello] = writer.entry(client(b"QUIT\r\n", at=5))
    [closed] = writer.entry(Note(Mark.TROUBLE, "closed by the server", 9))
    assert (hello.mark, hello.text, hello.at, hello.side) == (" -> ", "QUIT", 5, CLIENT)
    assert (closed.mark, closed.text, closed.at, closed.side) == ("*** ", "closed by the server", 9, None)


def test_the_client_connects_again() -> None:
    first, second = talk.read(
        "smtp 25\n=== connected to mail.example.org\n<-  450 later\n=== 60 s pass\n"
        "=== the client connects again\n=== connected\n<-  220 hi\n",
        now=NOW,
    )
    assert first.session.upstream == second.session.upstream == "smtp://mail.example.org:25"
    assert (second.session.started - first.session.started).total_seconds() == 60
    assert second.entries == (Note(Mark.FACT, "connected", 0), Frame(SERVER, b"220 hi\r\n", 0, 0, 8))


def test_another_header_begins_another_session() -> None:
    first, second = talk.read("smtp\n<-  220 hi\n# 2026-02-01T00:00:00Z\npop3 110\n<-  +OK\n", now=NOW)
    assert (first.session.protocol, second.session.protocol, second.session.server.port) == ("smtp", "pop3", 110)
    assert second.session.started == datetime(2026, 2, 1, tzinfo=UTC)
    assert second.entries == (Frame(SERVER, b"+OK\r\n", 0, 0, 5),)


@pytest.mark.parametrize(
    ("trouble", "client_ended", "server_ended"),
    [
        ("no such host", None, Ending(SERVER, How.NO_NAME, 0)),
        ("connection refused", None, Ending(SERVER, How.REFUSED, 0)),
        ("connection timed out", None, Ending(SERVER, How.TIMED_OUT, 0)),
        ("no route to host", None, Ending(SERVER, How.NO_ROUTE, 0)),
        ("closed by the server", None, Ending(SERVER, How.CLOSED, 0)),
        ("closed by the client", Ending(CLIENT, How.CLOSED, 0), None),
        ("reset by the server after 3 octets", None, Ending(SERVER, How.RESET, 0)),
        ("reset by the client", Ending(CLIENT, How.RESET, 0), None),
        ("timed out waiting for the server", None, Ending(SERVER, How.TIMED_OUT, 0)),
        ("TLS failed with the client: unknown_ca", Ending(CLIENT, How.FAILED, 0), None),
        ("TLS failed with the server: certificate has expired", None, Ending(SERVER, How.FAILED, 0)),
        ("cut off: mailproxy was stopped", Ending(None, How.CUT, 0), Ending(None, How.CUT, 0)),
        ("closed", None, None),
        ("eaten by a grue", None, None),
    ],
)
def test_trouble_ends_a_leg(trouble: str, client_ended: Ending | None, server_ended: Ending | None) -> None:
    recording = read(f"smtp 25\n*** {trouble}")
    session, entries = recording.session, recording.entries
    assert (session.client.ending, session.server.ending) == (client_ended, server_ended)
    assert session.server.connected is None
    assert entries == (Note(Mark.TROUBLE, trouble, 0),)


def test_the_other_side_may_close_too() -> None:
    session = read("smtp\n  1.000 *** closed by the client\n  2.000 === closed by the server too").session
    assert session.client.ending == Ending(CLIENT, How.CLOSED, 1_000_000)
    assert session.server.ending == Ending(SERVER, How.CLOSED, 2_000_000)


@pytest.mark.parametrize(
    ("fact", "upstream", "host", "address"),
    [
        ("connected to mail.example.org (192.0.2.25)", "smtp://mail.example.org:25", "mail.example.org", "192.0.2.25"),
        ("connected to mail.example.org:2525", "smtp://mail.example.org:2525", "mail.example.org", ""),
        ("Connected to mail.example.org.", "smtp://mail.example.org:25", "mail.example.org", ""),
        ("connected to [2001:db8::1]:24", "smtp://[2001:db8::1]:24", "2001:db8::1", ""),
        ("connected to mx.example.org (2001:db8::1)", "smtp://mx.example.org:25", "mx.example.org", "2001:db8::1"),
        ("connected to 2001:db8::1", "smtp://[2001:db8::1]:25", "2001:db8::1", ""),
        ("connected", "", "", ""),
    ],
)
def test_a_connection_names_the_server(fact: str, upstream: str, host: str, address: str) -> None:
    session = read(f"smtp 25\n=== {fact}").session
    assert (session.upstream, session.server.host, session.server.address) == (upstream, host, address)
    assert session.server.connected == 0


def test_files_of_any_editor_are_read() -> None:
    plain = read(SUBMISSION)
    assert read("\ufeff" + SUBMISSION.strip()) == plain
    assert read(SUBMISSION.lstrip().replace("\n", "\r\n")) == plain
    assert read(SUBMISSION.replace("\n", "\n\n").lstrip()) == plain


def test_comments_and_gaps_are_kept() -> None:
    assert read("smtp\n#\n#  two blanks\n...\n... the message").entries == (
        Note(Mark.COMMENT, "", 0),
        Note(Mark.COMMENT, " two blanks", 0),
        Note(Mark.GAP, "", 0),
        Note(Mark.GAP, "the message", 0),
    )


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("", ":1: ", "no protocol is named"),
        ("# only a comment\n", ":2: ", "write a line such as 'smtp 587'"),
        ("<-  220 hi\n", ":1: '<-  220 hi'", "no protocol is named before it"),
        ("Dear Alice,\n", ":1: 'Dear Alice,'", "write 'smtp 587' first"),
        ("smtp 99999\n", ":1: 'smtp 99999'", "no such port"),
        ("smtp\n<- 220 hi\n", ":2: '<- 220 hi'", "begin it with ' -> ' (client), '<-  ' (server)"),
        ("smtp\n\n# c\n-> EHLO\n", ":4: '-> EHLO'", "no mark"),
        ("smtp\n250 \x1b[31m\n", r":2: '250 \x1b[31m'", "no mark"),
        ("# 2026-13-31T12:00:00Z\nsmtp\n", ":1: ", "no such time"),
    ],
)
def test_a_bad_line_is_named(text: str, where: str, what: str) -> None:
    with pytest.raises(FormatError) as raised:
        talk.read(text, "some.talk", NOW)
    assert str(raised.value).startswith("some.talk" + where)
    assert what in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (SUBMISSION, True),
        ("# session 1, …\nsmtp 25\n", True),
        ("\ufeffpop3\r\n<-  +OK\r\n", True),
        ("smtp\n  12.345 <-  220 hi", True),
        ("smtp\n", False),
        ("hello\nworld wide\n", False),
        ("From alice Sat Jan 31\nSubject: hi\n", False),
        ('{"version": 1}', False),
        ("", False),
    ],
)
def test_a_transcript_is_recognised(text: str, known: bool) -> None:
    assert talk.recognise(text) is known
