import base64
import hashlib
from collections.abc import Callable

from mailproxy.talk.practice import PostOffice, pop3
from mailproxy.talk.practice.accounts import Account
from mailproxy.talk.practice.conversation import Party, Send
from mailproxy.talk.practice.letters import LETTERS

Play = Callable[[Callable[[PostOffice], Party], str], PostOffice]
GREETING = """
    <-  +OK example.org POP3 mailproxy practice server <1.practice@example.org>
"""
ALICE = (
    GREETING
    + """\
     -> USER alice
    <-  +OK And the password?
     -> PASS practice
    <-  +OK Welcome, alice: 3 messages
"""
)
SIZES = [len(letter) for letter in LETTERS]


def said(party: Party, octets: bytes) -> list[bytes]:
    """What the server says to these octets."""
    return [action.octets for action in party.receive(octets) if isinstance(action, Send)]


def test_one_capability_a_line(play: Play) -> None:
    play(
        pop3,
        GREETING
        + """\
     -> CAPA
    <-  +OK Capabilities follow
    <-  TOP
    <-  USER
    <-  SASL PLAIN LOGIN CRAM-MD5
    <-  RESP-CODES
    <-  AUTH-RESP-CODE
    <-  PIPELINING
    <-  UIDL
    <-  EXPIRE NEVER
    <-  IMPLEMENTATION mailproxy-practice
    <-  .
     -> AUTH
    <-  +OK Mechanisms follow
    <-  PLAIN
    <-  LOGIN
    <-  CRAM-MD5
    <-  .
     -> QUIT
    <-  +OK example.org closes the connection
    *** closed by the server
""",
    )


def test_mail_is_deleted_when_quit_is_answered(play: Play) -> None:
    office = play(
        pop3,
        ALICE
        + f"""\
     -> STAT
    <-  +OK 3 {sum(SIZES)}
     -> DELE 1
    <-  +OK Message 1 will be deleted
     -> DELE 1
    <-  -ERR No such message
     -> LIST
    <-  +OK
    <-  2 {SIZES[1]}
    <-  3 {SIZES[2]}
    <-  .
     -> LIST 1
    <-  -ERR No such message
     -> LIST 2
    <-  +OK 2 {SIZES[1]}
     -> LAST
    <-  +OK 1
     -> RSET
    <-  +OK Nothing will be deleted
     -> LAST
    <-  +OK 0
     -> DELE 3
    <-  +OK Message 3 will be deleted
     -> STAT
    <-  +OK 2 {SIZES[0] + SIZES[1]}
     -> QUIT
    <-  +OK example.org closes the connection
    *** closed by the server
""",
    )
    assert [letter.octets for letter in office.mailboxes["alice"].letters] == list(LETTERS[:2])
    assert not office.mailboxes["alice"].locked


def test_a_session_that_breaks_off_deletes_nothing(play: Play) -> None:
    office = play(pop3, ALICE + "     -> DELE 1\n    <-  +OK Message 1 will be deleted")
    assert len(office.mailboxes["alice"].letters) == 3


def test_a_message_comes_whole_with_its_dots_doubled() -> None:
    party = pop3(PostOffice())
    party.receive(b"USER alice\r\nPASS practice\r\n")
    [answer] = said(party, b"RETR 2\r\n")
    status, _, rest = answer.partition(b"\r\n")
    assert status == b"+OK %d octets" % SIZES[1]
    assert b"\r\n..\r\n...\r\n..profile\r\n" in rest
    assert rest.endswith(b"\r\n.\r\n")
    assert (b"\r\n" + rest[:-3]).replace(b"\r\n.", b"\r\n")[2:] == LETTERS[1]


def test_the_second_message_is_hard_to_carry() -> None:
    assert any(line.startswith(b".") for line in LETTERS[1].split(b"\r\n"))
    assert not LETTERS[1].isascii()
    assert max(map(len, LETTERS[1].split(b"\r\n"))) > 998


def test_top_shows_the_header_and_some_lines(play: Play) -> None:
    play(
        pop3,
        ALICE
        + """\
     -> TOP 1 2
    <-  +OK
    <-  From: Bob <bob@example.org>
    <-  To: Alice <alice@example.org>
    <-  Subject: Welcome
    <-  Date: Mon, 06 Jan 2025 09:00:00 +0000
    <-  Message-ID: <welcome@example.org>
    <-\x20\x20
    <-  Dear Alice,
    <-\x20\x20
    <-  .
     -> TOP 9 2
    <-  -ERR No such message
     -> TOP 1
    <-  -ERR Those are not the arguments of TOP
""",
    )


def test_uids_stay_and_differ() -> None:
    office = PostOffice()
    first, second = pop3(office), pop3(office)
    login = b"USER alice\r\nPASS practice\r\n"
    first.receive(login)
    [uids] = said(first, b"UIDL\r\n")
    first.leave()
    second.receive(login)
    assert said(second, b"UIDL\r\n") == [uids]
    lines = uids.split(b"\r\n")[1:4]
    assert [line.split()[0] for line in lines] == [b"1", b"2", b"3"]
    assert len({line.split()[1] for line in lines}) == 3


