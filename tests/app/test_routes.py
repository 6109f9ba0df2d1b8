"""Routes, as they are typed."""

import re

import pytest

from mailproxy.app.routes import Route, RouteError, is_private, parse, place, settled, socks, spread
from mailproxy.model.tls import Security

TLS, STARTTLS = Security.TLS, Security.STARTTLS


@pytest.mark.parametrize(
    ("typed", "route"),
    [
        ("smtp://mail.example.org", Route("smtp", "127.0.0.1", 2525, "mail.example.org", 25)),
        ("SMTP://mail.example.org:587/", Route("smtp", "127.0.0.1", 2525, "mail.example.org", 587)),
        ("lmtp://[::1]", Route("lmtp", "127.0.0.1", 2524, "::1", 24)),
        ("=smtp://x", Route("smtp", "127.0.0.1", 2525, "x", 25)),
        ("2110=pop3://pop.example.org", Route("pop3", "127.0.0.1", 2110, "pop.example.org", 110, asked=True)),
        (":2110=pop3://pop.example.org", Route("pop3", "127.0.0.1", 2110, "pop.example.org", 110, asked=True)),
        ("0=pop2://pop.example.org", Route("pop2", "127.0.0.1", 0, "pop.example.org", 109, asked=True)),
        ("192.0.2.1:25=smtp://x", Route("smtp", "192.0.2.1", 25, "x", 25, asked=True)),
        ("[::1]:2525=smtp://[2001:db8::25]:26", Route("smtp", "::1", 2525, "2001:db8::25", 26, asked=True)),
        ("smtps://x", Route("smtp", "127.0.0.1", 2525, "x", 465, server=TLS)),
        ("pop3s://x:1995", Route("pop3", "127.0.0.1", 2110, "x", 1995, server=TLS)),
        ("smtp+starttls://x", Route("smtp", "127.0.0.1", 2525, "x", 587, server=STARTTLS)),
        ("POP3+StartTLS://x", Route("pop3", "127.0.0.1", 2110, "x", 110, server=STARTTLS)),
        ("2465=smtps://x", Route("smtp", "127.0.0.1", 2465, "x", 465, asked=True, server=TLS)),
    ],
)
def test_a_route(typed: str, route: Route) -> None:
    assert parse(typed) == route
    listen = place(route.listen_host, route.listen_port)
    assert parse(f"{listen}={route.upstream}") == route._replace(asked=True)


@pytest.mark.parametrize(
    ("typed", "security", "host", "port", "asked"),
    [
        ("smtps://127.0.0.1:2465=smtps://x", TLS, "127.0.0.1", 2465, True),
        ("smtps://=smtps://x", TLS, "127.0.0.1", 2465, False),
        ("smtps://[::1]=smtp://x", TLS, "::1", 2465, False),
        ("smtp+starttls://:25=smtps://x", STARTTLS, "127.0.0.1", 25, True),
        ("smtp+starttls://=smtp://x", STARTTLS, "127.0.0.1", 2587, False),
        ("smtp://:2525=smtps://x", Security.NONE, "127.0.0.1", 2525, True),
    ],
)
def test_a_listener_that_is_secured(typed: str, security: Security, host: str, port: int, asked: bool) -> None:
    route = parse(typed)
    assert (route.client, route.listen_host, route.listen_port, route.asked) == (security, host, port, asked)


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [
        ("smtp://x", "none, or STARTTLS where it was that"),
        ("smtps://x", "none"),
        ("smtp+starttls://=smtp://x", "STARTTLS"),
        ("smtps://=smtps://x", "SSL/TLS"),
    ],
)
def test_what_to_choose_in_the_mail_program(typed: str, chosen: str) -> None:
    assert parse(typed).security == chosen


