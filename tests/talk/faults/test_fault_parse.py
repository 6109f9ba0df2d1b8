"""Faults as they are written."""

import pytest

from mailproxy.model.octets import Side
from mailproxy.protocols import PROTOCOLS
from mailproxy.talk.faults import FAULTS
from mailproxy.talk.faults.answer import Answer
from mailproxy.talk.faults.fault import FaultError, Kind, Place, When, Where
from mailproxy.talk.faults.orders import Hand
from mailproxy.talk.faults.parse import parse
from mailproxy.talk.faults.sessions import Faults

WHERES = {
    "at RCPT 2 close": Where(Place.COMMAND, "RCPT", 2),
    "AT rcpt CLOSE": Where(Place.COMMAND, "RCPT"),
    "after DATA close": Where(Place.COMMAND, "DATA", after=True),
    "at connect reset": Where(Place.CONNECT),
    "at greeting close": Where(Place.GREETING),
    "at content close": Where(Place.CONTENT),
    "at content 3 close after 17 octets": Where(Place.CONTENT, "", 3, octets=17),
    "at octet 9 close": Where(Place.OCTET, "", 9),
    "at octet 9 of client close": Where(Place.OCTET, "", 9, Side.CLIENT),
    "no last LF": Where(Place.CONTENT),
    "slice 1, 2": Where(),
}
WHENS = {
    "first 3": When(first=3),
    "one in 20": When(one_in=20),
    "after 2 messages": When(messages=2),
    "above 4 connections": When(connections=4),
    "above 0 connections": When(connections=0),
    "from session 2": When(since=2),
    "in session 2": When(since=2, until=2),
    "first 1 after 1 message": When(first=1, messages=1),
}


@pytest.mark.parametrize("text", WHERES)
def test_where(text: str) -> None:
    assert parse(text).where == WHERES[text]


@pytest.mark.parametrize("text", WHENS)
def test_when(text: str) -> None:
    fault = parse(f"at RCPT answer 452 4.5.3 no {text}")
    assert fault.when == WHENS[text]
    assert fault.what == Answer(b"452 4.5.3 no\r\n")


def test_what_is_quoted_is_no_when() -> None:
    assert parse('at RCPT answer "450 not the first 3" first 2').what == Answer(b"450 not the first 3\r\n")


WRONG = {
    "": "no fault: ''; write [at WHERE] WHAT [WHEN], where WHAT is one of answer, drop,",
    "at RCPT 2": "no fault: '';",
    "explode": "no fault: 'explode';",
    "answer 250": "answer where? write at VERB|greeting|content answer REPLY: at RCPT 2 answer 452",
    "at RCPT answer": "answer what? write the reply",
    "at connect answer 220": "'answer' does not stand there; write at VERB",
    "at RCPT 0 close": "counted from 1",
    "close": "close where? write",
    "at RCPT close now": "nothing stands behind 'close': 'now'",
    "after connect close": "'close' does not stand there",
    "at EHLO delay soon": "delay for how many seconds? 'soon' is none: write delay 5",
    "delay inf": "delay for how many seconds?",
    "throttle 0": "throttle how many octets? '0' is no number",
    "slice 1 every": "slice 1 every for how many seconds? '' is none",
    "slice 1 every now": "slice 1 every for how many seconds? 'now' is none: write slice 1 every 5",
    "slice 1,,2": "slice how many octets? '' is no number",
    "wrong count many": "wrong count by how many octets? 'many'",
    "wrong count 0": "wrong count by how many octets? '0'",
    "alert loud": "no alert: 'loud'; write alert and one of close_notify",
    "hide": "hide what?",
    "add": "add what?",
    "octets behind": "octets behind: which?",
    "broken multi-line twice": "broken multi-line is followed by nothing or by codes",
    "at RCPT refuse tls": "'refuse tls' does not stand there",
    "at RCPT close first 0": "counted from 1: 'first 0'",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(FaultError) as error:
        parse(text)
    assert str(error.value).startswith(WRONG[text])
    assert "\n" not in str(error.value)


def test_a_protocol_knows_its_verbs_and_its_faults() -> None:
    parse("at RCPT close", "smtp")
    for text, protocol, why in (
        ("at RCTP close", "smtp", "smtp knows no RCTP: write one of ATRN"),
        ("at RCPT close", "pop3", "pop3 knows no RCPT"),
        ("unstuffed dot", "smtp", "smtp knows no 'unstuffed dot'"),
        ("broken multi-line", "pop3", "pop3 knows no 'broken multi-line'"),
        ("strip tls", "pop2", "pop2 knows no 'strip tls'"),
        ("alert internal_error", "pop2", "pop2 knows no 'alert'"),
        ("unstuffed dot", "pop2", "pop2 knows no 'unstuffed dot'"),
        (
            "at PASS answer blah",
            "pop3",
            r"that is no reply of pop3: write one like -ERR \[IN-USE\] Mailbox locked, or any",
        ),
        ("at QUIT answer -ERR no", "smtp", "that is no reply of smtp: write one like 452 4.5.3 Too many recipients"),
        ("at QUIT answer 221 bye", "pop2", "that is no reply of pop2: write one like - Not now"),
        ("at greeting answer 4210 no", "lmtp", "that is no reply of lmtp: write one like 452 4.2.2 Mailbox full"),
        ("at content answer -ERR no", "pop3", "pop3 hands messages out, and answers none"),
        ("at content code only", "pop2", "pop2 hands messages out, and answers none"),
        ("at RCPT hide SIZE", "smtp", "RCPT is not answered by capabilities: write at EHLO or at LHLO, or no place"),
        ("at STAT add UIDL", "pop3", "STAT is not answered by capabilities: write at CAPA, or no place"),
    ):
        parse(text)
        with pytest.raises(FaultError, match=why):
            parse(text, protocol)


def test_what_is_quoted_need_be_no_reply() -> None:
    assert parse('at PASS answer "blah"', "pop3").what == Answer(b"blah\r\n")
    assert parse(r"at EHLO answer 250-mx\n250 AUTH PLAIN", "smtp").what == Answer(b"250-mx\r\n250 AUTH PLAIN\r\n")


def test_a_session_has_the_faults_of_its_protocol() -> None:
    faults = Faults((parse("at QUIT answer 421 no"), parse("at QUIT answer -ERR no")))
    for protocol, hello, reply in (("smtp", b"220 mx", b"421 no"), ("pop3", b"+OK", b"-ERR no")):
        spoiler = faults.session(protocol)
        spoiler.said(hello + b"\r\n")
        assert [each for each in spoiler.asked(b"QUIT\r\n") if isinstance(each, Hand)] == [
            Hand(reply + b"\r\n", own=True)
        ]


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.name)
def test_each_kind_has_an_example_of_itself(kind: Kind) -> None:
    fault = parse(kind.example)
    assert fault.where.place in kind.places
    assert f" {kind.name}" in f" {kind.syntax}"
    assert f" {kind.name}" in f" {kind.example}"
    known = [p for p in PROTOCOLS if kind.fits(p) and (fault.where.verb.encode() or b"") in {b"", *p.dialogue.known}]
    assert known
    parse(kind.example, known[0].name)
