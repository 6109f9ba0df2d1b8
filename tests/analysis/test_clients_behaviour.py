"""What is told of Thunderbird's behaviours, on transcripts; tests/whole/test_thunderbird_rules.py asks Thunderbird."""

import pytest

from mailproxy.analysis.clients.behaviour import pattern
from mailproxy.analysis.clients.thunderbird import BEHAVIOURS, shown
from mailproxy.app.library import complete
from mailproxy.formats import talk_read
from mailproxy.model.session import Recording
from mailproxy.model.stream import Streams
from mailproxy.protocols.turn import MASKED

GREYLISTED = """
smtp 587
<-  220 mail.example.org ESMTP
 -> EHLO [192.0.2.7]
<-  250-mail.example.org
<-  250 AUTH PLAIN
 -> AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=
<-  235 2.7.0 Welcome
 -> MAIL FROM:<alice@example.org> BODY=8BITMIME
<-  451 4.7.1 greylisted
*** closed by the client
"""

SENT = """
smtp 587
<-  220 mail.example.org ESMTP
 -> EHLO [192.0.2.7]
<-  250 mail.example.org
 -> MAIL FROM:<alice@example.org>
<-  250 fine
 -> RCPT TO:<bob@example.net>
<-  250 fine
 -> DATA
<-  354 go on
 -> Subject: Lunch
 ->
 -> .
<-  250 queued
 -> QUIT
<-  221 bye
*** closed by the server
"""

FETCHED = """
pop3 110
<-  +OK ready
 -> CAPA
<-  +OK
<-  USER
<-  .
 -> USER alice
<-  +OK
 -> PASS wonderland
<-  +OK
 -> STAT
<-  +OK 1 40
 -> RETR 1
<-  +OK
<-  Subject: Lunch
<-
<-  .
 -> QUIT
<-  +OK bye
*** closed by the server
"""


def recording(talk: str) -> Recording:
    """The recording that a transcript holds."""
    (found,) = talk_read.read(talk.lstrip())
    return complete(found, "a test", MASKED)


def ids(talk: str) -> list[str]:
    """What Thunderbird makes of a transcript."""
    return [each.id.removeprefix("thunderbird-") for each, _ in shown(recording(talk))]


def test_a_451_to_mail_is_shown_as_too_many_recipients() -> None:
    found = recording(GREYLISTED)
    [(behaviour, evidence)] = shown(found)
    assert behaviour.id == "thunderbird-smtp-mail-too-many"
    assert "exceeding the allowed number of recipients" in behaviour.shows
    streams = Streams(found.entries)
    said = [streams.octets(each.span) for each in evidence if each.span]
    assert said == [b"MAIL FROM:<alice@example.org> BODY=8BITMIME\r\n", b"451 4.7.1 greylisted\r\n"]


def test_the_note_is_a_proof_too() -> None:
    found = recording(SENT.split(" -> QUIT")[0].replace("<-  250 queued\n", "*** reset by the server\n"))
    [(behaviour, evidence)] = shown(found)
    assert behaviour.id == "thunderbird-smtp-reset"
    assert [found.entries[each.note] for each in evidence if each.note is not None] == [found.entries[-1]]


@pytest.mark.parametrize("talk", [SENT, FETCHED])
def test_of_what_went_well_nothing_is_told(talk: str) -> None:
    assert ids(talk) == []


@pytest.mark.parametrize(
    ("talk", "said", "instead", "told"),
    [
        (SENT, "250 queued", "250", ["smtp-code-only"]),
        (SENT, "<-  250 queued\n -> QUIT\n<-  221 bye\n", "", ["smtp-closed"]),
        (SENT, "250 queued", "451 later", ["smtp-message-refused"]),
        (FETCHED, "+OK ready", r"+OK ready\n", ["pop3-greeting-lf"]),
        (FETCHED, "<-  .\n -> QUIT\n<-  +OK bye\n", "", ["pop3-closed"]),
        (FETCHED, "<-  .\n -> QUIT\n<-  +OK bye\n", "<-  .\n<-  \n", ["pop3-octets-behind-end"]),
        (FETCHED, "<-  .\n -> QUIT\n<-  +OK bye\n*** closed by the server", r"<-  .\r", ["pop3-end-without-lf"]),
    ],
)
def test_what_is_told_hangs_on_few_octets(talk: str, said: str, instead: str, told: list[str]) -> None:
    assert ids(talk) == []
    head, found, tail = talk.rpartition(said)
    assert found
    assert ids(head + instead + tail) == told


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("[AUTH] no", "pop3-login-refused"),
        ("no", "pop3-login-refused"),
        ("[IN-USE] locked", "pop3-login-not-the-password"),
        ("[SYS/TEMP] later", "pop3-login-not-the-password"),
        ("[LOGIN-DELAY] wait", "pop3-login-not-the-password"),
    ],
)
def test_a_refused_login_need_not_be_the_password(code: str, told: str) -> None:
    first, *_ = ids(FETCHED.split("<-  +OK\n -> STAT")[0] + f"<-  -ERR {code}\n")
    assert first == told


@pytest.mark.parametrize("prompt", ["dXNlcm5hbWU6", "VXNlcm5hbWU=", "vXNLCM5HBWU6", "VXNlcm5hbWU6AA=="])
def test_the_prompt_of_a_login_is_wanted_to_the_letter(prompt: str) -> None:
    head = GREYLISTED.split("<-  250 AUTH PLAIN")[0] + "<-  250 AUTH LOGIN\n -> AUTH LOGIN\n"
    assert ids(f"{head}<-  334 {prompt}\n") == ["smtp-login-prompt"]
    assert ids(f"{head}<-  334 VXNlcm5hbWU6\n") == []


def test_a_dialog_is_recognised_however_it_is_wrapped() -> None:
    shows = "The mail server responded: {reply}. Please {check} and try again."
    said = "the mail server responded:\n550 no.  Really.\nPlease check it and\ttry again."
    found = pattern(shows).search(said)
    assert found
    assert found["reply"] == "550 no.  Really"
    assert pattern("It responded: {reply}").search("It responded: a b")["reply"] == "a b"  # type: ignore[index]
    assert pattern("It said {code}.").search("It said 250.")
    assert not pattern("It said {code}.").search("It said no.")


def test_each_behaviour_has_a_name_of_its_own_and_says_what_to_do() -> None:
    assert len({each.id for each in BEHAVIOURS}) == len(BEHAVIOURS)
    assert all(each.means and each.remedy and each.version for each in BEHAVIOURS)