@pytest.mark.parametrize(("typed", "host", "port"), [("1080", "127.0.0.1", 1080), ("[::1]:0", "::1", 0)])
def test_a_socks_port(typed: str, host: str, port: int) -> None:
    route = socks(typed)
    assert (route.listen_host, route.listen_port, route.upstream) == (host, port, "")
    with pytest.raises(RouteError, match="has no port"):
        socks("localhost")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("mail.example.org", "is no server: write smtp://host"),
        ("http://mail.example.org", "is no server"),
        ("smtp://x/inbox", "is no server"),
        ("smtp://", "names no host"),
        ("smtp://:25", "names no host"),
        ("smtp://::1", "IPv6 addresses stand in brackets"),
        ("smtp://[::1", "IPv6 addresses stand in brackets"),
        ("smtp://[]", "IPv6 addresses stand in brackets"),
        ("smtp://mail example.org", "is no host and port"),
        ("smtp://x:99999", "a port is at most 65535"),
        ("smtp://x:0", "no server has the port 0"),
        ("smtp://x:smtp", "is no host and port"),
        ("65536=smtp://x", "a port is at most 65535"),
        ("²=smtp://x", "has no port"),
        ("-1=smtp://x", "has no port"),
        ("x=smtp://y", "has no port"),
        ("[::1]=smtp://y", "has no port"),
        ("pop2s://x", "is no server"),
        ("lmtp+starttls://x", "is no server"),
        ("pop3s://:2995=smtps://x", "a listener before smtp begins with smtp://, smtps://, smtp+starttls://"),
        ("imaps://:2995=smtps://x", "a listener before smtp begins with"),
        ("smtps://x:70000=smtps://x", "a port is at most 65535"),
    ],
)
def test_what_is_no_route(typed: str, told: str) -> None:
    with pytest.raises(RouteError, match=re.escape(told)):
        parse(typed)


@pytest.mark.parametrize("scheme", ["smtp", "pop3s", "imap"])
@pytest.mark.parametrize("rest", ["", ":587", "/inbox"])
def test_a_password_in_a_url_is_not_repeated(scheme: str, rest: str) -> None:
    with pytest.raises(RouteError, match="user name and password stay in the mail program") as raised:
        parse(f"2525={scheme}://alice:open=sesame@mail.example.org{rest}")
    assert "sesame" not in str(raised.value)


@pytest.mark.parametrize(
    ("typed", "ports"),
    [
        ("smtp://a smtp://b smtp://c pop3://d", [2525, 2526, 2527, 2110]),
        ("0=smtp://a 0=smtp://b", [0, 0]),
        ("2525=smtp://a smtp://b", [2525, 2526]),
        ("smtp://a 2525=smtp://b smtp://c", [2526, 2525, 2527]),
        ("smtp://a [::1]:2525=smtp://b", [2525, 2525]),
        ("2525=smtp://a 2525=smtp://b", [2525, 2525]),
        ("65535=smtp://a 65535=smtp://b", [65535, 65535]),
    ],
)
def test_a_port_is_given_to_one_server_and_one_that_was_asked_for_stays(typed: str, ports: list[int]) -> None:
    routes = [parse(each) for each in typed.split()]
    given = spread(routes)
    assert [route.listen_port for route in given] == ports
    assert [route.upstream for route in given] == [route.upstream for route in routes]


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("LocalHost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("x", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_who_can_reach_an_address(host: str, private: bool) -> None:
    assert is_private(host) is private


@pytest.mark.parametrize(
    ("typed", "security"),
    [
        ("smtps://x", "SSL/TLS"),
        ("2465=smtps://x", "SSL/TLS"),
        ("smtps://=smtps://x", "SSL/TLS"),
        ("smtp+starttls://x", "STARTTLS"),
        ("smtp://x", "none, or STARTTLS where it was that"),
    ],
)
def test_where_tls_passes_through_the_mail_program_speaks_it_with_the_server(typed: str, security: str) -> None:
    route = settled(parse(typed), apart=False)
    assert (route.security, route.presents, route.upstream) == (security, False, parse(typed).upstream)


def test_what_a_route_says_of_tls_counts_more_than_what_is_said_of_all() -> None:
    route = parse("smtps://x")
    assert settled(route, apart=True) == route._replace(apart=True)
    assert settled(route._replace(apart=True), apart=False) == route._replace(apart=True)
    assert settled(route._replace(apart=False), apart=True).client is TLS
