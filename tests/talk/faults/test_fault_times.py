"""How often, over all sessions."""

from mailproxy.talk.faults.orders import Hand, Order
from mailproxy.talk.faults.parse import parse
from mailproxy.talk.faults.sessions import Faults
from mailproxy.talk.faults.spoiler import Spoiler


def refused(spoiler: Spoiler) -> bool:
    """Whether NOOP is answered by mailproxy in this session."""
    orders: list[Order] = [*spoiler.asked(b"NOOP\r\n"), *spoiler.said(b"250 ok\r\n")]
    return any(isinstance(order, Hand) and order.own for order in orders)


def session(faults: Faults) -> Spoiler:
    spoiler = faults.session("smtp")
    spoiler.connected()
    spoiler.said(b"220 mx\r\n")
    return spoiler


def sessions(when: str, count: int = 6) -> list[bool]:
    """In which sessions NOOP is refused; each is over before the next begins."""
    faults = Faults((parse(f"at NOOP answer 421 no {when}"),))
    found = []
    for _ in range(count):
        spoiler = session(faults)
        found.append(refused(spoiler))
        spoiler.leave()
    return found


def test_the_first() -> None:
    assert sessions("first 2") == [True, True, False, False, False, False]


def test_one_in_so_many() -> None:
    assert sessions("one in 3") == [False, False, True, False, False, True]


def test_some_sessions() -> None:
    assert sessions("in session 2") == [False, True, False, False, False, False]
    assert sessions("from session 5") == [False, False, False, False, True, True]


def test_while_many_are_connected() -> None:
    faults = Faults((parse("at NOOP answer 421 no above 2 connections"),))
    first, second, third = (session(faults) for _ in range(3))
    assert refused(first)
    third.leave()
    third.leave()
    assert not refused(second)


def test_behind_so_many_messages() -> None:
    spoiler = session(Faults((parse("at MAIL answer 421 no after 1 message"),)))
    assert spoiler.asked(b"MAIL FROM:<>\r\n")[-1].octets == b"MAIL FROM:<>\r\n"  # type: ignore[union-attr]
    spoiler.said(b"250 ok\r\n")
    spoiler.asked(b"DATA\r\n")
    spoiler.said(b"354 go\r\n")
    spoiler.asked(b"a\r\n.\r\n")
    spoiler.said(b"250 ok\r\n")
    assert Hand(b"421 no\r\n", own=True) in spoiler.asked(b"MAIL FROM:<>\r\n")


def test_without_a_place_a_time_is_a_session() -> None:
    faults = Faults((parse("code only first 1"),))
    first, second = faults.session("smtp"), faults.session("smtp")
    assert first.said(b"220 mx\r\n")[-1] == Hand(b"220\r\n", own=True)
    assert first.said(b"220 mx\r\n")[-1] == Hand(b"220\r\n", own=True)
    assert second.said(b"220 mx\r\n") == [Hand(b"220 mx\r\n")]


def test_a_fault_that_is_wanted_twice_is_one() -> None:
    fault = parse("at NOOP answer 421 no first 1")
    assert Faults((fault, fault)).faults == (fault,)
