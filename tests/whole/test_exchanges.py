"""What a session shows: who asked for what, in which order, and what came of it."""

from pathlib import Path

import pytest

from .client import Login
from .dovecot import PASSWORD, Dovecot, Mailbox
from .fetchers import FETCHERS
from .messages import BODIES, message, received
from .postfix import Postfix
from .proxy import Proxy, Session, said
from .senders import SENDERS, Sender, at_once, python, swaks

SENT = {
    ("swaks", "LOGIN"): ["EHLO client.example 250", "AUTH LOGIN 235", "DATA 250"],
    ("swaks", "PLAIN"): ["EHLO client.example 250", "AUTH PLAIN <secret> 235", "DATA 250"],
    ("swaks", "CRAM-MD5"): ["EHLO client.example 250", "AUTH CRAM-MD5 235", "DATA 250"],
    ("msmtp", "PLAIN"): ["EHLO localhost 250", "AUTH PLAIN <secret> 235", "DATA 250"],
    ("msmtp", "LOGIN"): ["EHLO localhost 250", "AUTH LOGIN 235", "DATA 250"],
    ("curl", "PLAIN"): ["EHLO client.example 250", "AUTH PLAIN 235", "DATA 250"],
    ("curl", "CRAM-MD5"): ["EHLO client.example 250", "AUTH CRAM-MD5 235", "DATA 250"],
    ("smtplib", "CRAM-MD5"): ["EHLO client.example 250", "AUTH CRAM-MD5 235", "DATA 250"],
    ("at-once", ""): ["EHLO client.example 250", f"BDAT {len(message('plain'))} LAST 250"],
}

FETCHED = {
    ("mpop", "USER"): """
        +OK | CAPA +OK | USER {user} +OK | PASS {password} +OK | STAT +OK | LIST +OK | UIDL +OK
        RETR 1 +OK | RETR 2 +OK | RETR 3 +OK | DELE 1 +OK | DELE 2 +OK | DELE 3 +OK | QUIT +OK""",
    ("mpop", "CRAM-MD5"): """
        +OK | CAPA +OK | AUTH CRAM-MD5 +OK | STAT +OK | LIST +OK | UIDL +OK
        RETR 1 +OK | RETR 2 +OK | RETR 3 +OK | DELE 1 +OK | DELE 2 +OK | DELE 3 +OK | QUIT +OK""",
    ("fetchmail", "USER"): """
        +OK | USER {user} +OK | PASS {password} +OK | STAT +OK
        LIST 1 +OK | RETR 1 +OK | DELE 1 +OK | LIST 2 +OK | RETR 2 +OK | DELE 2 +OK
        LIST 3 +OK | RETR 3 +OK | DELE 3 +OK | QUIT +OK""",
    ("curl", "PLAIN"): "+OK | CAPA +OK | AUTH PLAIN +OK | RETR 1 +OK | QUIT +OK",
    ("curl", "LOGIN"): "+OK | CAPA +OK | AUTH LOGIN +OK | RETR 1 +OK | QUIT +OK",
    ("poplib", "USER"): """
        +OK | USER {user} +OK | PASS {password} +OK | RETR 1 +OK | DELE 1 +OK | QUIT +OK""",
}

REFUSED = {
    "gone@example.org": ("550", "5.1.1"),
    "full@example.org": ("552", "5.2.2"),
    "space@example.org": ("452", "4.3.1"),
    "busy@example.org": ("451", "4.3.0"),
    "stranger@example.org": ("550", "5.1.1"),
}


Heard = dict[tuple[str, str], tuple[Mailbox, Session]]


