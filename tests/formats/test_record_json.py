"""Recordings as JSON and back, nothing lost."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from mailproxy.formats import record_json
from mailproxy.formats.error import FormatError
from mailproxy.model.exchange import Content, Exchange, Flag, Reply
from mailproxy.model.octets import Frame, Kind, Mark, Note, Origin, Side, Span
from mailproxy.model.session import Ending, How, Leg, Recording, Session
from tests.tls import FACTS, LEAF, facts

CLIENT, SERVER = Side.CLIENT, Side.SERVER
STARTED = datetime(2026, 1, 31, 12, 0, 0, 250_000, UTC)

SAMPLE = Recording(
    Session(
        12,
        "smtp",
        STARTED,
        "smtp://mail.example.org:25",
        Leg(CLIENT, "192.0.2.7", "192.0.2.7", 40000, connected=0, ending=Ending(CLIENT, How.CLOSED, 1_500_000)),
        Leg(SERVER, "mail.example.org", "192.0.2.25", 25, tls=FACTS),
        1_500_000,
    ),
    (
        Note(Mark.FACT, "connected", 1000),
        Frame(SERVER, b"220 2.0.0 hi\r\n", 2000, 0, 14),
        Frame(CLIENT, b"NOOP \xff\r\n", 3000, 0, 8),
        Frame(SERVER, b"250 2.0.0 ok\r\n", 4000, 14, 14),
    ),
    (
        Exchange(
            1,
            "NOOP",
            "\udcff",
            Span(CLIENT, 0, 8),
            3000,
            (Reply("250", "2.0.0", "ok", Span(SERVER, 14, 28), 4000),),
            flags=frozenset({Flag.EIGHT_BIT, Flag.EARLY}),
        ),
    ),
)

NUMBERS = some.integers(0, 2**40)
TIMES = some.integers(0, 10**14)
SIDES = some.sampled_from(Side)
TEXTS = some.text() | some.just("\udcff \ud800 \x1b")
SPANS = some.builds(Span, SIDES, NUMBERS, NUMBERS)
FRAMES = some.builds(
    Frame,
    SIDES,
    some.binary(),
    TIMES,
    NUMBERS,
    NUMBERS,
    some.sampled_from(Kind),
    some.sampled_from(Origin),
    some.booleans(),
)
NOTES = some.builds(Note, some.sampled_from(Mark), TEXTS, TIMES)
REPLIES = some.builds(Reply, TEXTS, TEXTS, TEXTS, SPANS, TIMES)
CONTENTS = some.builds(Content, SPANS, some.booleans(), some.none() | NUMBERS)
EXCHANGES = some.builds(
    Exchange,
    NUMBERS,
    TEXTS,
    TEXTS,
    some.none() | SPANS,
    TIMES,
    some.lists(REPLIES, max_size=2).map(tuple),
    some.none() | CONTENTS,
    some.lists(SPANS, max_size=2).map(tuple),
    some.frozensets(some.sampled_from(Flag), max_size=3),
)
ENDINGS = some.builds(Ending, some.none() | SIDES, some.sampled_from(How), TIMES)


def _leg(side: Side) -> some.SearchStrategy[Leg]:
    connected, ending = some.none() | TIMES, some.none() | ENDINGS
    secure = some.none() | facts(TEXTS)
    return some.builds(Leg, some.just(side), TEXTS, TEXTS, NUMBERS, TEXTS, NUMBERS, connected, ending, secure)


SESSIONS = some.builds(
    Session,
    NUMBERS,
    TEXTS,
    some.datetimes(datetime(2, 1, 1), datetime(9990, 1, 1), timezones=some.just(UTC)),
    TEXTS,
    _leg(CLIENT),
    _leg(SERVER),
    some.none() | TIMES,
    TEXTS,
    TEXTS,
    TEXTS,
    some.booleans(),
)
RECORDINGS = some.builds(
    Recording,
    SESSIONS,
    some.lists(FRAMES | NOTES, max_size=3).map(tuple),
    some.lists(EXCHANGES, max_size=2).map(tuple),
)


@settings(deadline=None)
@given(some.lists(RECORDINGS, max_size=2))
def test_any_recordings_come_back(recordings: list[Recording]) -> None:
    text = record_json.write(recordings)
    assert record_json.read(text) == recordings
    assert text.isascii()
    assert record_json.recognise(text)


def test_the_shape() -> None:
    [session] = json.loads(record_json.write([SAMPLE]))["sessions"]
    assert session["started"] == "2026-01-31T12:00:00.250000Z"
    assert session["duration"] == 1.5
    assert session["client"]["ending"] == {"by": "client", "how": "closed", "at": "2026-01-31T12:00:01.750000Z"}
    assert session["server"]["connected"] is None
    assert session["entries"][0] == {"mark": "===", "text": "connected", "at": "2026-01-31T12:00:00.251000Z"}
    assert session["entries"][2] == {
        "side": "client",
        "octets": r"NOOP \xff\x0d\x0a",
        "at": "2026-01-31T12:00:00.253000Z",
        "start": 0,
        "wire": 8,
        "kind": "speech",
        "origin": "peer",
        "secure": False,
    }
    [exchange] = session["exchanges"]
    assert [exchange[key] for key in ("verb", "code", "enhanced", "text")] == ["NOOP", "250", "2.0.0", "ok"]
    assert exchange["latency"] == 0.001
    assert exchange["command"] == {"side": "client", "start": 0, "end": 8}
    assert exchange["flags"] == ["8-bit", "early"]
    assert exchange["content"] is None


def test_what_tls_told_is_there() -> None:
    [session] = json.loads(record_json.write([SAMPLE]))["sessions"]
    assert session["client"]["tls"] is None
    told = session["server"]["tls"]
    chain = told.pop("chain")
    assert told == {
        "version": "TLSv1.3",
        "cipher": "TLS_AES_256_GCM_SHA384",
        "group": "X25519MLKEM768",
        "server_name": "mail.example.org",
        "alpn": "smtp",
        "offered": ["TLSv1.3", "TLSv1.2"],
        "offered_ciphers": ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"],
        "offered_alpn": ["smtp", "lmtp"],
        "fingerprint": "t13d0208sp_0123456789ab_0123456789ab",
        "checked": True,
        "faults": ["certificate has expired", "hostname mismatch"],
        "reason": "certificate has expired",
        "trouble": "",
    }
    assert [each["subject"] for each in chain] == ["CN=mail.example.org", "CN=Example Root,O=Example"]
    assert chain[0] == {
        "subject": "CN=mail.example.org",
        "issuer": "CN=Example Root,O=Example",
        "names": ["mail.example.org", "192.0.2.25"],
        "not_before": "2026-01-01T00:00:00.000000Z",
        "not_after": "2026-04-01T00:00:00.000000Z",
        "key": "EC P-256",
        "sha256": hashlib.sha256(LEAF.der).hexdigest(),
        "der": "MIIDbGVhZg==",
    }


def test_an_older_text_tells_of_no_tls() -> None:
    root = json.loads(record_json.write([SAMPLE]))
    for side in Side:
        del root["sessions"][0][side]["tls"]
    [recording] = record_json.read(json.dumps(root))
    assert recording.session == replace(SAMPLE.session, server=replace(SAMPLE.session.server, tls=None))


def test_the_header_stands_alone() -> None:
    text = record_json.write([SAMPLE], entries=False)
    [session] = json.loads(text)["sessions"]
    assert "entries" not in session
    assert "exchanges" not in session
    [certificate, *_] = session["server"]["tls"]["chain"]
    assert certificate["sha256"]
    assert "der" not in certificate
    assert "offered_ciphers" not in session["server"]["tls"]


def test_no_sessions() -> None:
    assert record_json.read(record_json.write([])) == []


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ('"version": 1', '"version": 2', "a.json:version: 2 is not known here; this is version 1"),
        ('"smtp"', "5", "a.json:sessions[0].protocol: '5' is not a string"),
        ('"kind": "speech"', '"kind": "song"', "a.json:sessions[0].entries[1].kind: 'song' is not one of speech, "),
        ('"secure": false', '"secure": 0', "a.json:sessions[0].entries[1].secure: '0' is not true or false"),
        ('"wire": 14', '"wire": -1', "a.json:sessions[0].entries[1].wire: '-1' is not a whole number"),
        ('"wire": 14', '"wire": true', "a.json:sessions[0].entries[1].wire: 'True' is not a whole number"),
        ('"wire": 14', '"fire": 14', "a.json:sessions[0].entries[1]: 'wire' is missing"),
        ('"220 ', '"\\ud800', "a.json:sessions[0].entries[1].octets: "),
        ("MIIDbGVhZg==", "?", "a.json:sessions[0].server.tls.chain[0].der: '?' is not octets in base64"),
        ("hostname mismatch", "bad", "a.json:sessions[0].server.tls.faults[1]: 'bad' is not one of certificate has ex"),
        ("2026-01-31T12:00:00.250000Z", "noon", "a.json:sessions[0].started: 'noon' is not a time such as 2026-01-31T"),
        ("00.250000Z", "00", "a.json:sessions[0].started: '2026-01-31T12:00:00' is not a time such as 2026-01-31T"),
        ('"duration": 1.5', '"duration": NaN', "a.json:sessions[0].duration: 'nan' is not a number of seconds"),
        ('"version": 1,', '"version": 1', "a.json:3: no JSON: Expecting ',' delimiter"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(old: str, new: str, error: str) -> None:
    text = record_json.write([SAMPLE])
    assert old in text
    with pytest.raises(FormatError) as raised:
        record_json.read(text.replace(old, new, 1), "a.json")
    assert str(raised.value).startswith(error)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"version": 1}', "smtp 25\n<-  220 hi\n", "[" * 99999])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        record_json.read(text)
    assert not record_json.recognise(text)


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(), lambda inner: some.lists(inner, max_size=2)
)


@settings(deadline=None)
@given(some.data())
def test_any_change_is_read_or_refused(data: some.DataObject) -> None:
    root = json.loads(record_json.write([SAMPLE]))
    node = root
    while isinstance(node, dict | list) and node:
        parent = node
        key = data.draw(some.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        node = parent[key]
        if data.draw(some.booleans()):
            break
    parent[key] = data.draw(JSON)
    refusal = ""
    try:
        record_json.read(json.dumps(root))
    except FormatError as error:
        refusal = str(error)
    assert refusal == "" or refusal.isprintable()
