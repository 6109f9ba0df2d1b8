"""SRV records, asked of a real DNS server on loopback (RFC 2782, RFC 6186)."""

from collections.abc import Mapping

import dns.rcode
import pytest
import trio
from dns.rdata import from_text
from dns.rdtypes.IN.SRV import SRV
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.app.setup import srv
from tests.app.setup_world import dns_server, resolver

HIGHEST = int  # the whole sum: the last of the lot


def ask(records: Mapping[str, list[str]], rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> srv.Told:
    with dns_server(records, rcode) as port:
        return trio.run(srv.ask, "example.org", resolver(port), HIGHEST)


def test_the_servers_of_a_domain() -> None:
    told = ask(
        {
            "_submissions._tcp.example.org": ["0 1 465 smtp.example.org."],
            "_pop3s._tcp.example.org": ["0 1 995 pop.example.org."],
        }
    )
    assert [(each.upstream, each.source) for each in told.servers] == [
        ("smtps://smtp.example.org:465", "SRV record _submissions._tcp.example.org"),
        ("pop3s://pop.example.org:995", "SRV record _pop3s._tcp.example.org"),
    ]
    assert (told.not_offered, told.trouble) == (frozenset(), "")


def test_priority_counts_across_services_and_implicit_tls_where_they_are_equal() -> None:
    told = ask(
        {
            "_submission._tcp.example.org": ["0 1 587 a.example.org.", "10 1 587 b.example.org."],
            "_submissions._tcp.example.org": ["10 1 465 c.example.org."],
        }
    )
    assert [each.upstream for each in told.servers] == [
        "smtp+starttls://a.example.org:587",
        "smtps://c.example.org:465",
        "smtp+starttls://b.example.org:587",
    ]


def test_a_dot_says_that_there_is_none_unless_another_service_has_it() -> None:
    told = ask(
        {
            "_pop3._tcp.example.org": ["0 0 0 ."],
            "_submission._tcp.example.org": ["0 0 0 ."],
            "_submissions._tcp.example.org": ["0 1 465 smtp.example.org."],
        }
    )
    assert told.not_offered == {"pop3"}
    assert [each.host for each in told.servers] == ["smtp.example.org"]


def test_a_server_of_another_domain_is_to_be_confirmed() -> None:
    told = ask({"_pop3s._tcp.example.org": ["0 1 995 pop.example.net."]})
    assert [each.note for each in told.servers] == ["is not in example.org: make sure that it is right"]


def test_what_could_harm_a_settings_file_is_left_out() -> None:
    told = ask({"_pop3s._tcp.example.org": [r"0 1 995 a\034b.example.org.", "0 1 0 pop.example.org."]})
    assert told.servers == ()


def test_no_records() -> None:
    assert ask({}) == srv.Told()


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
def test_a_server_that_fails_is_told(rcode: dns.rcode.Rcode) -> None:
    assert "_imap._tcp.example.org" in ask({}, rcode).trouble


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=8), st.integers(0, 99))
def test_any_draw_keeps_each_record_once_and_priorities_in_order(drawn: list[tuple[int, int]], lot: int) -> None:
    records = [record(priority, weight, place) for place, (priority, weight) in enumerate(drawn)]
    order = srv.by_weight(records, lots(lot))
    assert sorted(map(id, order)) == sorted(map(id, records))
    assert [each.priority for each in order] == sorted(each.priority for each in records)


def test_weight_decides_the_draw() -> None:
    light, heavy = record(0, 1, 1), record(0, 9, 2)
    first = [srv.by_weight([light, heavy], lots(lot))[0] for lot in range(1, 11)]
    assert (first.count(light), first.count(heavy)) == (1, 9)


def lots(first: int) -> srv.Chance:
    return lambda most: min(first, most)


def record(priority: int, weight: int, place: int) -> SRV:
    made = from_text("IN", "SRV", f"{priority} {weight} 465 s{place}.example.org.")
    assert isinstance(made, SRV)
    return made
