"""SOCKS as clients speak it: whole, octet by octet, torn, with more behind it, broken off; and what is no SOCKS."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.model.session import How
from mailproxy.wire.socks import Code, Heard, Kind, Reception, Refused, Request, reply

FAILED = "05 01 00 01 00000000 0000"
NAME = "0b" + b"example.org".hex()
REJECTED = "00 5b 0000 00000000"


class Case(NamedTuple):
    """What a client says, what it is answered, and what it asks for, or why it is refused."""

    said: str
    answered: str
    outcome: Request | str


ASKED = {
    "IPv4": Case("050100 05010001 c0000207 0019", "0500", Request("192.0.2.7", 25, Kind.IPV4)),
    "IPv6": Case(
        "050100 05010004 20010db8000000000000000000000007 03e3", "0500", Request("2001:db8::7", 995, Kind.IPV6)
    ),
    "a name": Case(f"050100 05010003{NAME} 006e", "0500", Request("example.org", 110, Kind.NAME)),
    "a name in UTF-8": Case(
        "050100 05010003" + b"\x0bb\xc3\xbccher.org".hex() + "006e", "0500", Request("bücher.org", 110, Kind.NAME)
    ),
    "the longest name": Case(
        "050100 05010003ff" + (b"a." * 127 + b"a").hex() + "ffff", "0500", Request("a." * 127 + "a", 65535, Kind.NAME)
    ),
    "an address written as a name": Case(
        "050100 05010003" + b"\x09127.0.0.1".hex() + "0019", "0500", Request("127.0.0.1", 25, Kind.IPV4)
    ),
    "an address in brackets": Case(
        "050100 05010003" + b"\x05[::1]".hex() + "0019", "0500", Request("::1", 25, Kind.IPV6)
    ),
    "many methods": Case(f"0503020001 05010003{NAME} 006e", "0500", Request("example.org", 110, Kind.NAME)),
    "user and password": Case(
        f"050102 01 05 {b'alice'.hex()} 05 {b'xyzzy'.hex()} 05010003{NAME} 006e",
        "0502 0100",
        Request("example.org", 110, Kind.NAME),
    ),
    "no user and no password": Case(
        f"05020102 010000 05010003{NAME} 006e", "0502 0100", Request("example.org", 110, Kind.NAME)
    ),
    "SOCKS4": Case("0401 0019 c0000207" + b"alice\0".hex(), "", Request("192.0.2.7", 25, Kind.IPV4, 4)),
    "SOCKS4 without a user": Case("0401 0019 c0000207 00", "", Request("192.0.2.7", 25, Kind.IPV4, 4)),
    "SOCKS4A": Case("0401 0019 00000001" + b"alice\0example.org\0".hex(), "", Request("example.org", 25, Kind.NAME, 4)),
}
REFUSED = {
    "no method": Case("0500", "05ff", "SOCKS5 with a method of authentication that is not known here; use none"),
    "GSSAPI only": Case("050101", "05ff", "SOCKS5 with a method of authentication that is not known here; use none"),
    "BIND": Case("050100 05020001 c0000207 0019", f"0500 {'05 07 00 01 00000000 0000'}", "command 2 is not served"),
    "UDP ASSOCIATE": Case(
        f"050100 05030003{NAME} 0019", f"0500 {'05 07 00 01 00000000 0000'}", "command 3 is not served"
    ),
    "an unknown kind of address": Case("050100 05010002", "0500 05 08 00 01 00000000 0000", "address type 2"),
    "no name": Case("050100 0501000300 0019", f"0500 {FAILED}", "no host name"),
    "a name with a NUL": Case("050100 0501000303 610062 0019", f"0500 {FAILED}", "no host name"),
    "a name with a space": Case("050100 0501000303 612062 0019", f"0500 {FAILED}", "no host name"),
    "a name with an empty label": Case("050100 0501000304 612e2e62 0019", f"0500 {FAILED}", "no host name"),
    "a name that is no UTF-8": Case("050100 0501000302 61ff 0019", f"0500 {FAILED}", "no host name"),
    "a name that turns the screen around": Case("050100 0501000304 61e280ae 0019", f"0500 {FAILED}", "no host name"),
    "an address with a scope": Case("050100 0501000305 3a3a312501 0019", f"0500 {FAILED}", "no host name"),
    "another version behind the greeting": Case("050100 04010001", f"0500 {FAILED}", "another version than 5"),
    "another form of user and password": Case("050102 0200", "0502 0101", "RFC 1929"),
    "SOCKS4 BIND": Case("0402 0019 c0000207 00", REJECTED, "command 2 is not served"),
    "SOCKS4A without a name": Case("0401 0019 00000001 0000", REJECTED, "no host name"),
    "SOCKS4 with a user without end": Case("0401 0019 c0000207" + "61" * 256, REJECTED, "longer than 256 octets"),
    "SOCKS4A with a name without end": Case("0401 0019 00000001 00" + "61" * 256, REJECTED, "no host name"),
    "TLS": Case("160301", "", "a TLS handshake is no SOCKS: enter it in the program as SOCKS v5 host"),
    "SSH": Case(b"SSH-".hex(), "", "SSH is no SOCKS"),
    "mail": Case(b"E".hex(), "", "what was said is no SOCKS"),
}
CASES = ASKED | REFUSED
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
asked = pytest.mark.parametrize("case", ASKED.values(), ids=ASKED)
refused = pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)


def heard(parts: Sequence[bytes]) -> Heard:
    """All that a client is answered which says these parts, what came of it, and what was left over."""
    client = Reception()
    answer, outcome, leftover = b"", None, b""
    for part in parts:
        step = client.feed(part)
        assert step.outcome is None or outcome is None
        answer, outcome, leftover = answer + step.answer, outcome or step.outcome, leftover + step.leftover
    return Heard(answer, outcome, leftover)


def check(told: Heard, case: Case, leftover: bytes = b"") -> None:
    assert told.answer == bytes.fromhex(case.answered)
    match case.outcome:
        case Request():
            assert told.outcome == case.outcome
        case reason:
            assert isinstance(told.outcome, Refused)
            assert reason in told.outcome.reason
    assert told.leftover == leftover


@cases
def test_a_request_that_comes_at_once(case: Case) -> None:
    check(heard([bytes.fromhex(case.said)]), case)


@cases
def test_a_request_that_comes_octet_by_octet(case: Case) -> None:
    check(heard([bytes((octet,)) for octet in bytes.fromhex(case.said)]), case)


@cases
def test_a_request_that_is_torn_anywhere(case: Case) -> None:
    said = bytes.fromhex(case.said)
    for at in range(len(said) + 1):
        check(heard([said[:at], said[at:]]), case)


@cases
def test_what_comes_with_the_request_is_left_over(case: Case) -> None:
    said = bytes.fromhex(case.said) + b"EHLO client.example.org\r\n"
    check(heard([said]), case, b"EHLO client.example.org\r\n" if isinstance(case.outcome, Request) else b"")


@asked
def test_what_comes_later_is_left_over_too(case: Case) -> None:
    check(heard([bytes.fromhex(case.said), b"\x05\x01\x00", b"QUIT\r\n"]), case, b"\x05\x01\x00QUIT\r\n")


@asked
def test_a_client_that_ends_before_it_has_asked_is_refused(case: Case) -> None:
    said = bytes.fromhex(case.said)
    for at in range(len(said)):
        client = Reception()
        before = client.feed(said[:at])
        assert before.outcome is None
        told = client.give_up("closed before it asked")
        assert told == Heard(told.answer, Refused("closed before it asked"))
        assert client.feed(b"more") == Heard(b"")
        assert client.give_up("again") == Heard(b"")


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        ("", ""),
        ("05", "05ff"),
        ("050100", FAILED),
        ("050102 0105", "0101"),
        ("050102 010000", FAILED),
        ("0401", REJECTED),
        (b"GE".hex(), ""),
    ],
)
def test_one_that_is_given_up_is_told_so_in_the_words_of_where_it_stands(said: str, answered: str) -> None:
    client = Reception()
    client.feed(bytes.fromhex(said))
    assert client.give_up("too slow").answer == bytes.fromhex(answered)


def test_a_program_that_takes_it_for_an_http_proxy_is_told_in_http() -> None:
    told = heard([b"CONNECT mail.example.org:995 HTTP/1.1\r\n\r\n"])
    assert told.outcome == Refused("HTTP is no SOCKS: enter it in the program as SOCKS v5 host")
    head, _, body = told.answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 501 ")
    assert b"Content-Length: %d\r\n" % len(body) in head
    assert b"speaks SOCKS, not HTTP" in body


def test_neither_user_nor_password_is_kept() -> None:
    client = Reception()
    client.feed(b"\x05\x01\x02")
    for octet in b"\x01\x05alice\x05xyzzy":
        client.feed(bytes((octet,)))
    assert client.feed(b"").answer == b""
    assert b"xyzzy" not in client._buffer
    assert client.feed(b"\x05\x01\x00\x01\x7f\0\0\1\0\x19") == Heard(b"", Request("127.0.0.1", 25, Kind.IPV4))


@given(st.lists(st.binary(max_size=40)))
def test_any_octets_are_heard_and_come_to_the_same_however_they_are_cut(parts: list[bytes]) -> None:
    assert heard(parts) == heard([b"".join(parts)])


@given(st.sampled_from(list(CASES)), st.integers(0, 300), st.binary(max_size=600))
def test_requests_that_go_wrong_anywhere_raise_nothing(name: str, at: int, rest: bytes) -> None:
    said = bytes.fromhex(CASES[name].said)[:at] + rest
    whole = heard([said])
    assert whole == heard([bytes((octet,)) for octet in said])
    assert said.endswith(whole.leftover)


@given(st.binary(max_size=2000))
def test_while_it_waits_it_holds_little(octets: bytes) -> None:
    for opening in (b"\x05", b"\x04\x01", b"\x05\x01\x02\x01", b""):
        client = Reception()
        if client.feed(opening + octets).outcome is None:
            assert len(client._buffer) < 512


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (None, 0),
        (How.FAILED, 1),
        (Code.NOT_ALLOWED, 2),
        (How.NO_ROUTE, 3),
        (How.TIMED_OUT, 4),
        (How.NO_NAME, 4),
        (How.REFUSED, 5),
        (How.CUT, 1),
    ],
)
def test_a_reply_says_what_became_of_the_connection(how: How | Code | None, code: int) -> None:
    assert reply(how) == bytes((5, code, 0, 1, 0, 0, 0, 0, 0, 0))
    assert reply(how, version=4)[:2] == bytes((0, 91 if code else 90))


def test_a_reply_says_where_the_connection_goes_out_from() -> None:
    assert reply(None, "192.0.2.7", 258) == bytes.fromhex("05 00 00 01 c0000207 0102")
    assert reply(None, "2001:db8::7", 258) == bytes.fromhex("05 00 00 04 20010db8000000000000000000000007 0102")
    assert reply(None, "fe80::1%eth0", 1) == bytes.fromhex("05 00 00 04 fe800000000000000000000000000001 0001")
    assert reply(None, "192.0.2.7", 258, 4) == bytes.fromhex("00 5a 0102 c0000207")
    assert reply(None, "2001:db8::7", 258, 4) == bytes.fromhex("00 5a 0102 00000000")


@pytest.mark.parametrize(
    "said", [b"GET /ca.pem HTTP/1.1\r\nHost: x\r\n\r\n", b"HEAD / HTTP/1.0\n", b"GET /" + b"x" * 9000]
)
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_a_browser_is_shown_a_page(said: bytes, step: int) -> None:
    asked: list[bytes] = []

    def page(request: bytes) -> bytes:
        asked.append(request)
        return b"HTTP/1.1 200 OK\r\n\r\nthe page"

    client = Reception(page)
    heard = [client.feed(said[at : at + step]) for at in range(0, len(said), step)]
    assert b"".join(each.answer for each in heard) == b"HTTP/1.1 200 OK\r\n\r\nthe page"
    assert [each.outcome for each in heard if each.outcome] == [Refused("")]
    assert len(asked) == 1
    assert said.startswith(asked[0])
