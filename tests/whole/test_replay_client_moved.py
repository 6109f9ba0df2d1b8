"""Mail has come and gone since a client was recorded: its part is played before the real Dovecot all the same."""

import poplib

import pytest

from .dovecot import PASSWORD, Dovecot, Mailbox
from .messages import message
from .proxy import Proxy
from .replaying import Ended, replay
from .servers import NAME


@pytest.fixture
def number(lasting: Proxy, mailbox: Mailbox) -> str:
    """The session in which a client has fetched the second of two messages by its unique id, and has not deleted it."""
    for _ in range(2):
        mailbox.put(message(NAME))
    address = lasting.address("pop3")
    client = poplib.POP3(address.host, address.port, timeout=30)
    client.user(mailbox.name)
    client.pass_(PASSWORD)
    client.uidl()
    client.retr(2)
    client.dele(2)
    client.rset()
    client.quit()
    return next(str(each["id"]) for each in lasting.sessions() if each["user"] == mailbox.name)


def delete(dovecot: Dovecot, mailbox: Mailbox, *numbers: int) -> None:
    """Another client deletes messages."""
    client = poplib.POP3(dovecot.pop3.host, dovecot.pop3.port, timeout=30)
    client.user(mailbox.name)
    client.pass_(PASSWORD)
    for each in numbers:
        client.dele(each)
    client.quit()


def play(lasting: Proxy, number: str, *words: str) -> Ended:
    return replay(lasting, number, *words, password=PASSWORD)


def test_more_mail_changes_nothing(number: str, lasting: Proxy, mailbox: Mailbox) -> None:
    mailbox.put(message(NAME))
    played = play(lasting, number, "--delete")
    assert "  note" not in played.out
    assert len(mailbox.messages) == 3


def test_a_message_is_found_by_its_unique_id(number: str, lasting: Proxy, dovecot: Dovecot, mailbox: Mailbox) -> None:
    delete(dovecot, mailbox, 1)
    played = play(lasting, number)
    assert "RETR 2: message 2 is number 1 now" in played.out, played.out
    assert "DELE 2: message 2 is number 1 now" in played.out
    assert "  stop" not in played.out
    assert len(mailbox.messages) == 1


def test_a_message_that_is_gone_is_left_out(number: str, lasting: Proxy, dovecot: Dovecot, mailbox: Mailbox) -> None:
    delete(dovecot, mailbox, 2)
    mailbox.put(message(NAME))
    played = play(lasting, number, "--delete")
    assert "RETR 2 is left out: that message is gone" in played.out, played.out
    assert "DELE 2 is left out: that message is gone" in played.out
    assert len(mailbox.messages) == 2
