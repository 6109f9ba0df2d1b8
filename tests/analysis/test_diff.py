"""Two sessions compared: what is volatile is equal, and each kind of difference is told."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mailproxy.analysis import habitual
from mailproxy.analysis.diff import Looked, compare
from mailproxy.analysis.legs import legs
from mailproxy.app.library import complete
from mailproxy.formats import talk
from mailproxy.model.session import Recording
from mailproxy.protocols.turn import Terms

GOOD: Final = """smtp 25
=== connected to mail.example.org (192.0.2.25)
<-  220 mail.example.org ESMTP Tue, 24 Nov 2026 12:00:00 +0000
 -> EHLO laptop.example.org
<-  250-mail.example.org Hello laptop.example.org [192.0.2.7]
<-  250-SIZE 10240000
<-  250-STARTTLS
<-  250 AUTH PLAIN LOGIN
 -> AUTH PLAIN <secret: PLAIN, user alice, password 9 characters>
<-  235 2.7.0 Authentication successful
 -> MAIL FROM:<alice@example.org> SIZE=300
<-  250 2.1.0 Ok
 -> RCPT TO:<bob@example.org>
<-  250 2.1.5 Ok
 -> DATA
<-  354 go on
 -> Date: Tue, 24 Nov 2026 12:00:00 +0000
 -> Message-ID: <1.2.3@laptop.example.org>
 -> Subject: hello
 -> MIME-Version: 1.0
 -> Content-Type: multipart/mixed; boundary="one"
 ->
 -> --one
 -> Content-Type: text/plain
 ->
 -> Hello
 -> --one
 -> Content-Type: application/pdf; name="a.pdf"
 -> Content-Transfer-Encoding: base64
 ->
 -> aGVsbG8=
 -> --one--
 -> .
<-  250 2.0.0 Ok: queued as 33EA221498E
 -> QUIT
<-  221 2.0.0 Bye
*** closed by the server
"""
FETCH: Final = """pop3 110
<-  +OK ready <1896.697170952@pop.example.org>
 -> CAPA
<-  +OK
<-  UIDL
<-  TOP
<-  .
 -> APOP alice <secret: 32 characters>
<-  +OK
 -> UIDL
<-  +OK
<-  1 aaaa1111
<-  2 bbbb2222
<-  .
 -> RETR 1
<-  +OK 18 octets
<-  Subject: x
<-
<-  Hi
<-  .
 -> QUIT
