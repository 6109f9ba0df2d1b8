"""Asking ports: real servers on loopback, some of them under TLS, some no mail servers at all."""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pytest
import trio

from mailproxy.app.practice import practice_server
from mailproxy.app.setup import ask_ports
from mailproxy.app.setup.ask_ports import Door
from mailproxy.app.setup.server import Server
from mailproxy.model.tls import Security
from tests.app.setup_world import Tls, mail_server

STARTTLS = {"EHLO": "250-mail.example.org\r\n250-STARTTLS\r\n250 HELP\r\n", "QUIT": "221 bye\r\n"}
STLS = {"CAPA": "+OK\r\nUSER\r\nSTLS\r\n.\r\n", "QUIT": "+OK\r\n"}


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    """Servers, for as long as the test runs."""
    with ExitStack() as stack:
        yield stack


def door(protocol: str, security: Security, port: int, host: str = "localhost") -> Door:
    return Door(protocol, host, port, security)


def ask(doors: Sequence[Door], context: ssl.SSLContext | None = None, seconds: float = 20) -> list[tuple[str, str]]:
    """Who answers, and what is noted of it."""
    found: tuple[Server, ...] = trio.run(ask_ports.ask, doors, lambda _: None, context, seconds)
    return [(server.upstream, server.note) for server in found]


def test_the_likely_doors_of_a_domain() -> None:
    doors = [f"{each.host}:{each.port}" for each in ask_ports.doors("example.org", ["smtp", "pop3"])]
    assert doors[:4] == ["smtp.example.org:465", "mail.example.org:465", "example.org:465", "smtp.example.org:587"]
    assert doors[-4:] == ["pop.example.org:110", "pop3.example.org:110", "mail.example.org:110", "example.org:110"]
    assert len(doors) == len(set(doors)) == 17
    assert {each.protocol for each in ask_ports.doors("example.org", ["pop3"])} == {"pop3"}


def test_what_is_offered_decides_and_tls_comes_first(servers: ExitStack) -> None:
    tls = Tls("localhost")
    clear = servers.enter_context(mail_server("220 mail\r\n", {"EHLO": "250 mail\r\n"}))
    starttls = servers.enter_context(mail_server("220-one\r\n220 two\r\n", STARTTLS))
    stls = servers.enter_context(mail_server("+OK hello\r\n", STLS))
    pop3s = servers.enter_context(mail_server("+OK hello\r\n", STLS, tls.server))
    doors = [
        door("smtp", Security.STARTTLS, clear),
        door("smtp", Security.STARTTLS, starttls),
        door("pop3", Security.STARTTLS, stls),
        door("pop3", Security.TLS, pop3s),
    ]
    assert ask(doors, tls.client) == [
        (f"pop3s://localhost:{pop3s}", ""),
        (f"smtp+starttls://localhost:{starttls}", ""),
        (f"pop3+starttls://localhost:{stls}", ""),
        (f"smtp://localhost:{clear}", ""),
    ]


def test_a_certificate_that_is_not_trusted_is_noted_and_comes_last(servers: ExitStack) -> None:
    good, wrong = Tls("localhost"), Tls("mail.example.org")
    first = servers.enter_context(mail_server("220 a\r\n", {}, wrong.server))
    second = servers.enter_context(mail_server("220 b\r\n", {}, good.server))
    [best, worst] = ask([door("smtp", Security.TLS, first), door("smtp", Security.TLS, second)], good.client)
    assert best == (f"smtps://localhost:{second}", "")
    assert worst[0] == f"smtps://localhost:{first}"
    assert worst[1].startswith("its certificate is not trusted: ")


@pytest.mark.parametrize(
    "greeting", ["SSH-2.0-x\r\n", "* OK IMAP4rev1\r\n", "554 no service\r\n", "+OK pop\r\n", "\r\n"]
)
def test_who_speaks_something_else_does_not_count(servers: ExitStack, greeting: str) -> None:
    port = servers.enter_context(mail_server(greeting, {}))
    assert ask([door("smtp", Security.STARTTLS, port)]) == []


def test_nobody_there(servers: ExitStack) -> None:
    with mail_server("220 gone\r\n", {}) as port:
        pass
    no_name = Door("smtp", "nobody.invalid", 25, Security.STARTTLS)
    assert ask([no_name, door("smtp", Security.TLS, port), door("pop3", Security.STARTTLS, port)]) == []


def test_a_clear_server_behind_a_door_for_tls_and_a_tls_server_behind_a_clear_one(servers: ExitStack) -> None:
    tls = Tls("localhost")
    clear = servers.enter_context(mail_server("220 a\r\n", STARTTLS))
    covered = servers.enter_context(mail_server("220 a\r\n", STARTTLS, tls.server))
    doors = [door("smtp", Security.TLS, clear), door("smtp", Security.STARTTLS, covered)]
    assert ask(doors, tls.client, seconds=0.5) == []


def test_what_answers_is_told_as_it_comes_and_harms_no_terminal(servers: ExitStack) -> None:
    port = servers.enter_context(mail_server("220 \x1b[31mred\r\n", STARTTLS))
    told: list[str] = []
    trio.run(ask_ports.ask, [door("smtp", Security.STARTTLS, port)], told.append)
    assert told == [f"localhost:{port} answers: 220 \\x1b[31mred"]


def test_a_server_that_never_ends_its_reply_is_left(servers: ExitStack) -> None:
    port = servers.enter_context(mail_server("220 a\r\n", {"EHLO": "250-more\r\n" * 5000}))
    assert ask([door("smtp", Security.STARTTLS, port)]) == [(f"smtp://localhost:{port}", "")]


def test_the_practice_servers_answer() -> None:
    async def run() -> list[str]:
        async with practice_server() as where:
            doors = [
                Door("smtp", where.smtp.host, where.smtp.port, Security.STARTTLS),
                Door("pop3", where.pop3.host, where.pop3.port, Security.STARTTLS),
            ]
            return [each.upstream.partition(":")[0] for each in await ask_ports.ask(doors, lambda _: None)]

    assert trio.run(run) == ["smtp", "pop3"]
