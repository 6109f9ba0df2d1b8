"""Responses of SASL: the examples of the RFCs, and what cannot be answered."""

import base64
from base64 import b64encode
from functools import partial

import pytest

from mailproxy.model.exchange import Exchange, Reply
from mailproxy.model.octets import Side, Span
from mailproxy.talk.play.login import Impossible, Login, Responses
from mailproxy.talk.play.scram import scram
from tests.talk.play.client_stage import Scripted, client, meet

PENCIL = Login("user", "pencil")


def test_scram_sha_1_is_that_of_rfc_5802() -> None:
    steps = scram("sha1", PENCIL, "fyko+d2lbbFgONRv9qkxdawL")
    next(steps)
    assert steps.send(b"") == b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"
    assert steps.send(b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096") == (
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    )
    assert steps.send(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=") == b""


def test_scram_sha_256_is_that_of_rfc_7677() -> None:
    steps = scram("sha256", PENCIL, "rOprNGfwEbeRWgbNEkqO")
    next(steps)
    steps.send(b"")
    nonce = b"rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    assert steps.send(b"r=%b,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096" % nonce) == (
        b"c=biws,r=%b,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=" % nonce
    )
    assert steps.send(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") == b""


@pytest.mark.parametrize(
    ("challenge", "why"),
    [
        (b"r=another,s=QSXCR+Q6sek8bf92,i=4096", "first SCRAM message is none"),
        (b"r=nonce1,s=QSXCR+Q6sek8bf92,i=0", "wants 0 iterations"),
        (b"r=nonce1,s=QSXCR+Q6sek8bf92,i=999999999999", "wants 999999999999 iterations"),
        (b"\xff", "first SCRAM message is none"),
    ],
)
def test_a_server_that_breaks_scram_gets_no_proof(challenge: bytes, why: str) -> None:
    steps = scram("sha1", PENCIL, "nonce")
    next(steps)
    steps.send(b"")
    with pytest.raises(Impossible, match=why):
        steps.send(challenge)


def test_a_server_that_does_not_know_the_password_is_found_out() -> None:
    steps = scram("sha1", PENCIL, "nonce")
    next(steps)
    steps.send(b"")
    steps.send(b"r=nonce1,s=QSXCR+Q6sek8bf92,i=4096")
    with pytest.raises(Impossible, match="has not proved"):
        steps.send(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")


def _auth(argument: str, *replies: str) -> Exchange:
    here = Span(Side.SERVER, 0, 0)
    said = tuple(Reply(code, "", text, here, 0) for code, _, text in (each.partition(" ") for each in replies))
    return Exchange(1, "AUTH", argument, Span(Side.CLIENT, 0, 0), 0, said)


def test_login_answers_whatever_it_is_asked() -> None:
    said = Responses("LOGIN", _auth("LOGIN"), b"", [b"<secret: x>", b"<secret: y>"], PENCIL)
    assert said.first() == b""
    assert [said.next("Nom?"), said.next("Mot de passe?")] == [b64encode(b"user"), b64encode(b"pencil")]
    with pytest.raises(Impossible, match="asks for more"):
        said.next("Encore?")


def test_cram_md5_is_that_of_rfc_2195() -> None:
    known = Login("tim", "tanstaaftanstaaf")
    said = Responses("CRAM-MD5", _auth("CRAM-MD5"), b"", [b"<secret: x>"], known)
    challenge = "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"
    assert said.next(challenge) == b"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"


def test_a_token_is_told_and_a_refusal_of_it_heard() -> None:
    said = Responses("XOAUTH2", _auth("XOAUTH2 x"), b"<secret: x>", [], Login("a@example.org", "token"))
    assert base64.b64decode(said.first()) == b"user=a@example.org\x01auth=Bearer token\x01\x01"
    assert said.next("eyJzdGF0dXMiOiI0MDEifQ==") == b""
    bearer = Responses("OAUTHBEARER", _auth("OAUTHBEARER x"), b"<secret: x>", [], Login("a", "token"))
    assert base64.b64decode(bearer.first()) == b"n,a=a,\x01auth=Bearer token\x01\x01"
    assert base64.b64decode(bearer.next("e30=")) == b"\x01"


def test_kept_secrets_are_said_again() -> None:
    said = Responses("LOGIN", _auth("LOGIN", "334 x", "334 y"), b"", [b"YWxpY2U=", b"c2VjcmV0"], None)
    assert [said.next("other"), said.next("words")] == [b"YWxpY2U=", b"c2VjcmV0"]
    cram = partial(Responses, "CRAM-MD5", _auth("CRAM-MD5", "334 PDE+"), b"", [b"YWxpY2UgMDA="], None)
    assert cram().next("PDE+") == b"YWxpY2UgMDA="
    with pytest.raises(Impossible, match="is not in the record"):
        cram().next("PDI+")


LOGGED_IN = """smtp
=== connected
<-  220 x
 -> EHLO client.example
<-  250-x
<-  250 AUTH NTLM PLAIN CRAM-MD5
 -> AUTH {}
<-  235 welcome
 -> QUIT
<-  221 Bye
"""


@pytest.mark.parametrize(
    ("auth", "given", "why"),
    [
        (
            "PLAIN <secret: PLAIN, user a, password 9 characters>",
            None,
            "the password is masked in the record, and none",
        ),
        ("GSSAPI <secret: GSSAPI, 600 octets>", PENCIL, "GSSAPI needs a Kerberos ticket"),
    ],
)
def test_it_stops_where_it_cannot_log_in(auth: str, given: Login | None, why: str) -> None:
    player = client(LOGGED_IN.format(auth), login=given)
    met = meet(player, Scripted("220 x", "250 x", "221 x"))
    assert met.said == ["EHLO client.example", "QUIT", "*** closed"]
    assert player.stopped.startswith(f"AUTH: {why}")


def test_a_mechanism_that_is_not_offered_is_said_all_the_same() -> None:
    plain = LOGGED_IN.format("PLAIN <secret: PLAIN, user alice, password 9 characters>")
    player = client(plain, login=Login("", "pencil"))
    met = meet(player, Scripted("220 x", "250-x\n250 AUTH LOGIN", "504 no", "221 x"))
    assert met.said[1] == "AUTH PLAIN " + b64encode(b"\0alice\0pencil").decode()
    assert player.remarks == ["AUTH PLAIN is not offered by this server (LOGIN)"]
    assert player.stopped == "AUTH is refused now, and was granted then: 504 no"


def test_a_server_that_asks_is_told_what_the_command_held() -> None:
    plain = LOGGED_IN.format("PLAIN")
    player = client(plain, login=Login("alice", "pencil"))
    met = meet(player, Scripted("220 x", "250 x", "334 ", "235 x", "221 x"))
    assert met.said[1:3] == ["AUTH PLAIN", b64encode(b"\0alice\0pencil").decode()]
    assert player.stopped == ""


def test_what_cannot_be_answered_is_cancelled() -> None:
    player = client(LOGGED_IN.format("PLAIN"))
    met = meet(player, Scripted("220 x", "250 x", "334 ", "501 cancelled", "221 x"))
    assert met.said[1:] == ["AUTH PLAIN", "*", "QUIT", "*** closed"]
    assert player.stopped == "AUTH: what answers this challenge is not in the record"


def test_apop_needs_a_stamp() -> None:
    player = client("pop3-apop-good", login=PENCIL)
    meet(player, Scripted("+OK no stamp", "+OK bye"))
    assert player.stopped == "APOP: the greeting of this server has no stamp for APOP"


def test_apop_is_that_of_rfc_1939() -> None:
    player = client("pop3-apop-good", login=Login("mrose", "tanstaaf"))
    met = meet(player, Scripted("+OK ready <1896.697170952@dbc.mtview.ca.us>", "+OK", "+OK 0 0", "+OK bye"))
    assert met.said[0] == "APOP mrose c4c9334bac560ecc979e58001b3e22fb"


@pytest.mark.parametrize(
    ("name", "user"),
    [("pop3-apop-good", "dora"), ("pop3-uidl-and-top-good", "carol"), ("pop2-session-good", "alice"),
     ("smtp-auth-plain-good", "alice"), ("smtp-send-good", "")],
)  # fmt: skip
def test_the_record_tells_who_logged_in(name: str, user: str) -> None:
    assert client(name).script.user == user
