"""The whole search, in its order, in a small world on loopback."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import pytest
import trio

from mailproxy.app.setup import address
from mailproxy.app.setup.address import Address
from mailproxy.app.setup.ask_ports import Door
from mailproxy.app.setup.error import SetupError
from mailproxy.app.setup.lookup import Found, World, lookup
from mailproxy.model.tls import Security
from tests.app.setup_world import Page, dns_server, mail_server, resolver, web_server

ALICE = Address("alice", "example.org")
SMTP = {"_submissions._tcp.example.org": ["0 1 465 smtp.example.org."]}
POP3 = {"_pop3s._tcp.example.org": ["0 1 995 pop.example.org."]}
IMAP = {"_imaps._tcp.example.org": ["0 1 993 imap.example.org."]}
NO_POP3 = {"_pop3._tcp.example.org": ["0 0 0 ."]}
FILE = (
    b'<clientConfig><emailProvider id="example.org">'
    b'<incomingServer type="pop3"><hostname>file.example.org</hostname><port>995</port><socketType>SSL</socketType>'
    b"<username>a17</username></incomingServer>"
    b'<outgoingServer type="smtp"><hostname>file.example.org</hostname><port>465</port><socketType>SSL</socketType>'
    b"</outgoingServer></emailProvider></clientConfig>"
)


class Looked(NamedTuple):
    """What was found, and whom it took."""

    found: Found
    told: list[str]
    pop3: int

    @property
    def chosen(self) -> list[str]:
        """The servers that get routes."""
        return [server.upstream for server in self.found.chosen]


def look(records: Mapping[str, list[str]], file: bytes | None = None, answers: str = "+OK hello\r\n") -> Looked:
    """Look for alice's servers in a world with these SRV records, this autoconfig file and a POP3 server."""
    told: list[str] = []
    with ExitStack() as stack:
        name_server = stack.enter_context(dns_server(records))
        web = stack.enter_context(
            web_server({"/example.org?emailaddress=alice@example.org": (200, {}, file)} if file else {})
        )
        pop3 = stack.enter_context(mail_server(answers, {"CAPA": "-ERR what?\r\n"}))
        closed = stack.enter_context(mail_server("", {}))

        def doors(domain: str, wanted: Sequence[str]) -> list[Door]:
            known = {"smtp": closed, "pop3": pop3}
            return [Door(each, "localhost", known[each], Security.STARTTLS) for each in wanted]

        world = World(
            lambda: resolver(name_server),
            (f"http://localhost:{web}/nothing", f"http://localhost:{web}/{{domain}}?emailaddress={{address}}"),
            doors,
            seconds=0.5,
        )
        return Looked(trio.run(lookup, ALICE, told.append, world), told, pop3)


def test_dns_is_enough() -> None:
    looked = look(SMTP | POP3 | IMAP, FILE)
    assert looked.chosen == ["smtps://smtp.example.org:465", "pop3s://pop.example.org:995"]
    assert [server.upstream for server in looked.found.others] == ["imaps://imap.example.org:993"]
    assert [server.user for server in looked.found.chosen] == ["alice@example.org"] * 2
    assert looked.told == ["asking DNS for the SRV records of example.org"]
    assert looked.found.notes == ()


def test_the_file_gives_what_dns_lacks() -> None:
    looked = look(SMTP, FILE)
    assert looked.chosen == ["smtps://smtp.example.org:465", "pop3s://file.example.org:995"]
    assert [server.user for server in looked.found.chosen] == ["alice@example.org", "a17"]
    assert [server.upstream for server in looked.found.others] == ["smtps://file.example.org:465"]
    assert [line.split()[0] for line in looked.told] == ["asking"] * 3
    assert "alice" not in " ".join(looked.told)


def test_ports_give_what_nobody_names() -> None:
    looked = look(SMTP)
    assert looked.chosen == ["smtps://smtp.example.org:465", f"pop3://localhost:{looked.pop3}"]
    assert looked.found.chosen[1].source == f"port {looked.pop3} answers"
    assert looked.told[-2:] == [
        f"asking localhost on the ports {looked.pop3}, for 0.5 seconds at most",
        f"localhost:{looked.pop3} answers: +OK hello",
    ]


def test_nothing_at_all() -> None:
    looked = look({}, answers="hello\r\n")
    assert looked.chosen == []
    assert looked.found.notes == (
        "no server was found to fetch mail to alice@example.org from",
        "no server was found to send mail of alice@example.org through",
    )


def test_a_domain_that_offers_no_pop3_is_not_asked_for_it() -> None:
    looked = look(SMTP | NO_POP3, FILE)
    assert looked.chosen == ["smtps://smtp.example.org:465"]
    assert looked.found.notes == ("example.org says that it offers no POP3",)
    assert len(looked.told) == 1


def test_only_imap_is_said_in_a_line_and_no_port_is_asked() -> None:
    looked = look(SMTP | IMAP)
    assert looked.chosen == ["smtps://smtp.example.org:465"]
    assert looked.found.notes == ("mail to alice@example.org is fetched by IMAP only: mailproxy records POP3",)


def test_no_dns_server_is_told_and_the_rest_is_asked() -> None:
    with web_server({"/": (200, {}, FILE)}) as web:
        world = World(lambda: None, (f"http://localhost:{web}/",), lambda domain, wanted: [])
        found = trio.run(lookup, ALICE, lambda _: None, world)
    assert [(server.upstream, server.user) for server in found.chosen] == [
        ("smtps://file.example.org:465", "alice@example.org"),
        ("pop3s://file.example.org:995", "a17"),
    ]
    assert found.notes == ("DNS could not be asked: this computer names no DNS server",)


def test_a_file_that_is_broken_is_told_and_the_next_is_read() -> None:
    pages: dict[str, Page] = {"/one": (200, {}, b"<html>"), "/two": (503, {}, b""), "/three": (200, {}, FILE)}
    with web_server(pages) as web:
        urls = tuple(f"http://localhost:{web}{path}" for path in pages)
        world = World(lambda: None, urls, lambda domain, wanted: [])
        found = trio.run(lookup, ALICE, lambda _: None, world)
    assert {server.source for server in found.chosen} == {f"http://localhost:{web}/three"}
    assert found.notes[1:] == (
        f"http://localhost:{web}/one: it is no XML",
        f"http://localhost:{web}/two: the server answers 503",
    )


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("alice@example.org", Address("alice", "example.org")),
        (" Alice.B+c@Example.ORG. ", Address("Alice.B+c", "example.org")),
        ("alice@bücher.example", Address("alice", "xn--bcher-kva.example")),
    ],
)
def test_an_address(text: str, read: Address) -> None:
    assert address.parse(text) == read


NO_ADDRESSES = [
    *("", "alice", "alice@", "@example.org", "alice@example", "a b@example.org", "a@b@", 'a"@example.org', "a@-.org"),
    *("a@exa mple.org", "a@" + "x" * 64 + ".org", "a\n@example.org", "a" * 250 + "@example.org", "a@..org"),
]


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_no_address(text: str) -> None:
    with pytest.raises(SetupError, match=r"is no e-mail address: write alice@example\.org") as raised:
        address.parse(text)
    assert len(str(raised.value).splitlines()) == 1