@pytest.fixture(scope="module")
def sent(postfix: Postfix, dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Heard:
    """One message sent by each client in each way: the mailbox used and the session heard."""
    mailboxes = [dovecot.mailbox() for _ in SENT]
    with Proxy(tmp_path_factory.mktemp("sent"), f"0=smtp://{postfix.smtp}") as proxy:
        for (client, mechanism), mailbox in zip(SENT, mailboxes, strict=True):
            login = Login(mailbox.name, PASSWORD, mechanism)
            home = tmp_path_factory.mktemp(client)
            SENDERS[client](proxy.address("smtp"), mailbox.address, message("plain"), home, login).succeeded()
        proxy.stop()
        return dict(zip(SENT, zip(mailboxes, proxy.sessions(), strict=True), strict=True))


@pytest.fixture(scope="module")
def fetched(dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Heard:
    """Three messages, or the first of them, fetched by each client in each way."""
    mailboxes = [dovecot.mailbox() for _ in FETCHED]
    with Proxy(tmp_path_factory.mktemp("fetched"), f"0=pop3://{dovecot.pop3}") as proxy:
        for (client, mechanism), mailbox in zip(FETCHED, mailboxes, strict=True):
            for name in ("plain", "leading-dots", "latin-1"):
                mailbox.put(message(name))
            login = Login(mailbox.name, PASSWORD, mechanism)
            FETCHERS[client](proxy.address("pop3"), login, tmp_path_factory.mktemp(client)).ran.succeeded()
        proxy.stop()
        return dict(zip(FETCHED, zip(mailboxes, proxy.sessions(), strict=True), strict=True))


@pytest.mark.parametrize("way", SENT, ids=" ".join)
def test_a_message_sent(way: tuple[str, str], sent: Heard) -> None:
    mailbox, session = sent[way]
    secret = f"<secret: PLAIN, user {mailbox.name}, password {len(PASSWORD)} characters>"
    *opening, content = (line.replace("<secret>", secret) for line in SENT[way])
    size = f" size={len(message('plain'))}" if way[0] == "smtplib" else ""
    envelope = [f"MAIL FROM:<bob@example.org>{size} 250", f"RCPT TO:<{mailbox.address}> 250"]
    assert said(session) == ["220", *opening, *envelope, content, "QUIT 221"]
    assert (session["outcome"], session["failed"]) == ("ok: 1 message sent", False)


@pytest.mark.parametrize("way", FETCHED, ids=" ".join)
def test_messages_fetched(way: tuple[str, str], fetched: Heard) -> None:
    mailbox, session = fetched[way]
    expected = FETCHED[way].format(user=mailbox.name, password=f"<secret: {len(PASSWORD)} characters>")
    assert said(session) == [each.strip() for line in expected.strip().splitlines() for each in line.split("|")]
    assert session["outcome"] == f"ok: {expected.count('RETR')} message{'s' * (expected.count('RETR') > 1)} fetched"
    # What is said first in LOGIN may be the password, so it is masked too.
    assert session["user"] == ("" if way[1] == "LOGIN" else mailbox.name)


def test_recipients_refused(postfix: Postfix, tmp_path: Path) -> None:
    with Proxy(tmp_path / "proxy", f"0=smtp://{postfix.smtp}") as proxy:
        for recipient in REFUSED:
            assert swaks(proxy.address("smtp"), recipient, message("plain"), tmp_path).status != 0
        proxy.stop()
        sessions = proxy.sessions()
    for (recipient, (code, enhanced)), session in zip(REFUSED.items(), sessions, strict=True):
        *before, refused, quit_ = session["exchanges"]
        assert [each["code"] for each in before] == ["220", "250", "250"]
        assert (refused["verb"], refused["argument"]) == ("RCPT", f"TO:<{recipient}>")
        assert (refused["code"], refused["enhanced"]) == (code, enhanced)
        assert (quit_["verb"], quit_["code"]) == ("QUIT", "221")
        assert session["failed"]
        assert f"{code} {enhanced}" in session["outcome"]


@pytest.mark.parametrize("sender", [python, at_once])
def test_messages_recorded_as_sent(sender: Sender, postfix: Postfix, mailbox: Mailbox, tmp_path: Path) -> None:
    with Proxy(tmp_path / "proxy", f"0=smtp://{postfix.smtp}") as proxy:
        for name in BODIES:
            sender(proxy.address("smtp"), mailbox.address, message(name), tmp_path, None).succeeded()
        proxy.stop()
        recorded = proxy.messages()
    handed_over = message if sender is at_once else received  # BDAT needs no line end
    assert recorded == [handed_over(name) for name in BODIES]


def test_messages_recorded_as_fetched(dovecot: Dovecot, mailbox: Mailbox, tmp_path: Path) -> None:
    for name in BODIES:
        mailbox.put(message(name))
    with Proxy(tmp_path / "proxy", f"0=pop3://{dovecot.pop3}") as proxy:
        login = Login(mailbox.name, PASSWORD, "USER")
        FETCHERS["mpop"](proxy.address("pop3"), login, tmp_path).ran.succeeded()
        proxy.stop()
        recorded = proxy.messages()
    assert sorted(recorded) == sorted(received(name) for name in BODIES)