<-  +OK
"""
SECOND_TIME: Final = [
    ("Tue, 24 Nov 2026 12:00:00 +0000", "Thu, 3 Dec 2026 07:01:59 +0100"),
    ("laptop.example.org", "phone-7.example.net"),
    ("192.0.2.25", "2001:db8::25"),
    ("[192.0.2.7]", "[198.51.100.9]"),
    ("SIZE=300", "SIZE=4711"),
    ("1.2.3@", "9f8e7d@"),
    ('boundary="one"', 'boundary="two"'),
    ("--one", "--two"),
    ("33EA221498E", "4K0FZ25dfdz9rxw"),
]


def recording(text: str) -> Recording:
    (found,) = talk.read(text)
    return complete(found, "", Terms())


def told(good: str, bad: str, strict: bool = False) -> list[str]:
    """What differs, in words."""
    return [each.told for each in compare(recording(good), recording(bad), strict).differences]


def other(*changes: tuple[str, str], text: str = GOOD) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def test_a_second_run_is_equal() -> None:
    found = compare(recording(GOOD), recording(other(*SECOND_TIME)))
    assert found.differences == ()
    assert found.equal


@pytest.mark.parametrize("change", SECOND_TIME, ids=lambda change: change[0])
def test_what_is_volatile_differs_where_all_is_to_be_seen(change: tuple[str, str]) -> None:
    if "one" in change[0]:  # both or neither: else the parts have no end
        assert told(GOOD, other(*SECOND_TIME[6:8]), strict=True)
    else:
        assert told(GOOD, other(change), strict=True) or change[0] == "192.0.2.25"  # which no peer said


def test_capabilities_have_no_order() -> None:
    swapped = other(("250-SIZE 10240000\n<-  250-STARTTLS", "250-STARTTLS\n<-  250-SIZE 10240000"))
    assert told(GOOD, swapped) == []
    assert told(GOOD, other(("AUTH PLAIN LOGIN", "AUTH LOGIN PLAIN"))) == []


def test_a_second_fetch_is_equal() -> None:
    second = other(
        ("1896.697170952@", "77.800000001@"), ("aaaa1111", "cccc3333"), ("bbbb2222", "dddd4444"),
        ("UIDL\n<-  TOP", "TOP\n<-  UIDL"), text=FETCH,
    )  # fmt: skip
    assert told(FETCH, second) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("250-STARTTLS\n<-  ", ""), ["STARTTLS is not offered."]),
        (("SIZE 10240000", "SIZE 1000"), ["SIZE is offered otherwise."]),
        (("<-  250-SIZE", "<-  250-DSN\n<-  250-SIZE"), ["DSN is offered in the bad session only."]),
        (("9 characters", "10 characters, blank at the end"), ["AUTH was said otherwise."]),
        (("user alice", "user bob"), ["AUTH was said otherwise."]),
        (("RCPT TO:<bob@example.org>", "RCPT TO:<bob2@example.org>"), ["RCPT was said otherwise."]),
        (("250 2.1.5 Ok", "550 5.1.1 no such user"), ["RCPT was answered 550, and 250 in the good session."]),
        (("250 2.1.5 Ok", "250 2.1.5 Recipient is fine"), ["The answer to RCPT has other words."]),
        (("Subject: hello", "Subject: good bye"), ["The field subject differs."]),
        ((" -> Message-ID: <1.2.3@laptop.example.org>\n", ""), ["The field message-id is on one side only."]),
        (("aGVsbG8=", "aGVsbG9v"), ["A part of the message differs."]),
        (("a.pdf", "b.pdf"), ["A part of the message differs."]),
        ((" -> QUIT\n<-  221 2.0.0 Bye\n", ""), ["QUIT is missing in the bad session.",
                                                         "In the bad session only: closed by the server."]),
        ((" -> QUIT", " -> NOOP\n<-  250 2.0.0 Ok\n -> QUIT"), ["NOOP is in the bad session only."]),
        (("closed by the server", "reset by the server"), ["In the bad session only: reset by the server."]),
        (("*** closed by the server", "*** closed"), []),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else None,
)  # fmt: skip
def test_what_is_told(change: tuple[str, str], what: list[str]) -> None:
    assert told(GOOD, other(change)) == what


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "DIGEST-MD5", "NTLM", "GSSAPI", "XOAUTH2"])
def test_nonces_and_tokens_come_in_any_length(mechanism: str) -> None:
    plain = "PLAIN <secret: PLAIN, user alice, password 9 characters>"
    one, two = (other((plain, f"{mechanism} <secret: {mechanism}, {octets} octets>")) for octets in (38, 40))
    assert told(one, two) == []
    assert told(one, two, strict=True) == ["AUTH was said otherwise."]


def test_a_greeting_that_is_missing_is_called_so() -> None:
    assert told(GOOD, "smtp 25\n*** connection refused\n")[0] == "The greeting is missing in the bad session."


def test_a_command_that_is_tried_again() -> None:
    twice = other(
        (" -> MAIL FROM", " -> MAIL FROM:<alice@example.org> SIZE=300\n<-  451 4.3.0 later\n -> MAIL FROM"),
    )
    assert told(GOOD, twice) == ["MAIL was answered 451, and 250 in the good session.", "MAIL is said once more."]


def test_what_is_missing_in_a_record_is_no_difference() -> None:
    login = " -> AUTH PLAIN <secret: PLAIN, user alice, password 9 characters>\n<-  235 2.7.0 Authentication successful"
    excerpt = other((login, "..."))
    assert told(GOOD, excerpt) == []
    assert told(excerpt, GOOD) == []


def test_the_time_that_answers_took() -> None:
    quick = "smtp\n  0.000 <-  220 mail\n  0.100  -> NOOP\n  0.110 <-  250 Ok\n  0.120  -> QUIT\n  0.130 <-  221 Bye\n"
    slow = quick.replace("0.110", "9.110").replace("0.120", "9.120").replace("0.130", "9.130")
    found = compare(recording(quick), recording(slow), timing=True)
    assert [each.told for each in found.differences] == [
        "The answer to NOOP took 9.010 s, and 0.010 s in the good session."
    ]
    assert found.equal, "time alone makes no difference"
    assert compare(recording(quick), recording(slow)).differences == ()


def test_against_the_habitual_course() -> None:
    """What one of the good sessions has as well is none of the bad one's own."""
    bad = other(("250 2.1.5 Ok", "550 5.1.1 no such user"), ("SIZE 10240000", "SIZE 1000"))
    goods = [Looked(recording(GOOD)), Looked(recording(other(("SIZE 10240000", "SIZE 1000"))))]
    found = habitual.against(goods, Looked(recording(bad)))
    assert [each.told for each in found.differences] == ["RCPT was answered 550, and 250 in the good session."]
    assert found.deciding
    assert found.deciding.bad == "550 5.1.1 no such user"


def test_a_refusal_that_no_good_session_has_counts_though_one_of_them_asked_for_nothing() -> None:
    login = (
        " -> AUTH PLAIN <secret: PLAIN, user alice, password 9 characters>\n<-  235 2.7.0 Authentication successful\n"
    )
    bad = Looked(recording(other(("235 2.7.0 Authentication successful", "535 5.7.8 wrong password"))))
    goods = [Looked(recording(GOOD)), Looked(recording(other((login, ""))))]
    for found in (habitual.against(goods, bad), habitual.against(goods[::-1], bad)):
        assert [each.told for each in found.differences] == ["AUTH was answered 535, and 235 in the good session."]
        assert found.deciding
        assert found.deciding.bad == "535 5.7.8 wrong password"


def test_the_legs_of_a_session_in_which_mailproxy_did_nothing() -> None:
    found = legs(recording(GOOD))
    assert [(each.side, each.proxy) for each in found.carried] == [("client", 0), ("server", 0)]
    assert found.acts == ()


def test_the_legs_of_a_session_in_which_it_acted() -> None:
    acted = recording(GOOD.replace("<-  220", "=== mailproxy asks the server for TLS, with STARTTLS\n<-  220", 1))
    assert [act.text for act in legs(acted).acts] == ["mailproxy asks the server for TLS, with STARTTLS"]


SAID: Final = [
    " -> NOOP", "<-  250 Ok", " -> MAIL FROM:<a@b.c>", "<-  354 x", " -> DATA", "...", "*** closed", " -> .",
    "<-  550 no", " -> \\xff\\x00", "=== TLS", " ~> RSET", "<~  421 bye",
]  # fmt: skip
lines = some.lists(some.sampled_from(SAID), max_size=12)


@given(lines, lines)
def test_any_two_sessions_can_be_compared(good: list[str], bad: list[str]) -> None:
    one, two = (recording("\n".join(["smtp", *each]) + "\n") for each in (good, bad))
    found = compare(one, two, strict=True, timing=True)
    assert [row.good for row in found.rows if row.good] == sorted(one.exchanges, key=lambda each: each.number)
    assert compare(one, one).differences == ()
    assert (found.deciding is None) is (found.differences == ())
