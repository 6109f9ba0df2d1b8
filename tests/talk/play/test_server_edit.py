"""Rules that change replies on their way."""

import pytest

from mailproxy.talk.play.edit import EditError, edited, parse
from mailproxy.talk.play.manner import Manner
from tests.talk.play.server_stage import answers, player


def change(rule: str, reply: bytes, verb: str = "RCPT", number: int = 1) -> bytes:
    return edited([parse(rule)], verb, number, reply)


@pytest.mark.parametrize(
    ("rule", "reply", "changed"),
    [
        ("s/550 .*/250 2.1.5 Ok/", b"550 5.1.1 gone\r\n", b"250 2.1.5 Ok\r\n"),
        ("RCPT s/550 .*/250 2.1.5 Ok/", b"550 5.1.1 gone\r\n", b"250 2.1.5 Ok\r\n"),
        ("rcpt s|GONE|away|i", b"550 gone gone\r\n", b"550 away gone\r\n"),
        ("s|gone|away|g", b"550 gone gone\r\n", b"550 away away\r\n"),
        (r"s/a\/b/c/", b"250 a/b\r\n", b"250 c\r\n"),
        (r"s/250 (.*)/250-\1\n250 b/", b"250 a\r\n", b"250-a\r\n250 b\r\n"),
        ("s/250-STARTTLS\n//", b"250-x\r\n250-STARTTLS\r\n250 y\r\n", b"250-x\r\n250 y\r\n"),
        ("MAIL s/550/250/", b"550 gone\r\n", b"550 gone\r\n"),
        ("s/999/250/", b"550 gone\n", b"550 gone\n"),
        ("RCPT 1 452 4.5.3 too many", b"250 Ok\r\n", b"452 4.5.3 too many\r\n"),
        ("RCPT 2 452 4.5.3 too many", b"250 Ok\r\n", b"250 Ok\r\n"),
        ("RCPT 1 -ERR no", b"+OK\r\n", b"-ERR no\r\n"),
    ],
)
def test_a_rule_changes_a_reply(rule: str, reply: bytes, changed: bytes) -> None:
    assert change(rule, reply) == changed


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "RCPT",
        "RCPT 550 5.1.1 no",
        "RCPT 0 550 no",
        "RCPT x",
        "s/a/b",
        "s/(/b/",
        r"s/a/\1/",
        "s/a/b/x",
        "s/a/b/c/d/",
    ],
)
def test_a_rule_that_cannot_be_read_is_told_in_one_line(rule: str) -> None:
    with pytest.raises(EditError, match="no rule") as told:
        parse(rule)
    assert "\n" not in str(told.value)


def test_the_second_recipient_is_refused() -> None:
    server = player("smtp-pipelining-good", Manner(edits=(parse("RCPT 2 550 5.1.1 no such user"),)))
    assert answers(server, "RCPT TO:<alice@relay.example>", "RCPT TO:<fritz@relay.example>") == [
        "250 2.1.5 Ok",
        "550 5.1.1 no such user",
    ]


def test_a_message_whose_reply_was_changed_to_a_refusal_is_not_sent() -> None:
    server = player("pop3-sizes-right-good", Manner(edits=(parse("RETR s/.*/-ERR gone/"),)))
    assert answers(server, "RETR 1", "NOOP")[:1] == ["-ERR gone"]


def test_the_greeting_and_what_was_made_up_are_changed_too() -> None:
    server = player("smtp-send-good", Manner(edits=(parse("GREETING 1 554 no service"), parse("NOOP s/2/4/g"))))
    assert server.receive()[0].octets == b"554 no service\r\n"  # type: ignore[union-attr]
    assert server.receive(b"NOOP\r\n")[0].octets.startswith(b"450 4")  # type: ignore[union-attr]
