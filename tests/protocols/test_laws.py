"""What holds for any octets at all, on both sides, in any order and however they are cut."""

import base64
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailproxy.formats.talk_read import read as read_talk
from mailproxy.formats.talk_write import write as write_talk
from mailproxy.model.octets import Entry, Frame, Kind, Note, Side, Span
from mailproxy.model.session import Recording, Session
from mailproxy.protocols import PROTOCOLS, named
from mailproxy.protocols.dialogue import Dialogue
from mailproxy.protocols.reading import read
from mailproxy.protocols.turn import Keep, Terms
from tests.play import Script, hear, timeless

NAMES = [protocol.name for protocol in PROTOCOLS]
SERVERS_WORDS = b"220 |250 |250-|354 |334 |235 |421 |552 |+OK |-ERR |+ |=|#|- |=5".split(b"|")
CLIENTS_WORDS = b"LAST|PLAIN|LOGIN|5|1|0|alice|*|<secret: empty>|\xff\xfb\x18|\xff|\xff\xff|\xff\xfa\x18".split(b"|")
ENDS = b".|\r\n|\n|\r|\r\n.\r\n|\n.\n|\r\n\r\n|\x16\x03\x01|\0|\xc3\xa9".split(b"|")
VERBS = [verb + b" " for protocol in PROTOCOLS for verb in sorted(protocol.dialogue.known)]
WORDS = [*VERBS, *SERVERS_WORDS, *CLIENTS_WORDS, *ENDS]
octets = st.lists(st.sampled_from(WORDS) | st.binary(max_size=4), min_size=1, max_size=6).map(b"".join)
scripts = st.lists(st.tuples(st.sampled_from(Side), octets), max_size=12)
protocols = st.sampled_from(NAMES)


def cut(said: Script, size: int) -> Script:
    """The same octets in the same order, in pieces of a size."""
    return [(side, part[i : i + size]) for side, part in said for i in range(0, len(part), size)]


@given(protocols, scripts, st.integers(1, 5))
def test_what_one_peer_sent_is_what_the_other_got(protocol: str, said: Script, size: int) -> None:
    dialogue = named(protocol).dialogue()
    sent = {Side.CLIENT: bytearray(), Side.SERVER: bytearray()}
    got = {Side.CLIENT: bytearray(), Side.SERVER: bytearray()}
    telnet = bytearray()
    for side, part in cut(said, size):
        heard = dialogue.feed(side, part, 0)
        sent[side] += part
        got[side] += heard.forward
        telnet += b"".join(map(telnet_of_client, heard.entries))
    got[Side.CLIENT] += dialogue.close(Side.CLIENT, 0).forward
    assert got[Side.SERVER] == sent[Side.SERVER]
    if not telnet:
        assert got[Side.CLIENT] == sent[Side.CLIENT]
    else:
        assert len(got[Side.CLIENT]) + len(telnet) == len(sent[Side.CLIENT])


def telnet_of_client(entry: Entry) -> bytes:
    telnet = isinstance(entry, Frame) and entry.kind is Kind.TELNET and entry.side is Side.CLIENT
    return entry.octets if isinstance(entry, Frame) and telnet else b""


@given(protocols, scripts, st.sampled_from(Keep))
def test_each_octet_is_in_exactly_one_span(protocol: str, said: Script, content: Keep) -> None:
    entries, exchanges, _ = hear(protocol, said, Terms(content=content))
    assert not [entry for entry in entries if isinstance(entry, Note) and "could not read on" in entry.text]
    spans: list[Span] = []
    for each in exchanges:
        spans += [span for span in (each.command, each.content and each.content.span) if span]
        spans += each.extra
        spans += [reply.span for reply in each.replies]
    spans += [
        Span(entry.side, entry.start, entry.end)
        for entry in entries
        if isinstance(entry, Frame) and entry.kind is Kind.OPAQUE
    ]
    for side in Side:
        position = 0
        for span in sorted(span for span in spans if span.side is side and span.length):
            assert span.start == position, f"{side}: octets {position} to {span.start} are in no span or in two"
            position = span.end
        assert position == end_of(entries, side)


