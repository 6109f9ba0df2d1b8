"""The offer of TLS, taken out of a server's answer, and put into one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mailproxy.protocols import named
from mailproxy.protocols.pop3 import stls
from mailproxy.protocols.smtp import starttls

SMTP = {
    "in front": b"250-x\r\n250-STARTTLS\r\n250-SIZE 1\r\n250 8BITMIME\r\n",
    "in the middle": b"250-x\r\n250-SIZE 1\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
    "behind": b"250-x\r\n250-SIZE 1\r\n250-8BITMIME\r\n250 STARTTLS\r\n",
    "in small letters": b"250-x\r\n250-SIZE 1\r\n250-8BITMIME\r\n250 starttls\r\n",
    "with a blank": b"250-x\r\n250-SIZE 1\r\n250-STARTTLS \r\n250 8BITMIME\r\n",
    "with a parameter": b"250-x\r\n250-SIZE 1\r\n250-STARTTLS REQUIRED\r\n250 8BITMIME\r\n",
    "with bare line feeds": b"250-x\r\n250-SIZE 1\r\n250-STARTTLS\n250 8BITMIME\r\n",
    "twice": b"250-x\r\n250-STARTTLS\r\n250-SIZE 1\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
}
POP3 = {
    "in front": b"+OK\r\nSTLS\r\nTOP\r\nUIDL\r\n.\r\n",
    "in the middle": b"+OK\r\nTOP\r\nSTLS\r\nUIDL\r\n.\r\n",
    "behind": b"+OK\r\nTOP\r\nUIDL\r\nSTLS\r\n.\r\n",
    "in small letters": b"+OK\r\nTOP\r\nstls\r\nUIDL\r\n.\r\n",
    "with bare line feeds": b"+OK\r\nTOP\r\nSTLS\nUIDL\r\n.\r\n",
    "twice": b"+OK\r\nSTLS\r\nTOP\r\nSTLS\r\nUIDL\r\n.\r\n",
}
REST = [
    b"",
    b"250 2.1.0 Ok\r\n",
    b"250-STARTTLS\r\n250 STARTTLS\r\n",
    b"+OK\r\nSTLS\r\n.\r\n",
    b"\x16\x03\x01STLS",
    b"25",
]


@pytest.mark.parametrize("rest", REST)
@pytest.mark.parametrize("where", SMTP)
def test_starttls_is_hidden(where: str, rest: bytes) -> None:
    assert starttls.hide(SMTP[where] + rest) == b"250-x\r\n250-SIZE 1\r\n250 8BITMIME\r\n" + rest
    assert starttls.offer(SMTP[where] + rest) == SMTP[where] + rest


@pytest.mark.parametrize("rest", REST)
@pytest.mark.parametrize("where", POP3)
def test_stls_is_hidden(where: str, rest: bytes) -> None:
    assert stls.hide(POP3[where] + rest) == b"+OK\r\nTOP\r\nUIDL\r\n.\r\n" + rest
    assert stls.offer(POP3[where] + rest) == POP3[where] + rest


@pytest.mark.parametrize("rest", REST)
@pytest.mark.parametrize(
    ("answer", "offered"),
    [
        (b"250 x\r\n", b"250-x\r\n250 STARTTLS\r\n"),
        (b"250-x\r\n250 SIZE 1\r\n", b"250-x\r\n250-SIZE 1\r\n250 STARTTLS\r\n"),
        (b"250-x\n250 SIZE 1\n", b"250-x\n250-SIZE 1\n250 STARTTLS\r\n"),
        (b"250-x\r\n250\r\n", b"250-x\r\n250-\r\n250 STARTTLS\r\n"),
        (b"250\r\n", b"250-\r\n250 STARTTLS\r\n"),
        (b"250 STARTTLS\r\n", b"250-STARTTLS\r\n250 STARTTLS\r\n"),  # so the server is called
        (b"250-x\r\n250 XSTARTTLS\r\n", b"250-x\r\n250-XSTARTTLS\r\n250 STARTTLS\r\n"),
        (b"250-a\rb\r\n250 c\rd\r\n", b"250-a\rb\r\n250-c\rd\r\n250 STARTTLS\r\n"),
    ],
)
def test_starttls_is_offered(answer: bytes, offered: bytes, rest: bytes) -> None:
    assert starttls.offer(answer + rest) == offered + rest
    assert starttls.hide(answer + rest) == answer + rest


@pytest.mark.parametrize("rest", REST)
def test_stls_is_offered(rest: bytes) -> None:
    answer = b"+OK capabilities\r\nUSER\r\nIMPLEMENTATION a.b.c\r\n.\r\n"
    offered = b"+OK capabilities\r\nUSER\r\nIMPLEMENTATION a.b.c\r\nSTLS\r\n.\r\n"
    assert stls.offer(answer + rest) == offered + rest
    assert stls.hide(answer + rest) == answer + rest


@pytest.mark.parametrize(
    "answer",
    [
        *(b"502 STARTTLS\r\n", b"502-x\r\n502 STARTTLS\r\n", b"250-x\r\n250-STARTTLS\r\n", b"", b"2", b"\r\n"),
        *(b"250-x\r\n550 STARTTLS\r\n", b"500 what\r\n250-x\r\n250 STARTTLS\r\n", b"421 4.3.2 closing\r\n"),
    ],
)
def test_what_is_no_answer_of_smtp_is_left_alone(answer: bytes) -> None:
    assert starttls.hide(answer) == starttls.offer(answer) == answer


@pytest.mark.parametrize(
    "answer", [b"-ERR what\r\n", b"-ERR\r\nSTLS\r\n.\r\n", b"+OK\r\nSTLS\r\n", b"+OK\r\nSTLS\r\n..\r\n", b"", b"."]
)
def test_what_is_no_answer_of_pop3_is_left_alone(answer: bytes) -> None:
    assert stls.hide(answer) == stls.offer(answer) == answer


WORDS = some.sampled_from([b"250", b"-", b" ", b"\r\n", b"\n", b"\r", b"STARTTLS", b"STLS", b"+OK", b".", b"x"])
ANYTHING = some.lists(WORDS | some.binary(max_size=3), max_size=20).map(b"".join)
KEYWORD = some.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,9}( [!-~]{1,5})?", fullmatch=True).filter(
    lambda word: not re.match(r"STARTTLS|STLS", word, re.I)
)
KEYWORDS = some.lists(KEYWORD, min_size=1, max_size=8).map(lambda words: [word.encode() for word in words])


def ehlo(words: list[bytes]) -> bytes:
    return b"".join(b"250-" + word + b"\r\n" for word in words[:-1]) + b"250 " + words[-1] + b"\r\n"


def capa(words: list[bytes]) -> bytes:
    return b"+OK\r\n" + b"".join(word + b"\r\n" for word in words) + b".\r\n"


@given(KEYWORDS, ANYTHING)
def test_what_was_offered_can_be_hidden_again(words: list[bytes], rest: bytes) -> None:
    for way, answer in ((starttls, ehlo(words)), (stls, capa(words))):
        offered = way.offer(answer + rest)
        assert offered == way.offer(answer) + rest != answer + rest
        assert way.hide(offered) == way.hide(answer + rest) == answer + rest


@given(ANYTHING)
def test_any_octets_are_changed_once_at_most(octets: bytes) -> None:
    for way in (starttls, stls):
        for change in (way.hide, way.offer):
            once = change(octets)
            assert change(once) == once
            assert len(once) <= len(octets) + len(b"250 STARTTLS\r\n") + 1


@pytest.mark.parametrize("protocol", ["smtp", "lmtp", "pop3"])
def test_what_mailproxy_asks_is_what_it_looks_for(protocol: str) -> None:
    upgrading = named(protocol).upgrading
    assert upgrading is not None
    for name in ("localhost", "192.0.2.1", "2001:db8::1"):
        assert upgrading.hello(name).split()[0].decode() in upgrading.asks
        assert upgrading.hello(name).endswith(b"\r\n")
    assert upgrading.verb == named(protocol).dialogue.upgrade


def test_an_address_stands_in_brackets() -> None:
    hello = starttls.upgrading("EHLO").hello
    assert [hello("192.0.2.1"), hello("2001:db8::1"), hello("x")] == [
        b"EHLO [192.0.2.1]\r\n",
        b"EHLO [IPv6:2001:db8::1]\r\n",
        b"EHLO x\r\n",
    ]


@pytest.mark.parametrize(("protocol", "answer"), [("smtp", SMTP["behind"]), ("pop3", POP3["behind"])])
def test_whether_tls_is_offered(protocol: str, answer: bytes) -> None:
    upgrading = named(protocol).upgrading
    assert upgrading is not None
    assert upgrading.offered(answer)
    assert not upgrading.offered(upgrading.hide(answer))
