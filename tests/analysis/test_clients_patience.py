"""Programs that give up by themselves, each after its own time."""

import pytest

from mailproxy.analysis.clients.patience import PATIENCE
from mailproxy.analysis.clients.recognise import SIGNS
from mailproxy.analysis.diagnose import diagnose
from tests.analysis.cases import GREETING, POP, pop3, recorded, smtp

THUNDERBIRD = f"""{GREETING}
 -> EHLO [192.0.2.7]
<-  250-mail.example.org
<-  250 AUTH PLAIN
 -> AUTH PLAIN <secret: PLAIN, user alice, password 9 characters>
<-  235 2.7.0 welcome
 -> MAIL FROM:<alice@example.org> BODY=8BITMIME SIZE=400
<-  250 2.1.0 ok
 -> RCPT TO:<bob@example.net>"""
MSMTP = f"""{GREETING}
 -> EHLO localhost
<-  250-mail.example.org
<-  250 PIPELINING
 -> MAIL FROM:<alice@example.org>
<-  250 2.1.0 ok
 -> RCPT TO:<bob@example.net>
 -> DATA
<-  250 2.1.5 ok"""
FETCHMAIL = f"""{POP}
 -> CAPA
<-  +OK
<-  USER
<-  .
 -> USER alice
<-  +OK
 -> PASS <secret: 9 characters>
<-  +OK
 -> STAT
<-  +OK 1 22
 -> LIST 1
<-  +OK 1 22
 -> RETR 1"""
LEFT = "*** closed by the client without QUIT"


def findings(talk: str) -> list[str]:
    return [found.summary for found in diagnose(recorded(talk)).findings if found.rule == "client-timeout"]


def test_each_program_is_one_that_is_recognised() -> None:
    assert {each.program for each in PATIENCE} <= {sign.program for sign in SIGNS}


def test_each_row_says_where_it_is_set_and_who_says_so() -> None:
    assert all(each.setting and each.source for each in PATIENCE)


@pytest.mark.parametrize(
    ("talk", "says"),
    [
        (
            smtp(THUNDERBIRD, "=== 100 s pass", LEFT),
            "Thunderbird waited 100 s for the answer to RCPT and left: that is its own timeout, mailnews.tcptimeout "
            "(Config Editor): 100 s.",
        ),
        (
            pop3(FETCHMAIL, "=== 301 s pass", "*** reset by the client"),
            "fetchmail waited 301 s for the answer to RETR and left: that is its own timeout, timeout (--timeout): "
            "300 s.",
        ),
        (
            pop3(FETCHMAIL, "<-  +OK\n<-  Subject: Hello\n=== 300 s pass", LEFT),
            "fetchmail waited 300 s for the answer to RETR and left: that is its own timeout, timeout (--timeout): "
            "300 s.",
        ),
        (
            smtp(MSMTP, "=== 20 s pass", LEFT),
            "msmtp waited 20 s for the answer to DATA and left: it waits for ever unless timeout (--timeout) is set.",
        ),
    ],
    ids=["thunderbird", "fetchmail", "in the middle of a message", "for ever unless it is set"],
)
def test_a_program_gave_up(talk: str, says: str) -> None:
    assert findings(talk) == [says]


@pytest.mark.parametrize(
    "talk",
    [
        smtp(THUNDERBIRD, "=== 60 s pass", LEFT),
        smtp(THUNDERBIRD, "=== 100 s pass\n<-  250 2.1.5 ok", LEFT),
        smtp(THUNDERBIRD, "=== 100 s pass\n*** closed by the server"),
        smtp(THUNDERBIRD.replace("[192.0.2.7]", "client.example"), "=== 100 s pass", LEFT),
        smtp(MSMTP, "=== 1 s pass", LEFT),
    ],
    ids=["sooner", "it was answered", "the server left", "another program", "at once"],
)
def test_a_program_left_for_another_reason(talk: str) -> None:
    assert findings(talk) == []


def test_the_remedy_is_where_it_is_set() -> None:
    verdict = diagnose(recorded(smtp(THUNDERBIRD, "=== 100 s pass", LEFT)))
    assert (verdict.rule, verdict.remedy.split(",")[0]) == (
        "broken-off", "Raise mailnews.tcptimeout (Config Editor) in Thunderbird"
    )  # fmt: skip