def end_of(entries: Sequence[Entry], side: Side) -> int:
    """Where the stream of a side ends; its frames follow one another without a gap."""
    position = 0
    for entry in entries:
        if isinstance(entry, Frame) and entry.side is side:
            assert entry.start == position
            position = entry.end
    return position


@given(protocols, scripts, st.integers(1, 7))
@example("smtp", [(Side.SERVER, b"220 x\r\n"), (Side.CLIENT, b"\xff\xfb\x18EHLO \xff\xff\r\n")], 1)
def test_how_octets_are_cut_changes_nothing_that_is_heard(protocol: str, said: Script, size: int) -> None:
    together = [(side, b"".join(part)) for side, part in runs(said)]
    _, exchanges, _ = hear(protocol, together)
    _, others, _ = hear(protocol, cut(together, size))
    assert timeless(others) == timeless(exchanges)


def runs(said: Script) -> list[tuple[Side, list[bytes]]]:
    """What each side says before the other speaks."""
    found: list[tuple[Side, list[bytes]]] = []
    for side, part in said:
        if not found or found[-1][0] is not side:
            found.append((side, []))
        found[-1][1].append(part)
    return found


@given(protocols, scripts, st.sampled_from([Terms(), Terms(secrets=True), Terms(content=Keep.NONE)]))
def test_what_is_heard_live_is_heard_again_from_the_record(protocol: str, said: Script, terms: Terms) -> None:
    entries, exchanges, _ = hear(protocol, said, terms)
    assert timeless(read(protocol, entries).exchanges) == timeless(exchanges)


@given(protocols, scripts)
def test_what_is_heard_live_is_heard_again_from_a_transcript(protocol: str, said: Script) -> None:
    from datetime import UTC, datetime

    entries, exchanges, _ = hear(protocol, said)
    session = Session(1, protocol, datetime.now(UTC))
    talk = "\n".join(write_talk(Recording(session, tuple(entries))))
    (again,) = read_talk(talk)
    assert timeless(read(protocol, again.entries).exchanges) == timeless(exchanges)


SECRET = "Tr0ub4dor&3"
CODED = base64.b64encode(SECRET.encode()).decode()
PLAIN = base64.b64encode(b"\0alice\0" + SECRET.encode()).decode()
SAID = {
    "pop3": [
        f"PASS {SECRET}\r\n",
        f"pass  {SECRET}\r\n",
        f"PASS:{SECRET}\n",
        f"pas {SECRET}\r\n",
        f"PSAS {SECRET}\r\n",
        f"PASS{SECRET}\r\n",
        f"USER alice {SECRET}\r\n",
        f"USER alice\r\n{SECRET}\r\n",
        f"APOP alice {SECRET}\r\n",
        f"AUTH PLAIN {PLAIN}\r\n",
        f"AUTH PLAIN\r\n{PLAIN}\r\n",
        f"AUTH {PLAIN}\r\n",
        f"auht plain {PLAIN}\r\n",
        f"AUTH LOGIN\r\n{CODED}\r\n{CODED}\r\n",
        f"RPOP {SECRET}\r\n",
        f"PASS {SECRET}",
        f"PASS {SECRET}\r\nSTAT\r\nQUIT\r\n",
    ],
    "smtp": [
        f"AUTH PLAIN {PLAIN}\r\n",
        f"AUTH LOGIN\r\n{CODED}\r\n",
        f"AUTH LOGIN\r\n{SECRET}\r\n",
        f"AUTH LOGIN {CODED}\r\n{CODED}\r\n",
        f"PASS {SECRET}\r\n",
        f"XCLIENT NAME=x LOGIN={SECRET}\r\n",
        f"LOGIN alice {SECRET}\r\n",
        f"EHLO x\r\nAUTH PLAIN\r\n{PLAIN}\r\nMAIL FROM:<a@x>\r\n",
    ],
    "pop2": [f"HELO alice {SECRET}\r\n", f"helo  alice  {SECRET}\r\n", f"HELO alice {SECRET}"],
}
ANSWERS = {
    "pop3": [b"+OK\r\n", b"+ \r\n", b"-ERR no\r\n"],
    "smtp": [b"250 ok\r\n", b"334 UGFzc3dvcmQ6\r\n", b"535 no\r\n"],
    "pop2": [b"#1\r\n", b"- no\r\n"],
}


