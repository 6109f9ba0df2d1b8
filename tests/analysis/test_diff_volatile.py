"""What is volatile is equal, whatever it is; what is not never is; and where all is to be seen, both are told."""

import string
from base64 import b64encode
from typing import Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as some

from mailproxy.analysis.diff import compare
from tests.analysis.test_diff import recording, told

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SEND: Final = """smtp 25
=== connected to mail.example.org (192.0.2.25)
<-  220 mail.example.org ESMTP {date}
 -> EHLO {name}
<-  250-mail.example.org Hello {name} [{address}]
<-  {capabilities}
 -> AUTH CRAM-MD5
<-  334 {challenge}
 -> <secret: CRAM-MD5, user alice>
<-  235 2.7.0 Authentication successful
 -> MAIL FROM:<alice@example.org>
<-  250 2.1.0 Ok
 -> RCPT TO:<bob@example.org>
<-  250 2.1.5 Ok, port {port}, session {session}
 -> DATA
<-  354 go on
 -> Date: {date}
 -> Message-ID: <{message}@{name}>
 -> Subject: hello
 -> MIME-Version: 1.0
 -> Content-Type: multipart/mixed; boundary="{boundary}"
 ->{blank}
 -> --{boundary}
 -> Content-Type: text/plain
 ->{blank}
 -> Hello
 -> --{boundary}--
 -> .
<-  250 2.0.0 Ok: queued as {queue}
 -> QUIT
<-  221 2.0.0 Bye
"""
FETCH: Final = """pop3 110
<-  +OK ready <{stamp}@pop.example.org>
 -> CAPA
<-  +OK
<-  {capabilities}
<-  .
 -> APOP alice <secret: 32 characters>
<-  +OK
 -> UIDL
<-  +OK
<-  1 {uid}
<-  .
 -> UIDL 1
<-  +OK 1 {uid}
 -> RETR 1
<-  +OK 18 octets
<-  Subject: x
<- {blank}
<-  Hi
<-  .
 -> QUIT
<-  +OK
"""


def words(alphabet: str, least: int, most: int) -> some.SearchStrategy[str]:
    return some.text(alphabet, min_size=least, max_size=most)


def spread(*letters: str) -> some.SearchStrategy[str]:
    """Lines of capabilities in some order."""
    return some.permutations(letters).map(lambda lines: "\n<-  ".join(lines))


def ended(lines: str) -> str:
    """The lines of a reply to EHLO: the last has no hyphen."""
    first, _, last = lines.rpartition("250-")
    return f"{first}250 {last}"


number = some.integers(0, 255)
dates = some.builds(
    "{:02} {} {} {:02}:{:02}:{:02} +0{}00".format,
    some.integers(1, 28), some.sampled_from(MONTHS), some.integers(1999, 2035),
    some.integers(0, 23), some.integers(0, 59), some.integers(0, 59), some.integers(0, 9),
)  # fmt: skip
KINDS: Final[dict[str, some.SearchStrategy[str]]] = {
    "date": dates,
    "name": some.builds(
        "{}.example.{}".format, words(string.ascii_lowercase, 3, 12), some.sampled_from(["net", "com"])
    ),
    "address": some.builds("{}.{}.{}.{}".format, number, number, number, number),
    "challenge": some.binary(min_size=24, max_size=40).map(lambda octets: b64encode(octets).decode()),
    "port": some.integers(1, 65535).map(str),
    "session": some.uuids().map(str),
    "message": some.builds("{}.{}".format, words(string.hexdigits, 6, 20), some.integers(1000, 999999)),
    "boundary": words(string.ascii_letters + string.digits + "=_.", 3, 40).filter(lambda each: not each.endswith(".")),
    "queue": words(string.ascii_letters + string.digits, 6, 16),
    "stamp": some.builds("{}.{}".format, some.integers(1, 99999), some.integers(10**8, 10**10)),
    "uid": words(string.ascii_letters + string.digits + "-_.:", 1, 40),
}
OFFERS: Final = spread("250-SIZE 1000", "250-STARTTLS", "250-AUTH CRAM-MD5", "250-8BITMIME").map(ended)
POP_OFFERS: Final = spread("UIDL", "TOP", "SASL PLAIN", "STLS")
ONE: Final = {
    "date": "24 Nov 2026 12:00:00 +0000",
    "name": "laptop.example.org",
    "address": "192.0.2.7",
    "challenge": "PDEyMzQuNTY3ODlAbWFpbC5leGFtcGxlLm9yZz4=",
    "port": "4025",
    "session": "5d1f0c9e-0b0a-4f7e-8d52-3c2b1a0f9e8d",
    "message": "20261124120000.12345",
    "boundary": "b1_frontier",
    "queue": "33EA221498E",
    "stamp": "1896.697170952",
    "uid": "aaaa1111",
    "blank": "",
}
SEND_CAPABILITIES: Final = "250-SIZE 1000\n<-  250-STARTTLS\n<-  250-AUTH CRAM-MD5\n<-  250 8BITMIME"
FETCH_CAPABILITIES: Final = "UIDL\n<-  TOP\n<-  SASL PLAIN\n<-  STLS"


def send(**changes: str) -> str:
    return SEND.format(**{**ONE, "capabilities": SEND_CAPABILITIES, **changes})


def fetch(**changes: str) -> str:
    return FETCH.format(**{**ONE, "capabilities": FETCH_CAPABILITIES, **changes})


@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if "{" + kind + "}" in SEND])
@given(data=some.data())
def test_what_is_volatile_in_sending(kind: str, data: some.DataObject) -> None:
    other = data.draw(KINDS[kind])
    assume(other != ONE[kind])
    assert told(send(), send(**{kind: other})) == []
    assert told(send(), send(**{kind: other}), strict=True)


