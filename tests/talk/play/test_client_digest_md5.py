"""DIGEST-MD5: the example of RFC 2831 section 4, and servers that are none."""

from base64 import b64decode, b64encode

import pytest

from mailproxy.talk.play.digest_md5 import digest_md5
from mailproxy.talk.play.login import Impossible, Login
from tests.talk.play.client_stage import Scripted, client, meet

CHRIS = Login("chris", "secret")
CHALLENGE = (
    b'realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8'
)  # fmt: skip
RESPONSE = (
    b'charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",nc=00000001,'
    b'cnonce="OA6MHXh6VqTrRk",digest-uri="imap/elwood.innosoft.com",response=d388dad90d4bbd760a152321f2143af7,qop=auth'
)


def response(challenge: bytes, login: Login = CHRIS) -> bytes:
    """What the client of the example answers."""
    steps = digest_md5(login, "imap/elwood.innosoft.com", "OA6MHXh6VqTrRk")
    next(steps)
    return steps.send(challenge)


def test_it_is_that_of_rfc_2831() -> None:
    steps = digest_md5(CHRIS, "imap/elwood.innosoft.com", "OA6MHXh6VqTrRk")
    assert next(steps) == b""
    assert steps.send(CHALLENGE) == RESPONSE
    assert steps.send(b"rspauth=ea40f60335c427b5527b84dbabcdfffd") == b""


def test_the_other_example_is_that_of_rfc_2831_for_acap() -> None:
    steps = digest_md5(CHRIS, "acap/elwood.innosoft.com", "OA9BSuZWMSpW8m")
    next(steps)
    said = steps.send(b'realm="elwood.innosoft.com",nonce="OA9BSXrbuRhWay",qop="auth",algorithm=md5-sess,charset=utf-8')
    assert b"response=6084c6db3fede7352c551284490fd0fc,qop=auth" in said
    assert steps.send(b"rspauth=2f0b3d7c3c2e486600ef710726aa2eae") == b""


def test_a_server_that_does_not_know_the_password_is_found_out() -> None:
    steps = digest_md5(CHRIS, "imap/elwood.innosoft.com", "OA6MHXh6VqTrRk")
    next(steps)
    steps.send(CHALLENGE)
    with pytest.raises(Impossible, match="has not proved"):
        steps.send(b"rspauth=00000000000000000000000000000000")


@pytest.mark.parametrize(
    ("challenge", "why"),
    [
        (b"", "challenge is none"),
        (b"\xff\x00,,=", "challenge is none"),
        (b'nonce="x"', "challenge is none"),
        (b'nonce="x",algorithm=md5', "challenge is none"),
        (b'nonce="x",algorithm=md5-sess,qop="auth-int,auth-conf"', "protect what is said behind it"),
    ],
)
def test_what_is_no_challenge_gets_no_response(challenge: bytes, why: str) -> None:
    with pytest.raises(Impossible, match=why):
        response(challenge)


def test_lists_blanks_and_quotes_are_read_as_they_are_written() -> None:
    said = response(rb' realm = "a \"b\" \\c" , ,realm="other", qop="auth-int, auth",nonce="x",algorithm=md5-sess')
    assert said.startswith(rb'username="chris",realm="a \"b\" \\c",nonce="x",nc=00000001,')


def test_no_realm_is_told_where_none_is_named() -> None:
    assert response(b'nonce="x",algorithm=md5-sess').startswith(b'username="chris",nonce="x",')


def test_names_go_in_the_charset_of_the_server() -> None:
    assert response(b'nonce="x",algorithm=md5-sess', Login("jürgen", "x")).startswith(b'username="j\xfcrgen"')
    assert response(CHALLENGE, Login("jürgen", "x")).startswith('charset=utf-8,username="jürgen"'.encode())
    with pytest.raises(Impossible, match="ISO 8859-1 alone"):
        response(b'nonce="x",algorithm=md5-sess', Login("user", "пароль"))


RECORDED = """smtp
=== connected
<-  220 x
 -> EHLO client.example
<-  250-x
<-  250 AUTH DIGEST-MD5
 -> AUTH DIGEST-MD5
<-  334 bm9uY2U9Ing=
 -> <secret: DIGEST-MD5, 200 octets>
<-  334 cnNwYXV0aD0w
 -> <secret: DIGEST-MD5, empty>
<-  235 welcome
 -> QUIT
<-  221 Bye
"""


def test_the_response_names_the_service_and_the_host() -> None:
    asked = f"334 {b64encode(CHALLENGE).decode()}"
    met = meet(client(RECORDED, login=CHRIS), Scripted("220 x", "250-x\n250 AUTH DIGEST-MD5", asked, "535 no", "221 x"))
    assert b'digest-uri="smtp/mail.example.org"' in b64decode(met.said[2])


def test_a_server_that_proves_nothing_is_left() -> None:
    asked = f"334 {b64encode(CHALLENGE).decode()}"
    player = client(RECORDED, login=CHRIS)
    offer = "250-x\n250 AUTH DIGEST-MD5"
    met = meet(player, Scripted("220 x", offer, asked, "334 cnNwYXV0aD0w", "501 cancelled", "221 x"))
    assert met.said[3:] == ["*", "QUIT", "*** closed"]
    assert player.stopped == "AUTH: the server has not proved that it knows the password"
