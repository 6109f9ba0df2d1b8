"""TLS passes through unread and untouched, where that is wanted."""

from pathlib import Path

import pytest

from . import need
from .certificate import Certificates
from .client import Login, Ran, run
from .dovecot import PASSWORD, Dovecot, Mailbox
from .messages import message, received, untraced
from .postfix import Postfix
from .proxy import Proxy, Session, kinds, notes, said
from .senders import BOB, swaks_with
from .test_secrets import forms


def assert_opaque(session: Session) -> None:
    """What came after the handshake is counted and not kept, and the handshake's hello is told."""
    counted = kinds(session)
    assert counted["client", "opaque"] > 1
    assert counted["server", "opaque"] > 1
    assert any("TLS" in note and "client offers TLSv1.3" in note for note in notes(session)), notes(session)
    assert not session["failed"]


def able(ran: Ran) -> Ran:
    """The same, unless swaks was installed without its TLS library."""
    if "TLS not available" in ran.errors:
        need.missing(ran.errors)
    return ran


def test_swaks_sends(postfix: Postfix, mailbox: Mailbox, tmp_path: Path) -> None:
    with Proxy(tmp_path / "proxy", "--tls", "passthrough", f"0=smtp://{postfix.smtp}") as proxy:
        login = Login(mailbox.name, PASSWORD, "PLAIN")
        server = proxy.address("smtp")
        able(swaks_with(["-tls"], server, mailbox.address, message("octet-255"), tmp_path, login)).succeeded()
        postfix.delivered(mailbox.address)
        proxy.stop()
        assert proxy.keeps([*forms(PASSWORD), b"how are you"]) == []
        (session,) = proxy.sessions()
    assert [untraced(mail) for mail in mailbox.messages] == [received("octet-255")]
    assert said(session) == ["220", "EHLO client.example 250", "STARTTLS 220"]
    assert_opaque(session)


def test_curl_sends(postfix: Postfix, mailbox: Mailbox, tmp_path: Path) -> None:
    with Proxy(tmp_path / "proxy", "--tls", "passthrough", f"0=smtp://{postfix.smtp}") as proxy:
        run(
            *("curl", "--silent", "--show-error", "--ssl-reqd", "--insecure"),
            *(f"smtp://{proxy.address('smtp')}/client.example", "--mail-from", BOB, "--mail-rcpt", mailbox.address),
            *("--upload-file", "-"),
            given=message("a-lot"),
            home=tmp_path,
        ).succeeded()
        postfix.delivered(mailbox.address)
        proxy.stop()
        (session,) = proxy.sessions()
    assert [untraced(mail) for mail in mailbox.messages] == [received("a-lot")]
    assert said(session) == ["220", "EHLO client.example 250", "STARTTLS 220"]
    assert_opaque(session)


def test_curl_fetches(dovecot: Dovecot, mailbox: Mailbox, tmp_path: Path) -> None:
    mailbox.put(message("a-lot"))
    with Proxy(tmp_path / "proxy", "--tls", "passthrough", f"0=pop3://{dovecot.pop3}") as proxy:
        mail = run(
            *("curl", "--silent", "--show-error", "--ssl-reqd", "--insecure"),
            *(f"pop3://{proxy.address('pop3')}/1", "--user", f"{mailbox.name}:{PASSWORD}"),
            home=tmp_path,
        ).succeeded()
        proxy.stop()
        assert proxy.keeps([*forms(PASSWORD), b"quick brown fox"]) == []
        (session,) = proxy.sessions()
    assert mail == received("a-lot")
    assert said(session) == ["+OK", "CAPA +OK", "STLS +OK"]
    assert_opaque(session)


@pytest.mark.parametrize("listener", ["0", "pop3s://127.0.0.1:0"])
def test_curl_fetches_where_tls_comes_first(
    listener: str, dovecot: Dovecot, mailbox: Mailbox, certificates: Certificates, tmp_path: Path
) -> None:
    """It trusts the server's certificate, and no other."""
    mailbox.put(message("a-lot"))
    with Proxy(tmp_path / "proxy", "--tls", "passthrough", f"{listener}=pop3s://{dovecot.pop3s}") as proxy:
        mail = run(
            *("curl", "--silent", "--show-error", "--cacert", str(certificates.root)),
            *(f"pop3s://{proxy.address('pop3')}/1", "--user", f"{mailbox.name}:{PASSWORD}"),
            home=tmp_path,
        ).succeeded()
        proxy.stop()
        (session,) = proxy.sessions()
    assert mail == received("a-lot")
    assert said(session) == []
    assert_opaque(session)


def test_curl_fetches_by_socks_from_a_server_that_has_a_route_in_clear(
    dovecot: Dovecot, mailbox: Mailbox, certificates: Certificates, tmp_path: Path
) -> None:
    """As `mailproxy setup` writes one: by SOCKS the client speaks as with the server all the same."""
    mailbox.put(message("a-lot"))
    options = ("--socks", "0", "--trust", str(certificates.root))
    with Proxy(tmp_path / "proxy", *options, f"0=pop3s://{dovecot.pop3s}") as proxy:
        mail = run(
            *("curl", "--silent", "--show-error", "--cacert", str(proxy.root)),
            *("--socks5-hostname", str(proxy.address("socks"))),
            *(f"pop3s://{dovecot.pop3s}/1", "--user", f"{mailbox.name}:{PASSWORD}"),
            home=tmp_path,
        ).succeeded()
        proxy.stop()
        (session,) = proxy.sessions()
    assert mail == received("a-lot")
    assert any("TLS with the client" in note for note in notes(session)), notes(session)