@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if "{" + kind + "}" in FETCH])
@given(data=some.data())
def test_what_is_volatile_in_fetching(kind: str, data: some.DataObject) -> None:
    other = data.draw(KINDS[kind])
    assume(other != ONE[kind])
    assert told(fetch(), fetch(**{kind: other})) == []
    assert told(fetch(), fetch(**{kind: other}), strict=True)


@settings(max_examples=25, deadline=None)
@given(OFFERS, POP_OFFERS)
def test_the_order_of_capabilities(offers: str, pop_offers: str) -> None:
    assert told(send(), send(capabilities=offers)) == []
    assert told(fetch(), fetch(capabilities=pop_offers)) == []


@settings(max_examples=40, deadline=None)
@given(some.data())
def test_all_of_it_at_once(data: some.DataObject) -> None:
    changes = {kind: data.draw(each) for kind, each in KINDS.items()}
    assert told(send(), send(**changes, capabilities=data.draw(OFFERS))) == []
    assert told(fetch(), fetch(**changes, capabilities=data.draw(POP_OFFERS))) == []


MEANT: Final = {
    "a code": ("250 2.1.5 Ok", some.sampled_from(["251 2.1.5 Ok", "450 2.1.5 Ok", "550 2.1.5 Ok"])),
    "an enhanced code": (
        "250 2.1.0 Ok",
        some.builds("250 2.{}.{} Ok".format, some.integers(2, 7), some.integers(0, 99)),
    ),
    "a recipient": (
        "<bob@example.org>",
        some.builds(
            "<{}@{}.org>".format,
            words(string.ascii_lowercase + string.digits, 1, 12),
            words(string.ascii_lowercase, 1, 9),
        ),
    ),
    "a sender": (
        "<alice@example.org>",
        some.builds("<{}@example.org>".format, words(string.ascii_lowercase + string.digits + "-._", 1, 12)),
    ),
    "a limit of size": ("SIZE 1000", some.integers(0, 10**12).filter(lambda each: each != 1000).map("SIZE {}".format)),
    "a mechanism offered": (
        "250-AUTH CRAM-MD5",
        some.sampled_from(["250-AUTH PLAIN", "250-AUTH CRAM-MD5 PLAIN", "250-DSN"]),
    ),
    "a mechanism asked for": ("AUTH CRAM-MD5\n", some.sampled_from(["AUTH LOGIN\n", "AUTH DIGEST-MD5\n"])),
    "a user": (
        "user alice",
        words(string.ascii_lowercase, 1, 9).filter(lambda each: each != "alice").map("user {}".format),
    ),
    "a subject": (
        "Subject: hello",
        words(string.ascii_letters + " ", 1, 30).map(lambda each: f"Subject: x{each.rstrip()}"),
    ),
    "a text": (
        "\n -> Hello\n",
        words(string.ascii_letters, 1, 30).filter(lambda each: each != "Hello").map("\n -> {}\n".format),
    ),
}


@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("meant", MEANT)
@given(data=some.data())
def test_what_means_something_is_never_equal(meant: str, data: some.DataObject) -> None:
    said, others = MEANT[meant]
    other = data.draw(others)
    assert said in send()
    assume(other != said)
    found = compare(recording(send()), recording(send().replace(said, other, 1)))
    assert found.differences
    assert not found.equal


WORDS: Final = [
    ("OK 1732449600 x23-20020a056402414700b0053b1f1e1a2bsi1234567edb.12 - gsmtp",
     "OK 1732449999 y4-20020a17090b2f0800b002a1si7654321plb.99 - gsmtp"),
    ("[InternalId=12345, Hostname=AM6PR01MB0001.prod.example] 8123 bytes in 0.123, 64.5 KB/sec Queued",
     "[InternalId=99, Hostname=VI1PR07MB4444.prod.example] 99 bytes in 3.2, 2.5 KB/sec Queued"),
    ("OK id=1rABCd-000123-AB", "OK id=1tQWEr-00000009876-0Zyx"),
    ("ok 1732449600 qp 12345", "ok 1732449699 qp 991"),
    ("Ok. 0000000000001C52.000000005F1E0001.0000ABCD", "Ok. 0000000000009999.00000000AAAA0001.0000FFFF"),
    ("smtp-out-03.example.org ESMTP ready", "smtp-out-17.example.org ESMTP ready"),
    ("mail.example.org ESMTP (pid 12345)", "mail.example.org ESMTP (pid 231)"),
    ("Hello host-192-0-2-7.isp.example [192.0.2.7]", "Hello host-198-51-100-9.isp.example [198.51.100.9]"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), WORDS)
def test_what_servers_of_the_world_number_their_answers_with(one: str, other: str) -> None:
    said = "smtp\n<-  220 {}\n -> NOOP\n<-  250 {}\n"
    assert told(said.format(one, one), said.format(other, other)) == []
    assert told(said.format(one, one), said.format(other, other), strict=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Postfix v3.7.1", "Postfix v4.7.1"),
        ("mail.example.org ready", "mail.example.net ready"),
        ("mx1.example.org ready", "mx1.example.net ready"),
        ("limit 1000 exceeded", "limit 2000 exceeded"),
    ],
)
def test_words_that_mean_something(one: str, other: str) -> None:
    said = "smtp\n<-  220 mail\n -> NOOP\n<-  250 {}\n"
    assert told(said.format(one), said.format(other)) == ["The answer to NOOP has other words."]
