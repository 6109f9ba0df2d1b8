"""Which sessions belong to one click."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

from mailproxy.analysis.clients.actions import GAP, Envelope, actions, envelope
from mailproxy.model.octets import Side
from mailproxy.model.session import Leg, Session

from .test_clients_behaviour import GREYLISTED, SENT, recording

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LUNCH = Envelope("alice@example.org", frozenset({"bob@example.net"}))
OTHER = Envelope("alice@example.org", frozenset({"carol@example.net"}))


def session(
    number: int, at: float, lasts: float | None = 1, *, failed: bool = False, client: str = "192.0.2.7",
    server: str = "mail.example.org", protocol: str = "smtp", port: int = 587,
) -> Session:  # fmt: skip
    return Session(
        number, protocol, NOON + timedelta(seconds=at),
        client=Leg(Side.CLIENT, client), server=Leg(Side.SERVER, server, port=port),
        duration=None if lasts is None else int(lasts * 1_000_000), failed=failed,
    )  # fmt: skip


def numbers(
    found: list[Session], envelopes: dict[int, Envelope] | None = None, gap: timedelta = GAP
) -> list[list[int]]:
    return [[each.id for each in action.sessions] for action in actions(found, envelopes, gap)]


def test_another_try_after_a_failure_is_of_the_same_click() -> None:
    assert numbers([session(1, 0, failed=True), session(2, 1.1)]) == [[1, 2]]


def test_what_comes_after_a_success_is_a_click_of_its_own() -> None:
    assert numbers([session(1, 0), session(2, 1.1)]) == [[1], [2]]


def test_connections_beside_one_another_are_of_one_click() -> None:
    assert numbers([session(1, 0, 5), session(2, 0.1, 5), session(3, 4)]) == [[1, 2, 3]]


def test_a_later_try_is_a_click_of_its_own() -> None:
    tried = [session(1, 0, failed=True), session(2, 32)]
    assert numbers(tried) == [[1], [2]]
    assert numbers(tried, gap=timedelta(minutes=1)) == [[1, 2]]


def test_another_envelope_is_of_another_click() -> None:
    tried = [session(1, 0, failed=True), session(2, 1.1)]
    assert numbers(tried, {1: LUNCH, 2: OTHER}) == [[1], [2]]
    assert numbers(tried, {1: LUNCH, 2: LUNCH}) == [[1, 2]]
    assert numbers(tried, {2: LUNCH}) == [[1, 2]]  # the first came to no envelope


def test_a_third_try_is_measured_by_all_before() -> None:
    tried = [session(1, 0, failed=True), session(2, 1.1, failed=True), session(3, 2.2)]
    assert numbers(tried, {1: LUNCH, 3: OTHER}) == [[1, 2], [3]]


def test_recipients_may_become_fewer() -> None:
    both = Envelope("alice@example.org", LUNCH.recipients | OTHER.recipients)
    assert numbers([session(1, 0, failed=True), session(2, 1.1)], {1: both, 2: OTHER}) == [[1, 2]]


def test_other_clients_servers_and_protocols_are_other_clicks() -> None:
    tried = [
        session(1, 0, failed=True),
        session(2, 0.2, failed=True, client="192.0.2.8"),
        session(3, 0.3, failed=True, server="mail.example.net"),
        session(4, 0.4, failed=True, protocol="pop3"),
        session(5, 0.5, port=465),
    ]
    assert numbers(tried) == [[1, 5], [2], [3], [4]]


def test_one_that_goes_on_belongs_to_what_it_began_with() -> None:
    assert numbers([session(1, 0, failed=True), session(2, 1.1, None), session(3, 60)]) == [[1, 2], [3]]


def test_the_order_in_which_they_are_given_does_not_matter() -> None:
    tried = [session(1, 0, failed=True), session(2, 1.1, failed=True), session(3, 50), session(4, 50.2)]
    assert {str(numbers(list(each))) for each in permutations(tried)} == {"[[1, 2], [3, 4]]"}


def test_the_last_session_decided() -> None:
    [action] = actions([session(2, 1.1), session(1, 0, failed=True)])
    assert action.last.id == 2


def test_an_envelope_is_read_from_a_recording() -> None:
    assert envelope(recording(SENT)) == LUNCH
    assert envelope(recording(GREYLISTED)) == Envelope("alice@example.org")
    assert envelope(recording("pop3 110\n<-  +OK ready\n -> QUIT\n<-  +OK bye\n")) == Envelope()
