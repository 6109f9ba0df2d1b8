"""Routes, as they are typed."""

import pytest

from mailproxy.app.routes import Route, RouteError, is_private, parse, spread


@pytest.mark.parametrize(
    ("typed", "route"),
    [
        ("smtp://mail.example.org", Route("smtp", "127.0.0.1", 2525, "mail.example.org", 25)),
        ("SMTP://mail.example.org:587/", Route("smtp", "127.0.0.1", 2525, "mail.example.org", 587)),
        ("lmtp://[::1]", Route("lmtp", "127.0.0.1", 2524, "::1", 24)),
        ("2110=pop3://pop.example.org", Route("pop3", "127.0.0.1", 2110, "pop.example.org", 110)),
        ("0=pop2://pop.example.org", Route("pop2", "127.0.0.1", 0, "pop.example.org", 109)),
        ("192.0.2.1:25=smtp://x", Route("smtp", "192.0.2.1", 25, "x", 25)),
        ("[::1]:2525=smtp://[2001:db8::25]:26", Route("smtp", "::1", 2525, "2001:db8::25", 26)),
    ],
)
def test_a_route(typed: str, route: Route) -> None:
    assert parse(typed) == route
    assert parse(f"{route.listen_port}={route.upstream}")[3:] == (route.host, route.port)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("mail.example.org", "is no server: write smtp://host"),
        ("http://mail.example.org", "is no server"),
        ("smtp://", "names no host"),
        ("smtp://::1", "IPv6 addresses stand in brackets"),
        ("smtp://x:99999", "a port is at most 65535"),
        ("x=smtp://y", "has no port"),
        ("smtps://x", "no TLS of its own yet"),
        ("pop3+starttls://x", "no TLS of its own yet"),
    ],
)
def test_what_is_no_route(typed: str, told: str) -> None:
    with pytest.raises(RouteError, match=told):
        parse(typed)


def test_servers_of_one_protocol_get_ports_one_after_another() -> None:
    routes = spread(parse(each) for each in ("smtp://a", "smtp://b", "pop3://c", "0=smtp://d", "0=smtp://e"))
    assert [route.listen_port for route in routes] == [2525, 2526, 2110, 0, 0]


@pytest.mark.parametrize(
    ("host", "private"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("x", False)],
)
def test_who_can_reach_an_address(host: str, private: bool) -> None:
    assert is_private(host) is private
