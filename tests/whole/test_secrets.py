"""No password reaches the proxy's files, whoever sent it, however it was wrapped, and whether it was right or wrong."""

import base64
from pathlib import Path
from typing import Final

import pytest

from .client import Login
from .dovecot import PASSWORD, Dovecot, Mailbox
from .fetchers import FETCHERS, MECHANISMS
from .messages import message
from .postfix import Postfix
from .proxy import Proxy, said
from .senders import SENDERS

WRONG: Final = "Kartoffel-97-salat"

SENDERS_BY: Final = [
    *(("swaks", mechanism) for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5")),
    *(("msmtp", mechanism) for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5")),
    *(("curl", mechanism) for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5")),
    ("smtplib", "CRAM-MD5"),
]
FETCHERS_BY: Final = [
    *MECHANISMS.items(),
    *(("mpop", mechanism) for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5")),
    *(("curl", mechanism) for mechanism in ("LOGIN", "CRAM-MD5")),
]


def forms(password: str) -> list[bytes]:
    """The password in clear, and the part of its base64 that is the same whatever stands around it."""
    octets = password.encode()
    wrapped = [base64.b64encode(bytes(before) + octets)[-(-before * 4 // 3) :] for before in range(3)]
    return [
        octets,
        octets.upper(),
        octets.lower(),
        octets.hex().encode(),
        *(form.rstrip(b"=")[:-1] for form in wrapped),
    ]


def call(proxy: Proxy, mailbox: Mailbox, password: str, home: Path) -> None:
    """Let every client log in in every way it knows."""
    for number, (client, mechanism) in enumerate(SENDERS_BY):
        folder = home / f"send{number}"
        folder.mkdir()
        login = Login(mailbox.name, password, mechanism)
        ran = SENDERS[client](proxy.address("smtp"), mailbox.address, message("plain"), folder, login)
        assert (ran.status == 0) == (password == PASSWORD), (client, mechanism, ran)
    for number, (client, mechanism) in enumerate(FETCHERS_BY):
        folder = home / f"fetch{number}"
        folder.mkdir()
        mailbox.put(message("plain"))
        _, ran = FETCHERS[client](proxy.address("pop3"), Login(mailbox.name, password, mechanism), folder)
        assert (ran.status == 0) == (password == PASSWORD), (client, mechanism, ran)


@pytest.mark.parametrize("text", [b"\0alice\0", b"alice\0alice\0", b"a\0al\0", b""])
def test_the_search_finds_a_password_in_base64(text: bytes) -> None:
    said_once = base64.b64encode(text + WRONG.encode())
    assert any(form in said_once for form in forms(WRONG)[4:])


def test_the_right_password_is_in_no_file(postfix: Postfix, dovecot: Dovecot, mailbox: Mailbox, tmp_path: Path) -> None:
    with Proxy(tmp_path / "proxy", f"0=smtp://{postfix.smtp}", f"0=pop3://{dovecot.pop3}") as proxy:
        call(proxy, mailbox, PASSWORD, tmp_path)
        assert proxy.keeps(forms(PASSWORD)) == []
        proxy.stop()
        assert proxy.keeps(forms(PASSWORD)) == []
        assert proxy.keeps([mailbox.address.encode()]) != []


def test_a_wrong_password_is_refused_and_in_no_file(
    postfix: Postfix, dovecot: Dovecot, mailbox: Mailbox, tmp_path: Path
) -> None:
    with Proxy(tmp_path / "proxy", f"0=smtp://{postfix.smtp}", f"0=pop3://{dovecot.pop3}") as proxy:
        call(proxy, mailbox, WRONG, tmp_path)
        proxy.stop()
        assert proxy.keeps(forms(WRONG)) == []
        sessions = proxy.sessions()
    for session in sessions:
        (refusal,) = {line.rpartition(" ")[2] for line in said(session) if line.startswith(("AUTH", "PASS"))}
        assert refusal == {"smtp": "535", "pop3": "-ERR"}[session["protocol"]], said(session)
        assert session["failed"], session["outcome"]


def test_a_password_is_kept_on_demand(dovecot: Dovecot, mailbox: Mailbox, tmp_path: Path) -> None:
    with Proxy(tmp_path / "proxy", f"0=pop3://{dovecot.pop3}", "--keep-secrets") as proxy:
        mailbox.put(message("plain"))
        login = Login(mailbox.name, PASSWORD, "USER")
        FETCHERS["poplib"](proxy.address("pop3"), login, tmp_path).ran.succeeded()
        proxy.stop()
        assert proxy.keeps(forms(PASSWORD)) != []