def test_commands_out_of_place(play: Play) -> None:
    play(
        pop3,
        GREETING
        + """\
     -> PASS practice
    <-  -ERR USER comes first
     -> STAT
    <-  -ERR Log in first
     -> RETR 1
    <-  -ERR Log in first
     -> LIST
    <-  -ERR Log in first
     -> USER
    <-  -ERR The form is USER name, PASS password, or APOP name digest
     -> EHLO client
    <-  -ERR That is no command of this protocol
     -> user alice@example.org
    <-  +OK And the password?
     -> pass practice
    <-  +OK Welcome, alice: 3 messages
     -> USER alice
    <-  -ERR You are logged in already
     -> AUTH PLAIN
    <-  -ERR You are logged in already
     -> RETR
    <-  -ERR No such message
     -> RETR \u0661
    <-  -ERR No such message
     -> RETR four
    <-  -ERR No such message
     -> DELE 0
    <-  -ERR No such message
     -> STAT 1
    <-  -ERR Those are not the arguments of STAT
     -> NOOP
    <-  +OK
     -> NOOP\x20\x20
    <-  +OK
""",
    )


def test_logins_that_fail(play: Play) -> None:
    play(
        pop3,
        GREETING
        + """\
     -> USER wrong
    <-  +OK And the password?
     -> PASS practice
    <-  -ERR [AUTH] User name or password is wrong
     -> PASS practice
    <-  -ERR USER comes first
     -> USER alice
    <-  +OK And the password?
     -> PASS practice\x20
    <-  -ERR [AUTH] User name or password is wrong
     -> USER busy
    <-  +OK And the password?
     -> PASS practice
    <-  -ERR [IN-USE] The mailbox is locked by another session
     -> APOP alice 00000000000000000000000000000000
    <-  -ERR [AUTH] User name or password is wrong
     -> AUTH PLAIN
    <-  +\x20
     -> *
    <-  -ERR Authentication is cancelled
     -> AUTH PLAIN AGFsaWNl
    <-  -ERR That is not what the mechanism asks for, in base64
     -> AUTH GSSAPI
    <-  -ERR The mechanism is not known here
""",
    )


def test_a_password_may_hold_blanks() -> None:
    party = pop3(PostOffice(accounts=[Account("odd", "", password=" two  words ", letters=0)]))
    party.receive()
    assert said(party, b"USER odd\r\nPASS  two  words \r\n")[-1] == b"+OK Welcome, odd: 0 messages\r\n"


def test_apop(play: Play) -> None:
    digest = hashlib.md5(b"<1.practice@example.org>practice").hexdigest()
    play(pop3, GREETING + f"     -> APOP alice {digest}\n    <-  +OK Welcome, alice: 3 messages\n")


def test_auth_login(play: Play) -> None:
    user, password = base64.b64encode(b"alice").decode(), base64.b64encode(b"practice").decode()
    play(
        pop3,
        GREETING
        + f"""\
     -> AUTH LOGIN
    <-  + VXNlcm5hbWU6
     -> {user}
    <-  + UGFzc3dvcmQ6
     -> {password}
    <-  +OK Welcome, alice: 3 messages
""",
    )


def test_a_mailbox_is_held_by_one_session_until_it_leaves() -> None:
    office = PostOffice()
    first, second = pop3(office), pop3(office)
    login = b"USER alice\r\nPASS practice\r\n"
    first.receive(login)
    assert said(second, login)[-1] == b"-ERR [IN-USE] The mailbox is locked by another session\r\n"
    first.leave()
    assert said(second, login)[-1] == b"+OK Welcome, alice: 3 messages\r\n"


def test_retrieval_that_meets_a_bad_end(play: Play) -> None:
    script = (
        GREETING
        + """\
     -> USER {0}
    <-  +OK And the password?
     -> PASS practice
    <-  +OK Welcome, {0}: 1 messages
     -> RETR 1
    <-  +OK 211 octets
    <-  From: Bob <bob@example.org>
    <-  To: Alice <alice@example.org>
    <-  Subject: Welcome
    <-  Date: Mon, 06 Jan 20\\
"""
    )
    assert SIZES[0] == 211
    play(pop3, script.format("drop") + "    *** closed by the server")
    play(pop3, script.format("reset") + "    *** reset by the server")
    play(pop3, script.format("silent") + "     -> NOOP\n     -> QUIT")


def test_sizes_that_are_announced_too_large(play: Play) -> None:
    office = play(
        pop3,
        GREETING
        + f"""\
     -> USER miscount
    <-  +OK And the password?
     -> PASS practice
    <-  +OK Welcome, miscount: 1 messages
     -> STAT
    <-  +OK 1 {SIZES[0] + 100}
     -> LIST 1
    <-  +OK 1 {SIZES[0] + 100}
""",
    )
    assert len(office.mailboxes["miscount"].letters[0].octets) == SIZES[0]


def test_the_slow_account(play: Play) -> None:
    play(
        pop3,
        GREETING
        + """\
     -> USER slow
    <-  +OK And the password?
     -> PASS practice
    === 3 s pass
    <-  +OK Welcome, slow: 1 messages
     -> NOOP
    === 3 s pass
    <-  +OK
""",
    )
