"""The practice servers on real sockets, before clients that others wrote."""

import math
import poplib
import smtplib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import ParamSpec, TypeVar

import pytest
import trio
import trio.testing

from mailproxy.net.serve import Address, listen, serve
from mailproxy.talk.practice import PostOffice, pop2, pop3, smtp
from mailproxy.talk.practice.conversation import Close, Party, Send, Talk, Wait
from mailproxy.talk.practice.letters import LETTERS
from mailproxy.talk.practice.unread import Unread

P = ParamSpec("P")
T = TypeVar("T")
LIMIT = 20


def run(test: Callable[[], Awaitable[None]], clock: trio.abc.Clock | None = None) -> None:
    async def limited() -> None:
        with trio.fail_after(LIMIT if clock is None else math.inf):
            await test()

    trio.run(limited, clock=clock)


@asynccontextmanager
async def serving(make: Callable[[], Party], idle: float = 600.0) -> AsyncIterator[Address]:
    async with listen("127.0.0.1", 0) as sockets, trio.open_nursery() as nursery:
        nursery.start_soon(serve, make, sockets, idle)
        yield sockets.addresses[0]
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def connected(make: Callable[[], Party]) -> AsyncIterator[trio.SocketStream]:
    async with serving(make) as address, await trio.open_tcp_stream(*address) as stream:
        yield stream