@pytest.mark.parametrize("protocol", SAID)
@given(st.data())
def test_no_secret_is_recorded(protocol: str, data: st.DataObject) -> None:
    client = data.draw(st.sampled_from(SAID[protocol])).encode()
    size = data.draw(st.integers(1, 12))
    said: list[tuple[Side, bytes]] = [(Side.SERVER, b"+OK 220\r\n")]
    for i in range(0, len(client), size):
        said.append((Side.CLIENT, client[i : i + size]))
        if b"\n" in client[i : i + size]:
            line = client[: i + size].split(b"\n")[-2].strip()
            repeated = b'-ERR 500 what is "' + line + b'"?\r\n'
            said.append((Side.SERVER, data.draw(st.sampled_from([*ANSWERS[protocol], repeated, repeated[5:]]))))
    entries, exchanges, _ = hear(protocol, said)
    recorded = b"".join(entry.octets for entry in entries if isinstance(entry, Frame))
    for form in (SECRET, CODED, PLAIN):
        assert form.encode() not in recorded
        assert form not in repr(exchanges)


def test_secrets_are_kept_where_their_owner_wants_it() -> None:
    entries, _, _ = hear("pop3", [(Side.SERVER, b"+OK\r\n"), (Side.CLIENT, b"PASS hunter2\r\n")], Terms(secrets=True))
    assert b"PASS hunter2\r\n" in [entry.octets for entry in entries if isinstance(entry, Frame)]


@pytest.mark.parametrize("cut_at", range(1, 60))
def test_only_headers_are_kept_where_their_owner_wants_it(cut_at: int) -> None:
    message = b"Subject: x\r\nTo: y\r\n\r\nDear y,\r\n\r\n..private\r\n.\r\n"
    said: list[tuple[Side, bytes]] = [
        (Side.SERVER, b"220 x\r\n"),
        (Side.CLIENT, b"DATA\r\n"),
        (Side.SERVER, b"354 go\r\n"),
    ]
    said += [(Side.CLIENT, part) for part in (message[:cut_at], message[cut_at:]) if part]
    entries, exchanges, _ = hear("smtp", said, Terms(content=Keep.HEADERS))
    kept = [entry.octets for entry in entries if isinstance(entry, Frame) and entry.kind is Kind.CONTENT]
    assert b"".join(kept) == b"Subject: x\r\nTo: y\r\n\r\n\r\n.\r\n"
    content = exchanges[1].content
    assert content is not None
    assert content.span.length == len(message)


class Broken(Dialogue):
    """A reader with a bug."""

    def hear_client(self):  # type: ignore[no-untyped-def]
        yield from self.command_line()
        raise ZeroDivisionError

    def hear_server(self):  # type: ignore[no-untyped-def]
        while True:
            yield from self.server_line()


def test_a_reader_with_a_bug_loses_no_session() -> None:
    dialogue = Broken()
    said = [(Side.CLIENT, b"EHLO x\r\n"), (Side.SERVER, b"250 ok\r\n"), (Side.CLIENT, b"QUIT\r\n")]
    heard = [dialogue.feed(side, part, 0) for side, part in said]
    assert [each.forward for each in heard] == [part for _, part in said]
    assert "could not read on (ZeroDivisionError)" in str(heard[0].entries)
    assert [entry.wire for entry in heard[2].entries if isinstance(entry, Frame)] == [6]
