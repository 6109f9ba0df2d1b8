"""Python's smtplib and poplib are led into the recorded faults: what they report is what the record holds."""

import poplib
import smtplib
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

import pytest
import trio

from mailproxy.net.serve import listen, serve
from mailproxy.talk.play.edit import parse
from mailproxy.talk.play.manner import AS_RECORDED, Manner
from mailproxy.talk.play.server import ServerPlayer
from mailproxy.talk.practice.conversation import Action, Party
from tests.talk.play.server_stage import corpus

T = TypeVar("T")
PATIENCE = 10.0
MESSAGE = "From: bob@example.org\r\nTo: alice@example.org\r\nSubject: x\r\n\r\nHello\r\n"


class Played(Party):
    """A recorded server as a party of the practice server's."""

    def __init__(self, server: ServerPlayer) -> None:
        self._server = server

    def receive(self, octets: bytes = b"") -> list[Action]:
        return self._server.receive(octets)

    def leave(self) -> None:
        self._server.leave()


def visit(name: str, use: Callable[[int], T], manner: Manner = AS_RECORDED) -> T:
    """Serve a recording while a blocking client uses it; what the client raises is raised."""
    recording = corpus(name)

    async def meet() -> Future[T]:
        async with listen("127.0.0.1", 0) as listening, trio.open_nursery() as nursery:
            nursery.start_soon(serve, lambda: Played(ServerPlayer(recording, manner)), listening)
            used = await trio.to_thread.run_sync(outcome, partial(use, listening.addresses[0].port))
            nursery.cancel_scope.cancel()
        return used

    return trio.run(meet).result()


def outcome(use: Callable[[], T]) -> Future[T]:
    used: Future[T] = Future()
    try:
        used.set_result(use())
    except Exception as error:
        used.set_exception(error)
    return used


def send(port: int, *to: str, user: str = "") -> dict[str, tuple[int, bytes]]:
    with smtplib.SMTP("127.0.0.1", port, "client.example", timeout=PATIENCE) as client:
        if user:
            client.login(user, "any password")
        return client.sendmail("bob@example.org", to or ["alice@example.org"], MESSAGE)


def fetch(port: int) -> list[bytes]:
    client = poplib.POP3("127.0.0.1", port, timeout=PATIENCE)
    try:
        client.user("alice")
        client.pass_("any password")
        count = client.stat()[0]
        fetched = [b"\n".join(client.retr(number + 1)[1]) for number in range(count)]
        client.quit()
        return fetched
    finally:
        client.close()


@pytest.mark.parametrize(
    "name", ["smtp-send-good", "smtp-bdat-good", "smtp-size-announced-good", "smtp-pipelining-good"]
)
def test_smtplib_sends_where_it_went_well(name: str) -> None:
    assert visit(name, send) == {}


@pytest.mark.parametrize("name", ["smtp-auth-plain-good", "smtp-auth-login-good", "smtp-auth-cram-md5-good"])
def test_smtplib_logs_in_with_any_password(name: str) -> None:
    assert visit(name, lambda port: send(port, user="alice")) == {}


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("smtp-recipient-unknown", smtplib.SMTPRecipientsRefused, "no such person here"),
        ("smtp-greylisted", smtplib.SMTPRecipientsRefused, "450"),
        ("smtp-mailbox-full", smtplib.SMTPRecipientsRefused, "552"),
        ("smtp-content-refused", smtplib.SMTPDataError, "55"),
        ("smtp-client-blocked", smtplib.SMTPConnectError, "554"),
        ("smtp-idle-timeout", smtplib.SMTPRecipientsRefused, "timeout exceeded"),
        ("smtp-dropped-after-data", smtplib.SMTPServerDisconnected, ""),
        ("smtp-reset-after-data", (smtplib.SMTPServerDisconnected, ConnectionResetError), ""),
        ("smtp-server-shuts-down", smtplib.SMTPRecipientsRefused, "shutting down"),
    ],
)
def test_smtplib_runs_into_the_recorded_fault(
    name: str, error: type[Exception] | tuple[type[Exception], ...], words: str
) -> None:
    with pytest.raises(error) as told:
        visit(name, send)
    assert words in str(told.value)


def test_smtplib_is_refused_with_any_password() -> None:
    with pytest.raises(smtplib.SMTPAuthenticationError, match="authentication failed"):
        visit("smtp-auth-plain-wrong-password", lambda port: send(port, user="alice"))


def test_smtplib_is_refused_at_the_second_recipient_by_a_rule() -> None:
    rule = Manner(edits=(parse("RCPT 2 550 5.1.1 gone"),))
    refused = visit("smtp-send-good", lambda port: send(port, "a@example.org", "b@example.org"), rule)
    assert refused == {"b@example.org": (550, b"5.1.1 gone")}


def test_poplib_gets_the_recorded_message() -> None:
    messages = visit("pop3-stls-apart-good", fetch)
    assert messages[0].startswith(b"From: Bob <bob@example.org>\nTo: Alice")
    assert messages[0].endswith(b"\n\nhow are you?")


def test_poplib_gets_messages_with_dots() -> None:
    made_up, dots = visit("pop3-dots-good", fetch)
    assert made_up.startswith(b"Subject: (not in the record)\n")
    assert b"\n.\n..two\nThe end." in dots


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pop3-in-use", "IN-USE"),
        ("pop3-login-too-soon", "LOGIN-DELAY"),
        ("pop3-auth-plain-wrong-password", "AUTH"),
        ("pop3-apop-wrong-password", "-ERR"),
        ("pop3-server-trouble", "SYS/TEMP"),
        ("pop3-dropped-in-retr", "EOF"),
    ],
)
def test_poplib_runs_into_the_recorded_fault(name: str, words: str) -> None:
    with pytest.raises(poplib.error_proto) as told:
        visit(name, fetch)
    assert words in str(told.value)


def test_poplib_is_reset_in_the_midst_of_a_message() -> None:
    with pytest.raises((poplib.error_proto, ConnectionResetError)):
        visit("pop3-reset-in-retr", fetch)
