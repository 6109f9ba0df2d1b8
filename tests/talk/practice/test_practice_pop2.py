from collections.abc import Callable

from mailproxy.talk.practice import PostOffice, pop2
from mailproxy.talk.practice.conversation import Party, Send
from mailproxy.talk.practice.letters import LETTERS

Play = Callable[[Callable[[PostOffice], Party], str], PostOffice]
SIZES = [len(letter) for letter in LETTERS]
GREETING = """
    <-  + POP2 example.org mailproxy practice server
"""
ALICE = (
    GREETING
    + """\
     -> HELO alice practice
    <-  #3 messages
"""
)


def said(party: Party, octets: bytes) -> list[bytes]:
    """What the server says to these octets."""
    return [action.octets for action in party.receive(octets) if isinstance(action, Send)]


def told(octets: bytes) -> str:
    """A message as a transcript shows it when nothing but it is sent."""
    return "".join(f"    <-  {line}\n" for line in octets.decode().removesuffix("\r\n").split("\r\n"))


def test_messages_are_read_and_acknowledged(play: Play) -> None:
    office = play(
        pop2,
        ALICE
        + f"""\
     -> READ
    <-  ={SIZES[0]} octets in message 1
     -> RETR
{told(LETTERS[0])}\
     -> NACK
    <-  ={SIZES[0]} octets in message 1
     -> RETR
{told(LETTERS[0])}\
     -> ACKS
    <-  ={SIZES[1]} octets in message 2
     -> RETR
{told(LETTERS[1])}\
     -> ACKD
    <-  ={SIZES[2]} octets in message 3
     -> READ 2
    <-  =0 There is no message 2
     -> READ 9
    <-  =0 There is no message 9
     -> read 3
    <-  ={SIZES[2]} octets in message 3
     -> RETR
{told(LETTERS[2])}\
     -> ACKS
    <-  =0 There is no message 4
     -> QUIT
    <-  + example.org closes the connection
    *** closed by the server
""",
    )
    assert [letter.octets for letter in office.mailboxes["alice"].letters] == [LETTERS[0], LETTERS[2]]
    assert not office.mailboxes["alice"].locked


def test_exactly_the_octets_that_were_promised() -> None:
    party = pop2(PostOffice())
    party.receive(b"HELO alice practice\r\nREAD 2\r\n")
    assert said(party, b"RETR\r\n") == [LETTERS[1]]


def test_folders_that_do_not_exist_are_empty_and_leaving_one_deletes(play: Play) -> None:
    office = play(
        pop2,
        ALICE
        + f"""\
     -> READ
    <-  ={SIZES[0]} octets in message 1
     -> RETR
{told(LETTERS[0])}\
     -> ACKD
    <-  ={SIZES[1]} octets in message 2
     -> FOLD elsewhere
    <-  #0 messages
     -> READ
    <-  =0 There is no message 1
     -> FOLD inbox
    <-  #2 messages
     -> READ
    <-  ={SIZES[1]} octets in message 1
""",
    )
    assert len(office.mailboxes["alice"].letters) == 2


def test_whatever_is_out_of_place_ends_the_session(play: Play) -> None:
    for before, command, wanted in (
        (GREETING, "READ", "HELO or QUIT"),
        (GREETING, "HELO alice", "HELO or QUIT"),
        (ALICE, "RETR", "READ, FOLD or QUIT"),
        (ALICE, "ACKS", "READ, FOLD or QUIT"),
        (ALICE, "READ one", "READ, FOLD or QUIT"),
        (ALICE, "", "READ, FOLD or QUIT"),
    ):
        play(
            pop2,
            before
            + f"""\
     -> {command}
    <-  - That is out of place: what can come here is {wanted}
    *** closed by the server
""",
        )


def test_there_is_nothing_to_fetch_behind_a_zero(play: Play) -> None:
    play(
        pop2,
        ALICE
        + """\
     -> READ 4
    <-  =0 There is no message 4
     -> RETR
    <-  - There is no message to fetch
    *** closed by the server
""",
    )


def test_a_fetched_message_is_owed_an_answer_and_nothing_is_deleted_without(play: Play) -> None:
    office = play(
        pop2,
        ALICE
        + f"""\
     -> READ 1
    <-  ={SIZES[0]} octets in message 1
     -> RETR
{told(LETTERS[0])}\
     -> QUIT
    <-  - That is out of place: what can come here is ACKS, ACKD or NACK
    *** closed by the server
""",
    )
    assert len(office.mailboxes["alice"].letters) == 3
    assert not office.mailboxes["alice"].locked


def test_logins_that_fail(play: Play) -> None:
    for login, answer in (
        ("alice wrong", "User name or password is wrong"),
        ("nobody practice", "User name or password is wrong"),
        ("full practice", "[SYS/TEMP] The mailbox is over its quota, try again later"),
    ):
        play(pop2, GREETING + f"     -> HELO {login}\n    <-  - {answer}\n    *** closed by the server")


def test_a_message_that_breaks_off(play: Play) -> None:
    play(
        pop2,
        GREETING
        + f"""\
     -> HELO drop practice
    <-  #1 messages
     -> READ
    <-  ={SIZES[0]} octets in message 1
     -> RETR
    <-  From: Bob <bob@example.org>
    <-  To: Alice <alice@example.org>
    <-  Subject: Welcome
    <-  Date: Mon, 06 Jan 2025 09:0\\
    *** closed by the server
""",
    )


def test_a_mailbox_that_another_session_holds() -> None:
    office = PostOffice()
    first, second = pop2(office), pop2(office)
    first.receive(b"HELO alice practice\r\n")
    assert said(second, b"HELO alice practice\r\n")[1] == b"- The mailbox is locked by another session\r\n"
