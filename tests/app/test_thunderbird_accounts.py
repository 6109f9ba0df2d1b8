"""The accounts of a profile."""

from dataclasses import replace
from pathlib import Path

import pytest

from mailproxy.app.thunderbird.accounts import Account, Server, accounts, read, servers
from mailproxy.app.thunderbird.prefs import Prefs
from tests.app.thunderbird_profile import PREFS, profile

POP_ALICE = Server("pop3", "pop.example.org", 995, "tls", "alice@home", "password", "mail.server.server1")
POP_BOB = Server("pop3", "pop.example.net", 110, "starttls", "bob", "oauth2", "mail.server.server3")
SMTP_ORG = Server("smtp", "smtp.example.org", 587, "starttls", "alice", "password", "mail.smtpserver.smtp1")
SMTP_NET = Server("smtp", "smtp.example.net", 465, "tls", "", "none", "mail.smtpserver.smtp2")


def test_the_accounts_with_their_servers(tmp_path: Path) -> None:
    assert accounts(profile(tmp_path)) == [
        Account("Home", "alice@example.org", POP_ALICE, (SMTP_ORG,)),
        Account("bob@example.net", "bob@example.net", POP_BOB, (SMTP_NET, SMTP_ORG)),
        Account("carol@example.net", "carol@example.net", None, (SMTP_ORG,)),
    ]


def test_each_server_once() -> None:
    assert servers(Prefs.parse(PREFS)) == [POP_ALICE, POP_BOB, SMTP_ORG, SMTP_NET]


@pytest.mark.parametrize(
    ("name", "value", "server"),
    [
        ("mail.server.server1.realhostname", "new.example.org", replace(POP_ALICE, host="new.example.org")),
        ("mail.server.server1.realuserName", "al", replace(POP_ALICE, user="al")),
        ("mail.server.server1.port", 70_000, POP_ALICE),
        ("mail.server.server1.port", "995", POP_ALICE),
        ("mail.server.server1.socketType", 1, replace(POP_ALICE, security="starttls")),
        ("mail.server.server1.authMethod", 4, replace(POP_ALICE, auth="encrypted")),
    ],
)
def test_what_a_server_is(name: str, value: str | int, server: Server) -> None:
    assert servers(Prefs.parse(PREFS).change(name, value))[0] == server


@pytest.mark.parametrize("prefs", [b"", b'user_pref("mail.accountmanager.accounts", "account1, ,account9");'])
def test_no_accounts(prefs: bytes) -> None:
    assert read(Prefs.parse(prefs)) == []


def test_no_profile(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        accounts(tmp_path)
