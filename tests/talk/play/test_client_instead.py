"""Mechanisms that cannot be said again, those that need no password, and what is said instead."""

from base64 import b64encode
from dataclasses import replace

import pytest

from mailproxy.model.tls import Security, TlsFacts
from mailproxy.talk.play.acting import SAFELY
from mailproxy.talk.play.client import ClientPlayer, Login
from mailproxy.talk.ways import Insecure
from tests.talk.play.client_stage import Met, Scripted, client, meet
from tests.tls import FACTS

PENCIL = Login("user", "pencil")
PLAIN = b64encode(b"\0user\0pencil").decode()
CLEAR_OK = SAFELY._replace(clear_ok=True)
SESSION = """smtp
=== connected
<-  220 x
 -> EHLO client.example
<-  250-x
<-  250 AUTH {mechanism} PLAIN
 -> AUTH {mechanism} <secret: {mechanism}, 600 octets>
<-  334 x
 -> <secret: {mechanism}, 40 octets>
<-  235 welcome
 -> MAIL FROM:<a@example.org>
<-  250 ok
 -> QUIT
<-  221 Bye
"""
WHY = {
    "GSSAPI": "needs a Kerberos ticket",
    "GSS-SPNEGO": "needs a Kerberos ticket",
    "OTP": "takes each answer but once",
    "SCRAM-SHA-256-PLUS": "is bound to the TLS connection that was recorded",
    "SRP": "is not known to mailproxy",
}


class Trusted(Scripted):
    """One whose certificate is trusted."""

    def secure(self) -> TlsFacts | Insecure:
        return replace(FACTS, faults=())


def played(mechanism: str, offered: str, *answers: str, under_tls: bool = True) -> tuple[ClientPlayer, Met]:
    """The client of a session with this mechanism, before a server that offers others."""
    security = Security.TLS if under_tls else Security.NONE
    player = client(SESSION.format(mechanism=mechanism), login=PENCIL, security=security)
    return player, meet(player, Trusted("220 x", f"250-x\n250 AUTH {offered}", *answers))


@pytest.mark.parametrize(("mechanism", "why"), WHY.items())
def test_another_is_said_that_the_server_offers(mechanism: str, why: str) -> None:
    player, met = played(mechanism, f"{mechanism} PLAIN LOGIN", "334 ", "235 welcome", "250 ok", "221 Bye")
    assert met.said[2:] == ["AUTH PLAIN", PLAIN, "MAIL FROM:<a@example.org>", "QUIT", "*** closed"]
    assert player.remarks == [f"AUTH PLAIN is said instead of {mechanism}, which {why}"]
    assert player.stopped == ""
    assert len(player.otherwise) == 1


def test_one_that_does_not_tell_the_password_comes_first() -> None:
    _, met = played("GSSAPI", "LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1", "334 ", "535 no", "221 Bye")
    assert met.said[2] == "AUTH SCRAM-SHA-1"


def test_in_clear_the_password_is_not_told() -> None:
    player, met = played("GSSAPI", "GSSAPI PLAIN LOGIN", "221 Bye", under_tls=False)
    assert met.said[1:] == ["QUIT", "*** closed"]
    assert player.stopped == (
        "AUTH: GSSAPI needs a Kerberos ticket, and LOGIN and PLAIN would tell the password in clear (--insecure-login "
        "does it all the same)"
    )


def test_in_clear_it_is_told_to_whom_it_may_be() -> None:
    player = client(SESSION.format(mechanism="GSSAPI"), CLEAR_OK, PENCIL)
    met = meet(player, Scripted("220 x", "250-x\n250 AUTH PLAIN", "334 ", "235 welcome", "250 ok", "221 Bye"))
    assert met.said[1:3] == ["AUTH PLAIN", PLAIN]


@pytest.mark.parametrize(
    ("offer", "why"),
    [
        ("250 x", "and the server has not said what else it offers"),
        ("250-x\n250 AUTH GSSAPI OTP", "and the server offers nothing else that a password will do for (GSSAPI, OTP)"),
    ],
)
def test_it_stops_where_nothing_else_will_do(offer: str, why: str) -> None:
    player = client(SESSION.format(mechanism="GSSAPI"), login=PENCIL)
    met = meet(player, Scripted("220 x", offer, "221 Bye"))
    assert met.said[1:] == ["QUIT", "*** closed"]
    assert player.stopped == f"AUTH: GSSAPI needs a Kerberos ticket, {why}"


def test_what_was_refused_before_anything_was_told_is_asked_again() -> None:
    asked = SESSION.format(mechanism="GSSAPI").replace(" <secret: GSSAPI, 600 octets>\n<-  334 x", "")
    refused = asked.replace(" -> <secret: GSSAPI, 40 octets>\n<-  235 welcome", "<-  504 no")
    player = client(refused, login=PENCIL)
    met = meet(player, Scripted("220 x", "250-x\n250 AUTH PLAIN", "504 no", "250 ok", "221 Bye"))
    assert met.said[1:3] == ["AUTH GSSAPI", "MAIL FROM:<a@example.org>"]


SHOWN_NONE = ["AUTH EXTERNAL: no certificate is shown, by which the server would know who it is"]
UNASKED = """smtp
=== connected
<-  220 x
 -> EHLO client.example
<-  250 x
 -> AUTH {}
<-  235 welcome
 -> QUIT
<-  221 Bye
"""


@pytest.mark.parametrize(
    ("said", "login", "again"),
    [
        ("EXTERNAL <secret: EXTERNAL, empty>", None, "EXTERNAL ="),
        ("EXTERNAL <secret: EXTERNAL, empty>", PENCIL, "EXTERNAL ="),
        ("EXTERNAL <secret: EXTERNAL, 4 octets>", PENCIL, "EXTERNAL dXNlcg=="),
        ("EXTERNAL <secret: EXTERNAL, 4 octets>", None, "EXTERNAL ="),
        ("ANONYMOUS <secret: ANONYMOUS, 4 octets>", None, "ANONYMOUS ="),
        ("ANONYMOUS <secret: ANONYMOUS, 4 octets>", PENCIL, "ANONYMOUS dXNlcg=="),
    ],
)
def test_some_need_no_password(said: str, login: Login | None, again: str) -> None:
    player = client(UNASKED.format(said), login=login)
    met = meet(player, Scripted("220 x", "250-x\n250 AUTH EXTERNAL ANONYMOUS", "235 welcome", "221 Bye"))
    assert met.said[1] == f"AUTH {again}"
    assert player.remarks == SHOWN_NONE * said.startswith("EXTERNAL")
    assert (player.script.masked, player.stopped) == (False, "")