async def in_thread(client: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    return await trio.to_thread.run_sync(partial(client, *given, **named))


async def heard(stream: trio.SocketStream) -> bytes:
    """All that comes until the end."""
    octets = b""
    async for piece in stream:
        octets += piece
    return octets


def posted(address: Address, message: bytes, recipients: list[str]) -> dict[str, tuple[int, bytes]]:
    with smtplib.SMTP(*address, local_hostname="client", timeout=LIMIT) as client:
        client.login("alice", "practice")
        return client.sendmail("alice@example.org", recipients, message)


def fetched(address: Address, user: str, *, apop: bool = False, delete: bool = False) -> list[list[bytes]]:
    with closing(poplib.POP3(*address, timeout=LIMIT)) as client:
        if apop:
            client.apop(user, "practice")
        else:
            client.user(user)
            client.pass_("practice")
        count, octets = client.stat()
        messages = [client.retr(number + 1) for number in range(count)]
        assert len(client.uidl()[1]) == len(client.list()[1]) == count
        for number in range(count if delete else 0):
            client.dele(number + 1)
        client.quit()
    assert sum(len(line) + 2 for _, lines, _ in messages for line in lines) == octets
    return [lines for _, lines, _ in messages]


def test_what_smtplib_sends_poplib_fetches() -> None:
    async def test() -> None:
        office = PostOffice()
        async with serving(partial(smtp, office)) as sending, serving(partial(pop3, office)) as fetching:
            message = "Subject: Grüße\r\n\r\n.\r\n..\r\nÜ\r\n".encode()
            assert await in_thread(posted, sending, message, ["bob@example.org", "dave@example.com"]) == {}
            [lines] = await in_thread(fetched, fetching, "bob", delete=True)
            assert lines[-5:] == message.split(b"\r\n")[:-1]
            assert lines[0] == b"Return-Path: <alice@example.org>"
            assert await in_thread(fetched, fetching, "bob", apop=True) == []
        assert [posted.recipient for posted in office.outgoing] == ["dave@example.com"]

    run(test)


def test_poplib_fetches_what_waits() -> None:
    async def test() -> None:
        async with serving(partial(pop3, PostOffice())) as address:
            messages = await in_thread(fetched, address, "alice", apop=True)
        assert [b"".join(line + b"\r\n" for line in lines) for lines in messages] == list(LETTERS)

    run(test)


def mechanism(address: Address, name: str, password: str) -> bytes:
    with smtplib.SMTP(*address, local_hostname="client", timeout=LIMIT) as client:
        client.ehlo()
        client.user, client.password = "alice", password
        answer = getattr(client, f"auth_{name}")
        return client.auth(name.upper().replace("_", "-"), answer)[1]


@pytest.mark.parametrize("name", ["plain", "login", "cram_md5"])
def test_smtplib_logs_in(name: str) -> None:
    async def test() -> None:
        async with serving(partial(smtp, PostOffice())) as address:
            assert await in_thread(mechanism, address, name, "practice") == b"2.7.0 Welcome, alice"
            with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
                await in_thread(mechanism, address, name, "guess")
            assert refused.value.smtp_code == 535

    run(test)


def test_refusals_reach_smtplib() -> None:
    async def test() -> None:
        async with serving(partial(smtp, PostOffice())) as address:
            names = ["full", "overfull", "grey", "busy", "nobody", "whoever", "alice"]
            refused = await in_thread(posted, address, b"\r\n", [f"{name}@example.org" for name in names])
            codes = {recipient.partition("@")[0]: reply[:9] for recipient, (_, reply) in refused.items()}
            assert sorted(codes) == sorted(names[:-1])
            assert [code for code, _ in refused.values()] == [452, 552, 451, 450, 550, 550]
            with pytest.raises(smtplib.SMTPServerDisconnected):
                await in_thread(posted, address, b"\r\n", ["drop@example.org"])
            with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
                await in_thread(posted, address, b"\r\n", ["reset@example.org"])

    run(test)


def test_a_message_that_breaks_off_is_an_error_to_poplib() -> None:
    async def test() -> None:
        async with serving(partial(pop3, PostOffice())) as address:
            with pytest.raises(poplib.error_proto, match="EOF"):
                await in_thread(fetched, address, "drop")

    run(test)


def test_a_reset_is_a_reset() -> None:
    async def test() -> None:
        async with connected(partial(pop2, PostOffice())) as stream:
            await stream.send_all(b"HELO reset practice\r\nREAD\r\nRETR\r\n")
            with pytest.raises(trio.BrokenResourceError) as broken:
                await heard(stream)
        assert isinstance(broken.value.__cause__, ConnectionResetError)

    run(test)


def test_a_pipelined_session_is_answered_whole() -> None:
    async def test() -> None:
        async with connected(partial(pop2, PostOffice())) as stream:
            await stream.send_all(b"HELO alice practice\r\nREAD 1\r\nRETR\r\nACKD\r\nQUIT\r\nQUIT\r\n")
            answers = await heard(stream)
        assert answers.startswith(b"+ POP2 ")
        assert LETTERS[0] in answers
        assert answers.endswith(b"+ example.org closes the connection\r\n")

    run(test)


def test_a_client_that_goes_gives_its_mailbox_back() -> None:
    async def test() -> None:
        office = PostOffice()
        async with serving(partial(pop3, office)) as address:
            async with await trio.open_tcp_stream(*address) as stream:
                await stream.send_all(b"USER alice\r\nPASS practice\r\nDELE 1\r\n")
                answers = b""
                while b"deleted" not in answers:
                    answers += await stream.receive_some()
                assert office.mailboxes["alice"].locked
                await stream.send_eof()
                await heard(stream)
            assert len(await in_thread(fetched, address, "alice")) == 3

    run(test)


def clumsy(unread: Unread) -> Talk[None]:
    line = yield from unread.line()
    if line == b"secret":
        raise ValueError("secret")
    yield Send(b"fine\r\n")


def test_a_server_that_stumbles_harms_no_other_and_tells_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with serving(lambda: Party(clumsy)) as address:
            bad, good = await trio.open_tcp_stream(*address), await trio.open_tcp_stream(*address)
            async with bad, good:
                await bad.send_all(b"secret\r\n")
                assert await heard(bad) == b""
                await good.send_all(b"hello\r\n")
                assert await heard(good) == b"fine\r\n"

    run(test)
    assert [record.getMessage() for record in caplog.records] == ["A connection ended in an internal error: ValueError"]
    assert "secret" not in caplog.text


def patient(unread: Unread) -> Talk[None]:
    yield Send(b"one ")
    yield Wait(3600)
    yield Send(b"two")
    yield Close()


def test_pauses_are_kept() -> None:
    clock = trio.testing.MockClock(autojump_threshold=0.05)

    async def test() -> None:
        async with connected(lambda: Party(patient)) as stream:
            started = trio.current_time()
            assert await heard(stream) == b"one two"
            assert 3600 <= trio.current_time() - started < 3700

    run(test, clock)


def test_a_silent_client_is_hung_up_on() -> None:
    clock = trio.testing.MockClock(autojump_threshold=0.05)

    async def test() -> None:
        async with connected(partial(smtp, PostOffice())) as stream:
            started = trio.current_time()
            assert (await heard(stream)).startswith(b"220 ")
            assert trio.current_time() - started >= 600

    run(test, clock)


def test_a_taken_port_is_named() -> None:
    async def test() -> None:
        async with listen("127.0.0.1", 0) as sockets:
            [address] = sockets.addresses
            with pytest.raises(OSError) as trouble:  # noqa: PT011
                async with listen(*address):
                    pass
        assert trouble.value.filename == f"127.0.0.1:{address.port}"

    run(test)


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert str(Address("::1", 25)) == "[::1]:25"
