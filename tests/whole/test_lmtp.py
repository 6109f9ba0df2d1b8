"""Delivery to Dovecot by LMTP (RFC 2033), where every recipient has a reply of its own after the message."""

import smtplib
from pathlib import Path

from .dovecot import Dovecot, Mailbox
from .messages import BODIES, message, received, untraced
from .postfix import Postfix
from .proxy import Proxy, said
from .senders import swaks


def test_postfix_delivers_through_the_proxy(
    postfix: Postfix, dovecot: Dovecot, mailbox: Mailbox, tmp_path: Path
) -> None:
    recipient = f"{mailbox.name}@lmtp.example"
    with Proxy(tmp_path / "proxy", f"{postfix.lmtp_hop.port}=lmtp://{dovecot.lmtp}") as proxy:
        swaks(postfix.smtp, recipient, message("octet-255"), tmp_path).succeeded()
        postfix.delivered(recipient)
        proxy.stop()
        (session,) = proxy.sessions()
    assert [untraced(mail) for mail in mailbox.messages] == [received("octet-255")]
    assert said(session) == [
        "220",
        "LHLO mail.example.org 250",
        "MAIL FROM:<bob@example.org> BODY=8BITMIME 250",
        f"RCPT TO:<{recipient}> 250",
        "DATA 250",
        "QUIT 221",
    ]
    assert (session["protocol"], session["outcome"]) == ("lmtp", "ok: 1 message sent")


def test_messages_arrive_as_they_were_sent(dovecot: Dovecot, mailbox: Mailbox, tmp_path: Path) -> None:
    with Proxy(tmp_path / "proxy", f"0=lmtp://{dovecot.lmtp}") as proxy:
        with smtplib.LMTP(*proxy.address("lmtp"), local_hostname="client.example") as connection:
            for name in BODIES:
                connection.sendmail("bob@example.org", [mailbox.address], message(name))
        proxy.stop()
        recorded = proxy.messages()
    assert recorded == [received(name) for name in BODIES]
    assert sorted(untraced(mail) for mail in mailbox.messages) == sorted(recorded)


def test_each_recipient_has_its_own_reply(dovecot: Dovecot, mailbox: Mailbox, tmp_path: Path) -> None:
    broken = "alice0@example.org"  # known, but there is no room for its mail
    with Proxy(tmp_path / "proxy", f"0=lmtp://{dovecot.lmtp}") as proxy:
        with smtplib.LMTP(*proxy.address("lmtp"), local_hostname="client.example") as connection:
            connection.ehlo()
            connection.mail("bob@example.org")
            for recipient in (mailbox.address, "stranger@example.org", broken):
                connection.rcpt(recipient)
            assert connection.data(message("plain"))[0] == 250
            assert connection.getreply()[0] == 451
        proxy.stop()
        (session,) = proxy.sessions()
    assert [line.split()[-1] for line in said(session)] == ["220", "250", "250", "250", "550", "250", "451", "221"]
    assert [reply["code"] for reply in session["exchanges"][6]["replies"]] == ["354", "250", "451"]
    assert [untraced(mail) for mail in mailbox.messages] == [received("plain")]
    assert session["failed"]
