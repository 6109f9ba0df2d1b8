"""`mailproxy show --tls`: versions, ciphers and certificates in plain words."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailproxy.model.octets import Side
from mailproxy.model.session import Leg, Recording, Session
from mailproxy.model.tls import Fault, TlsFacts
from mailproxy.store.engine import open_database
from mailproxy.store.library import add
from tests.cli.command import Mailproxy
from tests.tls import FACTS, LEAF, ROOT

SHOWN = TlsFacts(version="TLSv1.2", offered=("TLSv1.2",), chain=(LEAF,))
SESSION = Session(1, "smtp", datetime(2026, 1, 31, 12, tzinfo=UTC), outcome="ok: no message", duration=9)


def keep(database: Path, client: TlsFacts | None, server: TlsFacts | None) -> None:
    """Put a session with these facts into the database."""
    engine = open_database(database)
    add(engine, Recording(replace(SESSION, client=Leg(Side.CLIENT, tls=client), server=Leg(Side.SERVER, tls=server))))
    engine.dispose()


def told(mailproxy: Mailproxy) -> list[str]:
    """What is told of the last session, without its first and last line."""
    ran = mailproxy("show", "last", "--tls")
    assert (ran.code, ran.err) == (0, "")
    return ran.lines[1:-1]


def test_all_that_is_known(database: Path, mailproxy: Mailproxy) -> None:
    keep(database, SHOWN, FACTS)
    assert told(mailproxy) == [
        "# client: TLSv1.2",
        "#   the mail program named no host and offered TLSv1.2",
        "#   certificate 1: CN=mail.example.org (EC P-256)",
        "#     names: mail.example.org, 192.0.2.25",
        "#     issuer: CN=Example Root,O=Example",
        "#     valid: 2026-01-01 00:00:00 UTC to 2026-04-01 00:00:00 UTC",
        f"#     SHA-256: {LEAF.fingerprint}",
        "#   mailproxy made this chain",
        "# server: TLSv1.3, TLS_AES_256_GCM_SHA384, group X25519MLKEM768, ALPN smtp",
        "#   mailproxy asked for mail.example.org and offered TLSv1.3, TLSv1.2",
        "#   ALPN offered: smtp, lmtp",
        "#   ciphers offered: TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256",
        "#   JA4: t13d0208sp_0123456789ab_0123456789ab",
        "#   certificate 1: CN=mail.example.org (EC P-256)",
        "#     names: mail.example.org, 192.0.2.25",
        "#     issuer: CN=Example Root,O=Example",
        "#     valid: 2026-01-01 00:00:00 UTC to 2026-04-01 00:00:00 UTC",
        f"#     SHA-256: {LEAF.fingerprint}",
        "#   certificate 2: CN=Example Root,O=Example (RSA 4096)",
        "#     issuer: CN=Example Root,O=Example",
        "#     valid: 2020-01-01 00:00:00 UTC to 2040-01-01 00:00:00 UTC",
        f"#     SHA-256: {ROOT.fingerprint}",
        "#   the chain is not trusted: certificate has expired, hostname mismatch",
    ]


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (replace(FACTS, faults=(), reason=""), "the chain is trusted"),
        (replace(FACTS, faults=(), reason="", checked=False), "nobody checked this chain"),
        (
            replace(FACTS, faults=(Fault.OTHER,), reason="EE certificate key too weak"),
            "the chain is not trusted: certificate verify failed (EE certificate key too weak)",
        ),
    ],
)
def test_verdicts(database: Path, mailproxy: Mailproxy, facts: TlsFacts, verdict: str) -> None:
    keep(database, None, facts)
    assert told(mailproxy)[-1] == f"#   {verdict}"


def test_tls_that_failed(database: Path, mailproxy: Mailproxy) -> None:
    keep(database, None, TlsFacts(trouble="alert unknown_ca from the server"))
    assert told(mailproxy) == [
        "# client: no TLS",
        "# server: TLS, but nothing was agreed on",
        "#   TLS failed: alert unknown_ca from the server",
    ]


def test_many_ciphers_take_one_short_line(database: Path, mailproxy: Mailproxy) -> None:
    names = tuple(f"TLS_{number}" for number in range(30))
    keep(database, None, replace(FACTS, offered_ciphers=names))
    assert "#   ciphers offered: TLS_0, TLS_1, TLS_2, and 27 more (--full tells all)" in told(mailproxy)
    assert f"#   ciphers offered: {', '.join(names)}" in mailproxy("show", "last", "--tls", "--full").lines


@pytest.mark.parametrize(
    ("said", "client", "server"),
    [
        ("<-  +OK\n -> STLS\n<~  +OK\n", "no TLS", "TLS, of which a transcript tells no more"),
        ("=== TLS passes through: the server chose TLSv1.3\n", *2 * ("TLS, which passed through unread",)),
        ("<-  +OK\n", "no TLS", "no TLS"),
    ],
)
def test_a_transcript_tells_little(mailproxy: Mailproxy, tmp_path: Path, said: str, client: str, server: str) -> None:
    (tmp_path / "a.talk").write_text(f"pop3 110\n{said}", encoding="utf-8")
    lines = mailproxy("show", str(tmp_path / "a.talk"), "--tls").lines
    assert lines[1:3] == [f"# client: {client}", f"# server: {server}"]


def test_what_would_harm_a_terminal_does_not(database: Path, mailproxy: Mailproxy) -> None:
    forged = replace(LEAF, subject="CN=\x1b[2J", names=("a\\x00b",))
    keep(database, None, replace(FACTS, chain=(forged,), server_name="a\\x00b", reason="\x07"))
    said = "\n".join(told(mailproxy))
    assert said.replace("\n", "").isprintable()
    assert "#   certificate 1: CN=\\x1b[2J (EC P-256)\n#     names: a\\x00b\n" in said
    assert "asked for a\\x00b and" in said


def test_without_being_asked_it_tells_nothing(database: Path, mailproxy: Mailproxy) -> None:
    keep(database, SHOWN, FACTS)
    assert len(mailproxy("show", "last").lines) == 2


def test_json_has_it_always(database: Path, mailproxy: Mailproxy) -> None:
    keep(database, None, FACTS)
    [session] = mailproxy("show", "last", "--json").json["sessions"]
    assert session["client"]["tls"] is None
    assert session["server"]["tls"]["chain"][0]["sha256"] == LEAF.fingerprint


def test_it_survives_export_and_import(database: Path, mailproxy: Mailproxy, tmp_path: Path) -> None:
    keep(database, SHOWN, FACTS)
    (tmp_path / "out.json").write_bytes(mailproxy("show", "last", "--json").octets)
    assert mailproxy("import", str(tmp_path / "out.json")).code == 0
    [before] = mailproxy("show", "1", "--json").json["sessions"]
    [after] = mailproxy("show", "2", "--json").json["sessions"]
    assert (after["client"]["tls"], after["server"]["tls"]) == (before["client"]["tls"], before["server"]["tls"])
