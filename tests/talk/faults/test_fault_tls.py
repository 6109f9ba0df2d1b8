"""TLS that is not to be had, or not to be trusted."""

import pytest

from mailproxy.model.tls import Fault
from mailproxy.talk.faults.fault import NO_TLS_SPOIL, TlsSpoil
from tests.talk.faults.fault_stage import CUTS, Stage

cuts = pytest.mark.parametrize("cut", CUTS)
OFFERS = "<-  250-mx\n<-  250-STARTTLS\n<-  250 SIZE 1"
REFUSED = b"454 4.7.0 TLS not available due to temporary reason\r\n"


@cuts
def test_it_is_refused(cut: str) -> None:
    stage = Stage("smtp", "refuse tls", cut=cut).play("<-  220 mx").play(" -> EHLO x").play(OFFERS)
    stage.play(" -> STARTTLS\n -> QUIT").play("<-  221 bye")
    assert stage.to_server == b"EHLO x\r\nQUIT\r\n"
    assert stage.own == REFUSED
    assert b"STARTTLS" in stage.to_client


@cuts
def test_it_is_stripped(cut: str) -> None:
    stage = Stage("smtp", "strip tls", cut=cut).play("<-  220 mx").play(" -> EHLO x").play(OFFERS)
    stage.play(" -> STARTTLS\n -> QUIT").play("<-  221 bye")
    assert stage.to_client == b"220 mx\r\n250-mx\r\n250 SIZE 1\r\n" + REFUSED + b"221 bye\r\n"
    assert stage.told[0] == "offer of TLS hidden by mailproxy in the reply to EHLO 1"


@cuts
def test_of_pop3(cut: str) -> None:
    stage = (
        Stage("pop3", "strip tls", cut=cut).play("<-  +OK").play(" -> CAPA").play("<-  +OK\n<-  STLS\n<-  UIDL\n<-  .")
    )
    stage.play(" -> STLS").play(" -> QUIT")
    assert stage.to_server == b"CAPA\r\nQUIT\r\n"
    assert stage.to_client == b"+OK\r\n+OK\r\nUIDL\r\n.\r\n-ERR TLS not available\r\n"


def test_a_protocol_without_tls_is_left_alone() -> None:
    stage = Stage("pop2", "strip tls", "refuse tls").play("<-  + hi").play(" -> STLS").play("<-  - what")
    assert stage.to_server == b"STLS\r\n"
    assert stage.told == []


def test_the_client_is_shown_something_bad() -> None:
    stage = Stage("smtp", "alert handshake_failure", "expired certificate", "wrong name certificate")
    assert stage.spoiler.tls == NO_TLS_SPOIL
    stage.orders += stage.spoiler.shown()
    assert stage.spoiler.tls == TlsSpoil(40, frozenset({Fault.EXPIRED, Fault.WRONG_NAME}))
    assert stage.told == [
        "alert handshake_failure sent by mailproxy in TLS with the client",
        "certificate has expired, made so by mailproxy, in TLS with the client",
        "hostname mismatch, made so by mailproxy, in TLS with the client",
    ]


@cuts
def test_commands_are_counted_on_under_tls(cut: str) -> None:
    stage = (
        Stage("smtp", "at EHLO 2 answer 421 no", cut=cut).play("<-  220 mx").play(" -> EHLO x").play("<-  250 STARTTLS")
    )
    stage.play(" -> STARTTLS").play("<-  220 go")
    stage.orders += stage.spoiler.secured()
    stage.play(" -> EHLO x")
    assert stage.own == b"421 no\r\n"
    assert stage.to_server == b"EHLO x\r\nSTARTTLS\r\n"


def test_under_tls_from_the_start_there_is_a_greeting() -> None:
    stage = Stage("pop3", "at greeting code only")
    stage.orders += stage.spoiler.secured()
    assert stage.play("<-  +OK hello").to_client == b"+OK\r\n"


def test_what_passes_under_tls_is_not_heard() -> None:
    stage = Stage("smtp", "at NOOP close", "code only").play("<-  220 mx").play(" -> STARTTLS").play("<-  220 go")
    hello = bytes([22, 3, 1, 0, 4]) + b"NOOP\r\nNOOP\r\n"
    stage.orders += stage.spoiler.asked(hello) + stage.spoiler.said(hello)
    assert stage.to_server == b"STARTTLS\r\n" + hello
    assert stage.to_client == b"220\r\n220\r\n" + hello
