"""The relay and TLS, as scripts of what happens: mirrored, and spoken for one of the peers; in every segmentation."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from mailproxy.model.exchange import Flag
from mailproxy.model.octets import Frame, Side
from mailproxy.model.session import How
from mailproxy.model.tls import Security, Verify
from mailproxy.talk.ways import Insecure, Ways
from tests.play import told

from .stage import BAD, CUTS, GOOD, C, Ends, Event, Fails, S, Says, Secures, Stage

NONE, STARTTLS, TLS = Security.NONE, Security.STARTTLS, Security.TLS
cuts = pytest.mark.parametrize("cut", CUTS)
ALERT = b"\x15\x03\x01\x00\x02\x02"
AGREED = ", TLSv1.3, TLS_AES_256_GCM_SHA384"
WITH_SERVER = "=== TLS with the server: TLSv1.3, TLS_AES_256_GCM_SHA384, certificate of mail.example.org"
WITH_CLIENT = "=== TLS with the client: TLSv1.3, TLS_AES_256_GCM_SHA384"

GREETING = Says(S, b"220 mail.example.org\r\n")
EHLO = Says(C, b"EHLO x\r\n")
OFFERS = Says(S, b"250-mail.example.org\r\n250-STARTTLS\r\n250 SIZE 1000\r\n")
WISH = Says(C, b"STARTTLS\r\n")
READY = Says(S, b"220 2.0.0 ready\r\n")
UPGRADED = (Secures(S), Secures(C))
QUIT = (Says(C, b"QUIT\r\n"), Says(S, b"221 bye\r\n"), Ends(S, True), Ends(C, True))
POP = {
    "greeting": Says(S, b"+OK POP\r\n"),
    "wish": Says(C, b"STLS\r\n"),
    "ready": Says(S, b"+OK begin\r\n"),
    "refused": Says(S, b"-ERR no TLS here\r\n"),
}


def secure(stage: Stage) -> set[tuple[Side, bool]]:
    return {(entry.side, entry.secure) for entry in stage.entries if isinstance(entry, Frame)}


# Mirrored: STARTTLS is granted by the server, and both are upgraded.


@cuts
def test_starttls_granted(cut: str) -> None:
    stage = Stage("smtp", Ways())
    stage.play(GREETING, EHLO, OFFERS, WISH, READY, *UPGRADED, EHLO, OFFERS, *QUIT, cut=CUTS[cut])
    assert told(stage.exchanges) == ("- -> 220 greeting\nEHLO x -> 250\nSTARTTLS -> 220\nEHLO x -> 250\nQUIT -> 221")
    assert stage.notes == [
        WITH_SERVER,
        WITH_CLIENT,
        "*** closed by the server (close_notify)",
        "=== closed by the client too (close_notify)",
    ]
    assert stage.got[S] == b"EHLO x\r\nSTARTTLS\r\nEHLO x\r\nQUIT\r\n"
    assert stage.got[C].count(b"250-STARTTLS") == 2, "a mirrored session hides nothing"
    assert secure(stage) == {(side, flag) for side in Side for flag in (True, False)}
    assert [finish.notify for finish in stage.finished] == [True, True]
    stage.check()


@cuts
def test_stls_granted(cut: str) -> None:
    stage = Stage("pop3", Ways())
    stage.play(POP["greeting"], POP["wish"], POP["ready"], *UPGRADED, Says(C, b"NOOP\r\n"), cut=CUTS[cut])
    assert told(stage.exchanges) == "- -> +OK greeting\nSTLS -> +OK"
    assert stage.got == {C: b"+OK POP\r\n+OK begin\r\n", S: b"STLS\r\nNOOP\r\n"}
    stage.check()


@cuts
def test_the_client_is_not_read_between_its_wish_and_its_handshake(cut: str) -> None:
    stage = Stage("smtp", Ways()).play(GREETING, WISH, cut=CUTS[cut])
    assert not stage.listens
    stage.play(READY, cut=CUTS[cut])
    assert stage.shaking is S
    stage.play(Secures(S))
    assert stage.shaking is C
    stage.play(Secures(C))
    assert stage.listens
    stage.check()


REFUSALS = {
    "smtp": (GREETING, WISH, Says(S, b"454 4.7.0 not now\r\n"), "STARTTLS -> 454"),
    "pop3": (POP["greeting"], POP["wish"], POP["refused"], "STLS -> -ERR"),
}


@cuts
@pytest.mark.parametrize("protocol", REFUSALS)
def test_refused_and_the_client_goes_on(protocol: str, cut: str) -> None:
    greeting, wish, refusal, row = REFUSALS[protocol]
    stage = Stage(protocol, Ways()).play(greeting, wish, refusal, Says(C, b"NOOP\r\n"), cut=CUTS[cut])
    assert stage.listens
    assert told(stage.exchanges).splitlines()[1:] == [row]
    assert stage.got[S] == wish.octets + b"NOOP\r\n"
    assert stage.notes == []
    stage.check()


@pytest.mark.parametrize("protocol", REFUSALS)
def test_refused_and_what_stands_behind_goes_on_as_commands(protocol: str) -> None:
    greeting, wish, refusal, _ = REFUSALS[protocol]
    stage = Stage(protocol, Ways())
    behind = b"NOOP\r\n" + wish.octets + b"RSET\r\n"
    stage.play(greeting, Says(C, wish.octets + behind))
    assert stage.got[S] == wish.octets
    stage.play(refusal)
    assert stage.got[S] == wish.octets + b"NOOP\r\n" + wish.octets
    stage.play(Says(S, refusal.octets * 2))
    assert stage.got[S] == wish.octets + behind
    assert Flag.STRAY not in {flag for each in stage.exchanges for flag in each.flags}
    assert stage.listens
    stage.check()


def test_a_telnet_command_behind_a_refused_wish_is_answered() -> None:
    stage = Stage("smtp", Ways()).play(GREETING, Says(C, b"STARTTLS\r\n\xff\xfb\x18NOOP\r\n"))
    stage.play(Says(S, b"454 no\r\n"))
    assert stage.got == {C: GREETING.octets + b"454 no\r\n\xff\xfe\x18", S: b"STARTTLS\r\nNOOP\r\n"}
    stage.check()


def test_a_second_wish_is_granted() -> None:
    stage = Stage("smtp", Ways()).play(GREETING, WISH, Says(S, b"454 later\r\n"), WISH, READY, *UPGRADED, EHLO)
    assert told(stage.exchanges).splitlines()[1:] == ["STARTTLS -> 454", "STARTTLS -> 220"]
    stage.check()


# Octets where TLS is to begin (CVE-2011-0411).

PLAIN = base64.b64encode(b"\0alice\0Tr0ub4dor&3").decode()


def test_strays_of_the_client_go_nowhere() -> None:
    stage = Stage("smtp", Ways()).play(GREETING, Says(C, b"STARTTLS\r\nMAIL FROM:<a@x>\r\n"), READY)
    assert stage.got[S] == b"STARTTLS\r\n"
    assert stage.notes == [r"*** dropped 17 octets of the client behind STARTTLS: MAIL FROM:<a@x>\x0d\x0a"]
    stage.play(*UPGRADED, EHLO, OFFERS)
    assert stage.got[S] == b"STARTTLS\r\nEHLO x\r\n"
    assert told(stage.exchanges).splitlines()[1:] == ["STARTTLS -> 220 stray", "EHLO x -> 250"]
    stage.check()


def test_strays_of_the_server_go_nowhere() -> None:
    stage = Stage("smtp", Ways()).play(GREETING, WISH, Says(S, READY.octets + b"250 x\r\n"))
    assert stage.got[C] == GREETING.octets + READY.octets
    assert stage.notes == [r"*** dropped 7 octets of the server behind STARTTLS: 250 x\x0d\x0a"]
    stage.play(*UPGRADED, EHLO, OFFERS)
    assert told(stage.exchanges).splitlines()[1:] == ["STARTTLS -> 220 stray", "EHLO x -> 250"]
    stage.check()


def test_strays_of_both_and_of_pop3() -> None:
    stage = Stage("pop3", Ways()).play(POP["greeting"], Says(C, b"STLS\r\nCAPA\r\n"), Says(S, b"+OK\r\n+OK\r\nx"))
    assert stage.notes == [
        r"*** dropped 6 octets of the client behind STLS: CAPA\x0d\x0a",
        r"*** dropped 6 octets of the server behind STLS: +OK\x0d\x0ax",
    ]
    stage.play(*UPGRADED, Says(C, b"STAT\r\n"), Says(S, b"+OK 0 0\r\n"))
    assert told(stage.exchanges).splitlines()[1:] == ["STLS -> +OK stray", "STAT -> +OK"]
    stage.check()


@pytest.mark.parametrize(
    ("protocol", "behind"),
    [
        ("smtp", f"AUTH PLAIN {PLAIN}\r\n"),
        ("smtp", f"AUTH PLAIN\r\n{PLAIN}\r\n"),
        ("smtp", f"EHLO x\r\nAUTH LOGIN\r\n{PLAIN}\r\n"),
        ("pop3", "PASS Tr0ub4dor&3\r\n"),
        ("pop3", "USER alice\r\nPASS Tr0ub4dor&3\r\n"),
        ("pop3", "USER alice\r\nTr0ub4dor&3"),
        ("pop3", f"AUTH PLAIN {PLAIN}\r\n"),
    ],
)
@pytest.mark.parametrize("answer", ["granted", "refused", "none", "closed"])
def test_no_secret_among_strays_is_told(protocol: str, behind: str, answer: str) -> None:
    greeting, wish, refusal, _ = REFUSALS[protocol]
    ready = READY if protocol == "smtp" else POP["ready"]
    stage = Stage(protocol, Ways()).play(greeting, Says(C, wish.octets + behind.encode()))
    match answer:
        case "granted":
            stage.play(ready, *UPGRADED)
        case "refused":
            stage.play(refusal)
        case "closed":
            stage.play(Ends(S))
    stage.check()
    for secret in (b"Tr0ub4dor&3", PLAIN.encode()):
        assert secret not in stage.recorded


@pytest.mark.parametrize("behind", [f"{PLAIN}\r\n", PLAIN, f"NOOP\r\n{PLAIN}\r\n", "Tr0ub4dor&3"])
def test_no_secret_is_told_though_nothing_says_that_it_is_one(behind: str) -> None:
    """A line without a verb, dropped, may be the response of an AUTH that went before."""
    stage = Stage("smtp", Ways()).play(GREETING, Says(C, b"STARTTLS\r\n" + behind.encode()), READY, *UPGRADED)
    assert "behind STARTTLS: " in stage.notes[0]
    for secret in (b"Tr0ub4dor&3", PLAIN.encode()):
        assert secret not in stage.check().recorded


def test_strays_behind_a_wish_that_nobody_answers_are_told() -> None:
    stage = Stage("smtp", Ways()).play(GREETING, WISH, Says(S, b"454 no\r\n"), Says(C, b"STARTTLS\r\nNOOP\r\n")).check()
    assert r"*** dropped 6 octets of the client behind STARTTLS: NOOP\x0d\x0a" in stage.notes
    assert told(stage.exchanges).splitlines()[1:] == ["STARTTLS -> 454", "STARTTLS -> stray"]


def test_the_server_leaves_instead_of_answering() -> None:
    """What stands behind goes on, and above all the client is heard again."""
    stage = Stage("smtp", Ways()).play(GREETING, Says(C, b"STARTTLS\r\nNOOP\r\n"), Ends(S))
    assert stage.listens
    assert stage.got[S] == b"STARTTLS\r\nNOOP\r\n"
    stage.play(Ends(C))
    assert stage.notes == ["*** closed by the server", "=== closed by the client too"]
    stage.check()


def test_a_wish_that_was_on_its_way_before_it_was_read_as_one() -> None:
    """DATA, with a wish behind it that becomes one when DATA is refused; what stands behind it has gone on already."""
    stage = Stage("smtp", Ways()).play(GREETING, Says(C, b"DATA\r\nSTARTTLS\r\nXX"))
    stage.play(Says(S, b"503 no\r\n"), READY)
    assert stage.got[S] == b"DATA\r\nSTARTTLS\r\nXX"
    assert stage.shaking is S
    stage.check()


@cuts
def test_starttls_within_a_message_is_content(cut: str) -> None:
    stage = Stage("smtp", Ways())
    message = b"Subject: x\r\n\r\nSTARTTLS\r\n220 ready\r\n.\r\n"
    stage.play(GREETING, Says(C, b"DATA\r\n"), Says(S, b"354 go\r\n"), Says(C, message), cut=CUTS[cut])
    stage.play(Says(S, b"250 ok\r\n"), cut=CUTS[cut])
    assert told(stage.exchanges).splitlines()[1:] == ["DATA -> 354,250 [38]"]
    stage.check()


def test_pipelined_with_an_earlier_command() -> None:
    stage = Stage("smtp", Ways()).play(GREETING, Says(C, b"EHLO x\r\nSTARTTLS\r\n"))
    assert not stage.listens
    stage.play(Says(S, OFFERS.octets + READY.octets), *UPGRADED, *QUIT)
    assert told(stage.exchanges).splitlines()[1:] == ["EHLO x -> 250", "STARTTLS -> 220", "QUIT -> 221"]
    stage.check()


# What may go wrong with TLS.


@pytest.mark.parametrize(("alert", "reached"), [(40, ALERT + b"\x28"), (70, ALERT + b"\x46"), (None, b"")])
def test_an_alert_of_the_server_reaches_the_client(alert: int | None, reached: bytes) -> None:
    stage = Stage("smtp", Ways()).play(GREETING, WISH, READY)
    stage.play(Fails(S, Insecure("alert x from the server", alert, S)))
    assert stage.got[C] == GREETING.octets + READY.octets + reached
    assert stage.notes == ["*** TLS failed with the server: alert x from the server"]
    assert stage.relay.endings[S].by is S
    assert stage.relay.endings[S].how is How.FAILED
    assert (stage.relay.endings[C].by, stage.relay.endings[C].how) == (None, How.CUT)
    stage.check()


def test_a_server_that_goes_on_in_clear_is_heard_by_the_client() -> None:
    stage = Stage("smtp", Ways()).play(GREETING, WISH, READY)
    stage.play(Fails(S, Insecure("it speaks in clear", None, S, b"421 no")))
    assert stage.got[C].endswith(b"220 2.0.0 ready\r\n421 no")
    assert stage.check().talk()[-2:] == ["<-  421 no\\", "*** TLS failed with the server: it speaks in clear"]


@pytest.mark.parametrize("clear", [b"QUIT\r\n", b"MAIL FROM:<a@x>", b"AUTH PLAIN " + PLAIN.encode(), PLAIN.encode()])
def test_a_client_that_goes_on_in_clear_is_recorded_and_not_handed_on(clear: bytes) -> None:
    stage = Stage("smtp", Ways()).play(GREETING, WISH, READY, Secures(S))
    stage.play(Fails(C, Insecure("it speaks in clear", None, C, clear)))
    assert stage.got[S] == b"STARTTLS\r\n"
    assert stage.notes[-1] == "*** TLS failed with the client: it speaks in clear"
    stage.check()


def test_a_server_that_nobody_trusts_is_mirrored() -> None:
    stage = Stage("smtp", Ways()).play(GREETING, WISH, READY, Secures(S, BAD))
    assert stage.shaking is C
    stage.play(Fails(C, Insecure("alert certificate_expired from the client", 45, C)))
    assert stage.notes == [
        WITH_SERVER,
        "=== the server's certificate is not trusted: certificate has expired",
        "*** TLS failed with the client: alert certificate_expired from the client",
    ]
    stage.check()


@pytest.mark.parametrize(
    ("ways", "told_client"),
    [
        (Ways(verify=Verify.STRICT), True),
        (Ways(TLS, TLS, verify=Verify.STRICT), True),
        (Ways(NONE, TLS, verify=Verify.STRICT), False),
        (Ways(STARTTLS, TLS, verify=Verify.STRICT), False),
        (Ways(NONE, STARTTLS, verify=Verify.STRICT), False),
        (Ways(TLS, STARTTLS, verify=Verify.STRICT), True),
        (Ways(NONE, TLS), False),  # in clear the client could not be shown what is wrong
        (Ways(NONE, STARTTLS), False),
    ],
)
def test_a_server_that_nobody_trusts_is_refused(ways: Ways, told_client: bool) -> None:
    stage = Stage("smtp", ways)
    if ways.server is NONE:
        stage.play(GREETING, WISH, READY)
    elif ways.server is STARTTLS:
        stage.play(GREETING, OFFERS, READY)
    before = stage.got[C]
    stage.play(Secures(S, BAD))
    assert stage.got[C] == before + (ALERT + b"\x31" if told_client else b"")
    assert stage.notes[-1].startswith("*** TLS failed with the server: certificate has expired; ended by mailproxy (")
    assert stage.relay.over
    assert stage.shaking is None
    stage.check()


@pytest.mark.parametrize("server", [TLS, STARTTLS])
@pytest.mark.parametrize("hello", [b"\x16", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"])
def test_a_client_with_tls_at_a_port_in_clear_is_told_apart(server: Security, hello: bytes) -> None:
    stage = Stage("smtp", Ways(NONE, server))
    stage.play(*([GREETING, OFFERS, READY] if server is STARTTLS else []), Secures(S))
    before = stage.got[S]
    stage.play(Says(C, hello))
    assert stage.got[S] == before
    assert stage.notes[-1].startswith(
        "*** TLS failed with the client: it begins TLS, and this port of mailproxy is in clear"
    )
    assert stage.relay.over


def test_tls_fails_later_on() -> None:
    """With TLS 1.3, a server tells only then that it wants a certificate."""
    stage = Stage("smtp", Ways(TLS, TLS)).play(*UPGRADED, GREETING)
    stage.play(Fails(S, Insecure("alert certificate_required from the server", 116, S)))
    assert stage.got[C] == GREETING.octets
    assert stage.notes[-1] == "*** TLS failed with the server: alert certificate_required from the server"
    stage.check()


def test_the_client_had_left_when_tls_was_granted() -> None:
    stage = Stage("smtp", Ways()).play(GREETING, WISH, Ends(C), READY)
    assert stage.shaking is None
    assert stage.notes == [
        "*** closed by the client without QUIT",
        "*** TLS failed with the client: closed before the handshake",
    ]
    stage.check()


# Both under TLS from the start, or one of them.


@cuts
@pytest.mark.parametrize("ways", [Ways(TLS, TLS), Ways(NONE, TLS), Ways(TLS, NONE)])
def test_under_tls_from_the_start(ways: Ways, cut: str) -> None:
    stage = Stage("smtp", ways)
    stage.play(*(Secures(side) for side, way in ((S, ways.server), (C, ways.client)) if way is TLS))
    stage.play(GREETING, EHLO, OFFERS, *QUIT, cut=CUTS[cut])
    assert stage.got == {
        C: GREETING.octets + OFFERS.octets + b"221 bye\r\n",
        S: b"EHLO x\r\nQUIT\r\n",
    }
    assert secure(stage) == {(C, ways.client is TLS), (S, ways.server is TLS)}
    stage.check()


def test_the_server_ends_without_a_word_and_so_do_we() -> None:
    stage = Stage("smtp", Ways(TLS, TLS)).play(*UPGRADED, GREETING, Ends(S, False), Ends(C, True))
    assert stage.notes[-2:] == [
        "*** closed by the server (no close_notify)",
        "=== closed by the client too (close_notify)",
    ]
    assert [(finish.to, finish.notify) for finish in stage.finished] == [(C, False), (S, True)]
    stage.check()


# mailproxy asks the server for TLS, on behalf of a client in clear, or under TLS.

HELLO = b"EHLO [192.0.2.1]\r\n"
ASKS = "=== mailproxy asks the server for TLS, with STARTTLS"
TO_SERVER = [Ways(NONE, STARTTLS), Ways(TLS, STARTTLS)]


@cuts
@pytest.mark.parametrize("ways", TO_SERVER)
def test_mailproxy_asks_the_server_for_tls(ways: Ways, cut: str) -> None:
    stage = Stage("smtp", ways).play(GREETING, cut=CUTS[cut])
    assert stage.got == {C: b"", S: HELLO}
    stage.play(OFFERS, READY, Secures(S), cut=CUTS[cut])
    if ways.client is TLS:
        stage.play(Secures(C))
    assert stage.got == {C: GREETING.octets, S: HELLO + b"STARTTLS\r\n"}
    stage.play(EHLO, OFFERS, *QUIT, cut=CUTS[cut])
    seen = OFFERS.octets if ways.client is TLS else b"250-mail.example.org\r\n250 SIZE 1000\r\n"
    assert stage.got[C] == GREETING.octets + seen + b"221 bye\r\n"
    assert stage.got[S] == HELLO + b"STARTTLS\r\nEHLO x\r\nQUIT\r\n"
    assert told(stage.exchanges).splitlines()[1:] == [
        "EHLO [192.0.2.1] -> 250", "STARTTLS -> 220", "EHLO x -> 250", "QUIT -> 221",
    ]  # fmt: skip
    assert stage.notes[0] == ASKS
    assert ("=== mailproxy hides from the client that the server offers STARTTLS" in stage.notes) == (
        ways.client is NONE
    )
    stage.check()


@cuts
def test_mailproxy_asks_a_pop3_server_for_tls(cut: str) -> None:
    stage = Stage("pop3", Ways(NONE, STARTTLS))
    capa = Says(S, b"+OK\r\nSTLS\r\nUIDL\r\n.\r\n")
    stage.play(POP["greeting"], capa, POP["ready"], Secures(S), Says(C, b"CAPA\r\n"), capa, cut=CUTS[cut])
    assert stage.got == {C: b"+OK POP\r\n+OK\r\nUIDL\r\n.\r\n", S: b"CAPA\r\nSTLS\r\nCAPA\r\n"}
    stage.check()


NO_TLS: dict[str, tuple[list[Event], str, bytes]] = {
    "no offer": (
        [GREETING, Says(S, b"250-x\r\n250 SIZE 1\r\n")],
        "it offers no STARTTLS",
        b"",
    ),
    "no EHLO": ([GREETING, Says(S, b"502 what\r\n")], "it offers no STARTTLS", b""),
    "refused": ([GREETING, OFFERS, Says(S, b"454 not now\r\n")], "it refuses STARTTLS", b""),
    "turned away": (
        [Says(S, b"554 go away\r\n")],
        "it was not asked, for the server turns everybody away",
        b"554 go away\r\n",
    ),
    "turned away, in two lines": (
        [Says(S, b"421-go\r\n421 away\r\n")],
        "it was not asked, for the server turns everybody away",
        b"421-go\r\n421 away\r\n",
    ),
    "left before it greeted": ([Ends(S)], "closed before the handshake", b""),
    "left in its greeting": ([Says(S, b"220-x\r\n"), Ends(S)], "closed before the handshake", b"220-x\r\n"),
    "left behind its greeting": ([GREETING, Ends(S)], "closed before the handshake", GREETING.octets),
    "left instead of granting": ([GREETING, OFFERS, Ends(S)], "closed before the handshake", GREETING.octets),
    "handshake": (
        [GREETING, OFFERS, READY, Fails(S, Insecure("alert x from the server", 40, S))],
        "alert x from the server",
        b"",
    ),
    "in clear": (
        [GREETING, OFFERS, READY, Fails(S, Insecure("it speaks in clear", None, S, b"500 x\r\n"))],
        "it speaks in clear",
        b"",
    ),
}


@cuts
@pytest.mark.parametrize("what", NO_TLS)
@pytest.mark.parametrize("ways", TO_SERVER)
def test_no_tls_is_to_be_had(ways: Ways, what: str, cut: str) -> None:
    """The session is over, for in clear it must not go on; a client that speaks no TLS is sent no octets of it."""
    events, why, seen = NO_TLS[what]
    stage = Stage("smtp", ways).play(*events, cut=CUTS[cut])
    assert stage.relay.over
    assert stage.notes[-1] == f"*** TLS failed with the server: {why}"
    if ways.client is NONE:
        assert stage.got[C] == seen
    stage.check()


def test_a_server_that_talks_too_much_before() -> None:
    stage = Stage("smtp", Ways(NONE, STARTTLS)).play(Says(S, b"220-x\r\n" * 20_000))
    assert stage.relay.over
    stage.check()


def test_a_server_that_says_more_than_its_greeting() -> None:
    stage = Stage("smtp", Ways(NONE, STARTTLS)).play(Says(S, GREETING.octets + b"250 really\r\n"), OFFERS, READY)
    assert stage.shaking is S
    stage.play(Secures(S))
    assert stage.got[C] == GREETING.octets + b"250 really\r\n"
    stage.check()


def test_strays_of_a_server_that_mailproxy_asked() -> None:
    stage = Stage("smtp", Ways(NONE, STARTTLS)).play(GREETING, OFFERS, Says(S, READY.octets + b"250 x\r\n"))
    assert stage.notes[1:] == [r"*** dropped 7 octets of the server behind STARTTLS: 250 x\x0d\x0a"]
    stage.play(Secures(S), EHLO, OFFERS)
    assert told(stage.exchanges).splitlines()[2:] == ["STARTTLS -> 220 stray", "EHLO x -> 250"]
    stage.check()


@cuts
def test_the_offer_is_hidden_from_a_client_that_does_not_wait(cut: str) -> None:
    """Answers that come in one piece with others."""
    stage = Stage("smtp", Ways(NONE, STARTTLS)).play(GREETING, OFFERS, READY, Secures(S))
    stage.play(Says(C, b"NOOP\r\nEHLO x\r\nNOOP\r\nEHLO x\r\n"))
    before = stage.got[C]
    answers = b"250 noop\r\n" + OFFERS.octets + b"250 noop\r\n" + OFFERS.octets
    stage.play(Says(S, answers), cut=CUTS[cut])
    assert stage.got[C] == before + answers.replace(b"250-STARTTLS\r\n", b"")
    stage.check()


def test_an_answer_that_never_ends_goes_on() -> None:
    stage = Stage("smtp", Ways(NONE, TLS)).play(Secures(S), GREETING, EHLO)
    stage = Stage("smtp", Ways(STARTTLS, NONE)).play(GREETING, EHLO, Says(S, b"250-STARTTLS\r\n" * 10_000))
    assert len(stage.got[C]) > 50_000
    stage.play(Ends(S), Ends(C))
    assert stage.got[C] == GREETING.octets + b"250-STARTTLS\r\n" * 10_000
    stage.check()


# mailproxy offers TLS to the client.

FROM_CLIENT = [Ways(STARTTLS, NONE), Ways(STARTTLS, TLS), Ways(STARTTLS, STARTTLS)]
GRANTED = b"220 2.0.0 Ready to start TLS\r\n"


def offering(ways: Ways) -> Stage:
    """A session in which the client has been greeted."""
    stage = Stage("smtp", ways)
    if ways.server is TLS:
        stage.play(Secures(S))
    stage.play(GREETING)
    if ways.server is STARTTLS:
        stage.play(OFFERS, READY, Secures(S))
    stage.got = {C: b"", S: b""}
    return stage


@cuts
@pytest.mark.parametrize("ways", FROM_CLIENT)
@pytest.mark.parametrize("lines", [b"250 mail.example.org\r\n", b"250-mail.example.org\r\n250 SIZE 1\r\n"])
def test_mailproxy_offers_the_client_tls(ways: Ways, lines: bytes, cut: str) -> None:
    stage = offering(ways).play(EHLO, Says(S, lines), WISH, cut=CUTS[cut])
    offered = b"250-" + lines[4:] if lines.count(b"\n") == 1 else lines.replace(b"250 S", b"250-S")
    assert stage.got == {C: offered + b"250 STARTTLS\r\n" + GRANTED, S: b"EHLO x\r\n"}
    assert stage.shaking is C
    stage.play(Secures(C), EHLO, Says(S, lines), *QUIT, cut=CUTS[cut])
    assert stage.got[C].endswith(GRANTED + lines + b"221 bye\r\n")
    assert stage.got[S] == b"EHLO x\r\nEHLO x\r\nQUIT\r\n"
    assert told(stage.exchanges).splitlines()[-4:] == [
        "EHLO x -> 250", "STARTTLS -> 220", "EHLO x -> 250", "QUIT -> 221",
    ]  # fmt: skip
    assert "=== mailproxy offers the client STARTTLS" in stage.notes
    stage.check()


@pytest.mark.parametrize("ways", FROM_CLIENT)
def test_a_client_that_does_not_wait_for_what_was_offered(ways: Ways) -> None:
    stage = offering(ways).play(Says(C, b"EHLO x\r\nSTARTTLS\r\n"))
    assert not stage.listens
    assert stage.got == {C: b"", S: b"EHLO x\r\n"}
    stage.play(Says(S, b"250 x\r\n"))
    assert stage.got[C] == b"250-x\r\n250 STARTTLS\r\n" + GRANTED
    stage.play(Secures(C), *QUIT)
    assert stage.listens
    stage.check()


def test_a_client_that_wishes_for_tls_before_it_was_greeted() -> None:
    stage = Stage("smtp", Ways(STARTTLS, NONE)).play(WISH)
    assert stage.got == {C: b"", S: b""}
    stage.play(GREETING)
    assert stage.got[C] == GREETING.octets + GRANTED
    stage.play(Secures(C), *QUIT).check()


@pytest.mark.parametrize("ways", FROM_CLIENT)
def test_strays_of_a_client_that_mailproxy_grants_tls(ways: Ways) -> None:
    stage = offering(ways).play(Says(C, b"STARTTLS\r\nAUTH PLAIN " + PLAIN.encode() + b"\r\n"))
    assert stage.got == {C: GRANTED, S: b""}
    assert "dropped 37 octets of the client behind STARTTLS: AUTH PLAIN <secret: " in stage.notes[-1]
    assert Flag.STRAY in stage.exchanges[-1].flags
    stage.play(Secures(C), *QUIT).check()
    assert PLAIN.encode() not in stage.recorded


@cuts
def test_starttls_within_a_message_is_no_wish(cut: str) -> None:
    message = b"Subject: x\r\n\r\nSTARTTLS\r\n.\r\n"
    stage = offering(Ways(STARTTLS, NONE))
    stage.play(Says(C, b"DATA\r\n"), Says(S, b"354 go\r\n"), Says(C, message), cut=CUTS[cut])
    assert stage.got[S] == b"DATA\r\n" + message
    stage.play(Says(S, b"250 ok\r\n"), WISH, cut=CUTS[cut])
    assert stage.got == {C: b"354 go\r\n250 ok\r\n" + GRANTED, S: b"DATA\r\n" + message}
    stage.play(Secures(C), *QUIT).check()


def test_content_is_not_held_until_its_line_is_whole() -> None:
    stage = offering(Ways(STARTTLS, NONE)).play(Says(C, b"BDAT 3 LAST\r\nabc"))
    assert stage.got[S] == b"BDAT 3 LAST\r\nabc"
    stage.play(Says(S, b"250 ok\r\n"), Says(C, b"DATA\r\n"), Says(S, b"354 go\r\n"), Says(C, b"Subj"))
    assert stage.got[S].endswith(b"Subj")
    stage.check()


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("held", [b"QUI", b"QUIT", b"PASS Tr0ub4dor&3", b"EHLO x\r\nSTARTTLS\r\nNOOP\r\n"])
def test_what_was_held_goes_on_when_somebody_leaves(side: Side, held: bytes) -> None:
    stage = offering(Ways(STARTTLS, NONE)).play(Says(C, held), Ends(side))
    assert stage.listens
    assert stage.got[S] in (held, b"EHLO x\r\nSTARTTLS\r\n", held)
    stage.play(Ends(side.other)).check()
    assert b"Tr0ub4dor" not in stage.recorded


def test_what_was_held_is_recorded_when_all_is_over() -> None:
    stage = offering(Ways(STARTTLS, NONE)).play(Says(C, b"NOO")).check()
    assert b"NOO" in stage.recorded


@pytest.mark.parametrize("wish", [b"starttls\r\n", b"STARTTLS \r\n", b" StartTLS\n"])
def test_a_wish_however_it_is_written(wish: bytes) -> None:
    stage = offering(Ways(STARTTLS, NONE)).play(Says(C, wish))
    assert stage.got == {C: GRANTED, S: b""}
    stage.play(Secures(C), *QUIT).check()


@pytest.mark.parametrize(
    "line", [b"STARTTLS now\r\n", b"XSTARTTLS\r\n", b"NOOP STARTTLS\r\n", b"A" * 70_000 + b"STARTTLS\r\n"]
)
def test_what_is_no_wish_is_for_the_server(line: bytes) -> None:
    stage = offering(Ways(STARTTLS, NONE)).play(Says(C, line), Says(S, b"500 what\r\n"), Says(C, b"NOOP\r\n"))
    assert stage.got[S] == line + b"NOOP\r\n"
    assert stage.listens
    stage.check()


def test_the_client_in_clear_after_all() -> None:
    stage = offering(Ways(STARTTLS, TLS)).play(WISH)
    stage.play(Fails(C, Insecure("it speaks in clear", None, C, b"EHLO x\r\n")))
    assert stage.got == {C: GRANTED, S: b""}
    stage.check()


# Anything at all.

WORDS = [
    *(b"220 ", b"250 ", b"250-", b"354 ", b"\r\n", b"\n", b"STARTTLS", b"STARTTLS\r\n", b"EHLO x\r\n", b"DATA\r\n"),
    *(b"QUIT\r\n", b".\r\n", b"AUTH PLAIN ", b"BDAT 5\r\n", b"BDAT 5 LAST\r\n", b"NOOP\r\n"),
    *(b"+OK\r\n", b"STLS\r\n", b"CAPA\r\n", b"-ERR\r\n", b"\x16\x03\x01", b"250 STARTTLS\r\n", b"503 no\r\n"),
]
OCTETS = some.lists(some.sampled_from(WORDS) | some.binary(max_size=3), min_size=1, max_size=6).map(
    lambda words: b"".join(words).replace(b"\xff", b"\xfe")  # telnet has tests of its own
)
SAYS = some.builds(Says, some.sampled_from(Side), OCTETS.filter(bool))
ENDS = some.builds(Ends, some.sampled_from(Side), some.sampled_from([None, True, False]))
FAILURES = some.sampled_from(
    [Insecure("closed"), Insecure("alert", 40, S), Insecure("it speaks in clear", None, C, b"PASS x\r\nEH")]
)
WAYS = some.builds(Ways, some.sampled_from(Security), some.sampled_from(Security), some.booleans())


def test_no_wish_for_tls_is_seen_within_tls() -> None:
    """A client that begins TLS where STARTTLS is offered: what looks like a command in there is none."""
    stage = Stage("smtp", Ways(Security.STARTTLS, Security.NONE, False))
    stage.play(Says(S, b"220 mail\r\n"), Says(C, b"\x16\x03\x01\r\nSTARTTLS\r\n"))
    assert stage.shaking is None
    assert stage.got[S] == b"\x16\x03\x01\r\nSTARTTLS\r\n"
    stage.check()


@settings(max_examples=300)
@given(some.sampled_from(["smtp", "pop3"]), WAYS, some.lists(SAYS, max_size=10), ENDS, FAILURES, some.data())
def test_any_octets_under_any_ways(
    protocol: str, ways: Ways, said: list[Says], end: Ends, failure: Insecure, data: some.DataObject
) -> None:
    """No exception, each octet in its place, heard again as it was heard; and in the end a client is listened to, or
    has its handshake, or waits for an answer to its wish."""
    stage = Stage(protocol, ways)
    for event in said:
        while stage.shaking is not None and not stage.relay.over:
            good = data.draw(some.booleans() | some.just(True))
            stage.play(Secures(stage.shaking, GOOD) if good else Fails(stage.shaking, failure))
        if stage.relay.over:
            break
        stage.play(event)
    if stage.shaking is None and not stage.relay.over:
        if end.side is S or stage.listens:
            stage.play(end)
        if end.side is S and not stage.relay.over and stage.shaking is None:
            assert stage.listens, "nobody will ever hear that the client leaves"
    stage.check()


@given(some.sampled_from(FROM_CLIENT[:1]), some.lists(SAYS, max_size=8), some.integers(1, 9))
def test_while_nobody_asks_for_tls_all_goes_on(ways: Ways, said: list[Says], size: int) -> None:
    """An offer changes answers to EHLO; what the client says is the same, but for what is held."""
    stage = Stage("smtp", ways).play(GREETING)
    sent = b""
    for event in said:
        octets = event.octets.replace(b"STARTTLS", b"NOOP").replace(b"\xff", b"")
        if event.side is S or not octets:
            continue
        sent += octets
        stage.play(Says(C, octets), cut=lambda octets: [octets[at : at + size] for at in range(0, len(octets), size)])
    assert sent.startswith(stage.got[S])
    assert b"\n" not in sent[len(stage.got[S]) :]
    stage.play(Ends(C))
    assert stage.got[S] == sent
    stage.check()
