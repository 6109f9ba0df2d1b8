"""What `--fault` had mailproxy do is told first, and then what it would mean if a server had done it."""

from typing import Final

import pytest

from mailproxy.analysis.diagnose import diagnose
from mailproxy.analysis.diff import compare
from mailproxy.model.finding import Blame, Outcome, Stage

from .cases import ENVELOPE, HELLO, LOGGED_IN, MAIL, MESSAGE, recorded, smtp

BY: Final = '(--fault "at RCPT answer 452 4.5.3 Too many")'
REFUSED: Final = f""" -> RCPT TO:<bob@example.net>
=== fault: RCPT 1 answered 452 4.5.3 Too many by mailproxy, the server was not asked {BY}
<-  452 4.5.3 Too many"""
UNKNOWN: Final = """ -> RCPT TO:<gone@example.net>
<-  550 5.1.1 no such user"""
CLOSED: Final = """=== fault: connection closed by mailproxy behind RCPT 1 (--fault "after RCPT close")
*** closed by the server"""
FAILED: Final = "*** TLS failed with the client: alert bad_record_mac from mailproxy: a fault that was asked for"
TOLD: Final = "=== fault: alert bad_record_mac sent by mailproxy in TLS with the client"
ALERT: Final = f"""{TOLD} (--fault "alert bad_record_mac")
{FAILED}"""
SLOW: Final = '=== fault: delay of 35 s by mailproxy before RCPT 1 (--fault "at RCPT delay 35")'
LEFT: Final = "*** closed by the client without QUIT"
QUIT: Final = " -> QUIT\n<-  221 bye"
GOOD: Final = recorded(smtp(HELLO, LOGGED_IN, ENVELOPE, MESSAGE, " -> .\n<-  250 ok", QUIT))


def test_a_refusal_that_no_server_gave() -> None:
    verdict = diagnose(recorded(smtp(HELLO, LOGGED_IN, MAIL, REFUSED, QUIT)))
    assert (verdict.outcome, verdict.stage, verdict.blame) == (Outcome.FAILED, Stage.RCPT, Blame.NONE)
    assert verdict.summary == (
        'mailproxy itself did this by --fault "at RCPT answer 452 4.5.3 Too many": RCPT 1 answered 452 4.5.3 Too many '
        "by mailproxy, the server was not asked. Of a server it would mean: The server takes only so many messages or "
        "recipients at a time from this client."
    )
    assert [other.blame for other in verdict.also_possible] == [Blame.SERVER_POLICY]
    assert verdict.remedy.startswith("Leave the fault out. If a server does it: Send fewer")
    assert "fault-injected" not in [each.rule for each in verdict.findings]


@pytest.mark.parametrize(
    ("said", "rule"),
    [((HELLO, LOGGED_IN, ENVELOPE, CLOSED), "after RCPT close"), ((ALERT,), "alert bad_record_mac")],
)
def test_an_end_that_mailproxy_made(said: tuple[str, ...], rule: str) -> None:
    verdict = diagnose(recorded(smtp(*said)))
    assert verdict.summary.startswith(f'mailproxy itself did this by --fault "{rule}": ')
    assert verdict.blame is Blame.NONE


def test_a_refusal_is_the_servers_though_mailproxy_ended_the_session() -> None:
    verdict = diagnose(recorded(smtp(HELLO, LOGGED_IN, MAIL, UNKNOWN, CLOSED)))
    assert verdict.blame is not Blame.NONE
    assert verdict.summary.startswith('Before this, mailproxy did this by --fault "after RCPT close": ')
    assert "That may be why: " in verdict.summary


def test_what_may_have_led_there() -> None:
    verdict = diagnose(recorded(smtp(HELLO, LOGGED_IN, MAIL, SLOW, " -> RCPT TO:<bob@example.net>", LEFT)))
    assert verdict.summary.startswith('Before this, mailproxy did this by --fault "at RCPT delay 35": delay of 35 s ')
    assert verdict.evidence[0].note is not None


def test_what_went_well_is_only_pointed_out() -> None:
    verdict = diagnose(recorded(smtp(HELLO, SLOW, LOGGED_IN, ENVELOPE, MESSAGE, " -> .\n<-  250 ok", QUIT)))
    assert (verdict.outcome, verdict.summary) == (Outcome.OK, "1 message was sent.")
    assert "fault-injected" in [each.rule for each in verdict.findings]


def test_a_difference_that_mailproxy_made() -> None:
    found = compare(GOOD, recorded(smtp(HELLO, LOGGED_IN, MAIL, REFUSED, QUIT)))
    assert found.deciding
    assert found.deciding.told == (
        'mailproxy itself did this by --fault "at RCPT answer 452 4.5.3 Too many": RCPT 1 answered 452 4.5.3 Too many '
        "by mailproxy, the server was not asked. RCPT was answered 452, and 250 in the good session."
    )
    missing = next(each for each in found.differences if each.verb == "DATA")
    assert missing.told == "DATA is missing in the bad session."


def test_an_end_that_mailproxy_made_differs() -> None:
    found = compare(GOOD, recorded(smtp(HELLO, LOGGED_IN, ENVELOPE, CLOSED)))
    ending = next(each for each in found.around if each.bad.startswith("closed by the server"))
    assert ending.told.startswith('mailproxy itself did this by --fault "after RCPT close": ')
