"""Logins that cannot be said again as they were are computed anew, and a real Dovecot takes them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from . import ntlm
from .certificate import Certificates
from .dovecot import PASSWORD, Dovecot
from .played import written
from .replaying import Ended, command
from .test_secrets import forms

MECHANISMS: Final = ("plain", "login", "cram-md5", "digest-md5", "ntlm", "scram-sha-1", "scram-sha-256", "apop")
HEAD: Final = "pop3 110\n=== connected\n<-  +OK Dovecot ready. <1.2.3@mail.example.org>\n"
TAIL: Final = " -> STAT\n<-  +OK 0 0\n -> QUIT\n<-  +OK Logging out.\n"
SAID: Final = {
    "USER": " -> USER alice1\n<-  +OK\n -> PASS <secret: 17 characters>\n<-  +OK Logged in.\n",
    "APOP": " -> APOP alice1 <secret: 32 characters>\n<-  +OK Logged in.\n",
    "PLAIN": " -> AUTH PLAIN <secret: PLAIN, user alice1, password 17 characters>\n<-  +OK Logged in.\n",
    "LOGIN": (
        " -> AUTH LOGIN\n<-  + VXNlcm5hbWU6\n -> <secret: LOGIN, user name 6 characters>\n<-  + UGFzc3dvcmQ6\n"
        " -> <secret: LOGIN, password 17 characters>\n<-  +OK Logged in.\n"
    ),
    "CRAM-MD5": (
        " -> AUTH CRAM-MD5\n<-  + PDEuMi4zQG1haWwuZXhhbXBsZS5vcmc+\n -> <secret: CRAM-MD5, user alice1, digest>\n"
        "<-  +OK Logged in.\n"
    ),
    "DIGEST-MD5": (
        " -> AUTH DIGEST-MD5\n<-  + cmVhbG09IiI=\n -> <secret: DIGEST-MD5, 200 octets>\n<-  + cnNwYXV0aD0w\n"
        " -> \n<-  +OK Logged in.\n"
    ),
    "NTLM": (
        " -> AUTH NTLM\n<-  + \n -> <secret: NTLM, 40 octets>\n<-  + TlRMTVNTUAAC\n -> <secret: NTLM, 200 octets>\n"
        "<-  +OK Logged in.\n"
    ),
    "GSSAPI": (
        " -> CAPA\n<-  +OK\n<-  SASL GSSAPI\n<-  .\n -> AUTH GSSAPI <secret: GSSAPI, 600 octets>\n<-  + \n"
        " -> \n<-  + YQ==\n -> <secret: GSSAPI, 40 octets>\n<-  +OK Logged in.\n"
    ),
    **{
        name: (
            f" -> AUTH {name}\n<-  + \n -> <secret: {name}, 40 octets>\n<-  + cj1h\n -> <secret: {name}, 100 octets>\n"
            f"<-  + dj1h\n -> \n<-  +OK Logged in.\n"
        )
        for name in ("SCRAM-SHA-1", "SCRAM-SHA-256")
    },
}  # fmt: skip


class Box(NamedTuple):
    """A server that knows all these ways, and a mailbox there."""

    url: str
    user: str


@pytest.fixture(scope="module")
def box(ground: Path, certificates: Certificates) -> Iterator[Box]:
    root = ground / "logins"
    root.mkdir()
    known = ntlm.settings(root, ["alice0", "alice1"], PASSWORD)
    server = Dovecot(root, certificates, " ".join(MECHANISMS), known)
    yield Box(f"pop3://{server.pop3}", server.mailbox().name)
    server.daemon.stop()


def play(way: str, box: Box, folder: Path, password: str) -> Ended:
    session = written(folder, "session", HEAD + SAID[way] + TAIL)
    return command(folder, "replay", "client", str(session), box.url, "--user", box.user, password=password)


@pytest.mark.parametrize("way", SAID)
def test_it_is_let_in(way: str, box: Box, tmp_path: Path) -> None:
    played = play(way, box, tmp_path, PASSWORD)
    assert ": ok: " in played.out.splitlines()[0], played.out + played.err
    assert "  stop " not in played.out
    assert played.code == (way == "GSSAPI"), played.out
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [form for form in forms(PASSWORD) for said in (*files, played.out.encode()) if form in said]


@pytest.mark.parametrize("way", SAID)
def test_with_a_wrong_password_it_is_not(way: str, box: Box, tmp_path: Path) -> None:
    played = play(way, box, tmp_path, "wonderland")
    assert (played.code, "what matters, at auth" in played.out) == (1, True), played.out + played.err
    verb = {"USER": "PASS", "APOP": "APOP"}.get(way, "AUTH")
    assert f"{verb} is refused now, and was granted then" in " ".join(played.out.split())
    assert "wonderland" not in played.out + played.err


def test_without_a_ticket_it_logs_in_by_what_the_server_offers(box: Box, tmp_path: Path) -> None:
    played = play("GSSAPI", box, tmp_path, PASSWORD)
    assert "note  AUTH SCRAM-SHA-256 is said instead of GSSAPI, which needs a Kerberos ticket" in played.out
