"""`mailproxy lookup`, on recordings that were imported."""

from pathlib import Path

import pytest

from tests.cli.command import Mailproxy
from tests.cli.test_cli_library import REFUSED, SENT, WRONG

GREYLISTED = """
# session 4, 2026-11-23T08:00:00.000000Z, client 192.0.2.7
smtp 587
=== connected to mail.example.org (192.0.2.25)
<-  220 mail.example.org ESMTP
 -> EHLO [192.0.2.7]
<-  250 mail.example.org
 -> MAIL FROM:<alice@example.org>
<-  451 4.7.1 come back later
 -> QUIT
<-  221 bye
*** closed by the server
""".lstrip()

LOCKED = WRONG.replace("session 3", "session 5").replace("-ERR [AUTH] no", "-ERR [IN-USE] locked")
DROPPED = REFUSED.split(" -> RCPT")[0].replace("session 2", "session 6") + "*** closed by the server\n"
TLS = """
# session 7, 2026-11-24T08:00:00.000000Z, client 192.0.2.7
smtp 465
=== connected to mail.example.org (192.0.2.25)
*** TLS failed with the client: alert unknown_ca from the client
""".lstrip()

TOO_MANY = (
    "Sending of the message failed.\n"
    "The message was not sent due to exceeding the allowed number of recipients. The server responded: come back later."
)


@pytest.fixture(autouse=True)
def imported(tmp_path: Path, mailproxy: Mailproxy) -> None:
    """The database has, from 1 on: sent, refused, wrong, greylisted, locked, dropped, TLS."""
    for number, talk in enumerate((SENT, REFUSED, WRONG, GREYLISTED, LOCKED, DROPPED, TLS), 1):
        path = tmp_path / f"{number}.talk"
        path.write_text(talk, encoding="utf-8")
        assert mailproxy("import", str(path)).code == 0


@pytest.mark.parametrize(
    ("asked", "names", "sessions"),
    [
        ("0x800CCC0F", ["0x800CCC0F CONNECTION_DROPPED"], [6, 5, 4, 3, 2]),
        ("reported error (0x800ccc92): rejected", ["0x800CCC92 POP3_INVALID_PASSWORD"], [5, 3]),
        ("0x800CCC17", ["0x800CCC17 USER_CANCEL"], []),
        ("451", ["451"], [4]),
        ("4.7.1", ["4.7.1"], [4]),
        ("550 5.7.1 no", ["5.7.1", "550"], [2]),
        ("[IN-USE]", ["[IN-USE]"], [5]),
        ("in-use", ["[IN-USE]"], [5]),
        ("-ERR [AUTH] no", ["[AUTH]"], [3]),
        ("unknown_ca", ["unknown_ca (48)"], [7]),
        ("ssl.SSLError: [SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca", ["unknown_ca (48)"], [7]),
        ("WRONG_VERSION_NUMBER", ["WRONG_VERSION_NUMBER"], []),
        ("The mail server responded: Relay access denied.", ["Relay access denied"], [2]),
    ],
)
def test_codes_are_put_in_words(asked: str, names: list[str], sessions: list[int], mailproxy: Mailproxy) -> None:
    told = mailproxy("lookup", "--json", "--", asked).json
    assert told["asked"] == asked
    assert [each["name"] for each in told["answers"]] == names
    assert [each["id"] for each in told["sessions"]] == sessions
    assert all(each["means"] and each["source"] for each in told["answers"])


def test_a_dialog_is_traced_to_what_was_said(mailproxy: Mailproxy) -> None:
    told = mailproxy("lookup", TOO_MANY, "--json").json
    [answer] = told["answers"]
    assert "has nothing to do with it" in answer["means"]
    assert answer["source"].endswith("(thunderbird-smtp-mail-too-many)")
    assert [each["id"] for each in told["sessions"]] == [4]


def test_a_part_of_a_dialog_will_do(mailproxy: Mailproxy) -> None:
    told = mailproxy("lookup", "exceeding the allowed", "number of recipients", "--json").json
    assert [each["id"] for each in told["sessions"]] == [4]


def test_a_dialog_with_several_causes_has_them_all(mailproxy: Mailproxy) -> None:
    told = mailproxy("lookup", "Login to server pop.example.org with username alice failed.", "--json").json
    sources = " ".join(each["source"] for each in told["answers"])
    assert "thunderbird-pop3-login-not-the-password" in sources
    assert "thunderbird-pop3-login-refused" in sources
    assert [each["id"] for each in told["sessions"]] == [5, 3]


def test_the_server_s_words_in_a_dialog_say_which_session_it_was(mailproxy: Mailproxy) -> None:
    dialog = (
        "An error occurred while sending mail. The mail server responded:\n<bob@example.net>: Relay access denied.\n"
        'Please check the message recipient "bob@example.net" and try again.'
    )
    told = mailproxy("lookup", dialog, "--json").json
    assert any("Nobody logged in" in each["means"] for each in told["answers"])
    assert [each["id"] for each in told["sessions"]] == [2]


def test_what_nobody_knows_is_looked_for_in_what_was_said(mailproxy: Mailproxy) -> None:
    ran = mailproxy("lookup", "relay access")
    assert ran.lines[0] == "Nothing is known of this. Try a part of it: a code, or the words of the server."
    assert ran.lines[2] == "It was said in these sessions, the newest first:"
    assert ran.lines[3].startswith("2  ")
    assert ran.lines[-1] == "See one: mailproxy show 2"


def test_it_is_told_in_plain_words(mailproxy: Mailproxy) -> None:
    ran = mailproxy("lookup", "[IN-USE]")
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[:3] == [
        "POP3 response code: [IN-USE]",
        "  Another session has the mailbox open; the password may be right.",
        "  Source: RFC 2449 section 8.1.2",
    ]
    assert ran.lines[4] == "Recorded sessions that have it, the newest first:"
    assert ran.lines[5].endswith("pop3  failed: PASS: -ERR [IN-USE] locked")


def test_where_no_session_has_it_that_is_said(mailproxy: Mailproxy) -> None:
    assert mailproxy("lookup", "5.2.2").lines[-1] == "No recorded session has it."


def test_ten_sessions_are_enough(tmp_path: Path, mailproxy: Mailproxy) -> None:
    path = tmp_path / "again.talk"
    path.write_text(GREYLISTED, encoding="utf-8")
    for _ in range(11):
        mailproxy("import", str(path))
    for asked in ("451", TOO_MANY):
        assert [each["id"] for each in mailproxy("lookup", asked, "--json").json["sessions"]] == list(range(18, 8, -1))


def test_what_is_asked_harms_no_terminal(mailproxy: Mailproxy) -> None:
    ran = mailproxy("lookup", "The server responded: \x1b[31mred\x07.")
    assert "\x1b" not in ran.out
    assert "\x07" not in ran.out


@pytest.mark.parametrize("asked", ["", "  "])
def test_nothing_is_a_question_no_more(asked: str, mailproxy: Mailproxy) -> None:
    ran = mailproxy("lookup", asked)
    assert ran.code == 2
    assert ran.failure.startswith("Invalid value for TEXT: write what the mail program shows, or a code")
