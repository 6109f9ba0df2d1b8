"""NTLM, before the server's side of the library that computes it."""

import sys
from base64 import b64encode
from pathlib import Path

import pytest

from mailproxy.talk.play.login import Impossible, Login
from mailproxy.talk.play.ntlm import ntlm
from mailproxy.talk.play.sasl import Steps
from tests.talk.play.client_stage import Scripted, client, meet

spnego = pytest.importorskip("spnego", reason="the extra ntlm is not installed")

ALICE = Login("EXAMPLE\\alice", "correct horse")
RECORDED = """smtp
=== connected
<-  220 x
 -> EHLO client.example
<-  250-x
<-  250 AUTH NTLM
 -> AUTH NTLM
<-  334 NTLM supported
 -> <secret: NTLM, 40 octets>
<-  334 TlRMTVNTUAAC
 -> <secret: NTLM, 200 octets>
<-  235 welcome
 -> QUIT
<-  221 Bye
"""


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The accounts of the server."""
    known = tmp_path / "users"
    known.write_text("EXAMPLE:alice:correct horse\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(known))


def test_the_server_takes_it(users: None) -> None:
    server = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
    steps = ntlm(ALICE, "smtp/mail.example.org")
    assert next(steps) == b""
    assert server.step(steps.send(challenge := server.step(steps.send(b"")) or b"")) is None
    assert challenge.startswith(b"NTLMSSP\0\x02")
    assert (server.complete, server.client_principal) == (True, "EXAMPLE\\alice")


def test_the_server_takes_no_other_password(users: None) -> None:
    server = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
    steps = ntlm(Login("EXAMPLE\\alice", "wrong"), "smtp/mail.example.org")
    next(steps)
    said = steps.send(server.step(steps.send(b"")) or b"")
    with pytest.raises(spnego.exceptions.SpnegoError):
        server.step(said)


@pytest.mark.parametrize("challenge", [b"", b"\xff" * 40, b"NTLMSSP\0\x02\0\0\0", b"NTLMSSP\0\x01\0\0\0" + b"\0" * 40])
def test_what_is_no_challenge_gets_no_answer(challenge: bytes) -> None:
    steps = ntlm(ALICE, "smtp/mail.example.org")
    next(steps)
    assert steps.send(b"").startswith(b"NTLMSSP\0\x01")
    with pytest.raises(Impossible, match="challenge is none"):
        steps.send(challenge)


def test_the_client_says_it_anew(users: None) -> None:
    server = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
    asked = server.step(next_of(ntlm(ALICE, "smtp/x"))) or b""
    player = client(RECORDED, login=ALICE)
    told = ["250-x\n250 AUTH NTLM", "334 NTLM supported", f"334 {b64encode(asked).decode()}", "235 x", "221 x"]
    met = meet(player, Scripted("220 x", *told))
    assert [said[:12] for said in met.said[1:4]] == ["AUTH NTLM", "TlRMTVNTUAAB", "TlRMTVNTUAAD"]
    assert player.stopped == ""


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spnego", None)
    player = client(RECORDED, login=ALICE)
    meet(player, Scripted("220 x", "250-x\n250 AUTH NTLM", "221 x"))
    assert player.stopped == (
        "AUTH: NTLM needs pyspnego (pip install 'mailproxy[ntlm]'), and the server offers nothing else that a password "
        "will do for (NTLM)"
    )


def next_of(steps: Steps) -> bytes:
    """The first message of a client."""
    next(steps)
    return steps.send(b"")
