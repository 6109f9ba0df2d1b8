"""The servers of a Thunderbird profile, as its prefs.js has them."""

from pathlib import Path

import pytest

from mailproxy.app.setup import from_thunderbird
from mailproxy.app.setup.error import SetupError
from mailproxy.app.thunderbird import profiles

PREFS = """\
user_pref("mail.accountmanager.accounts", "account1,account2,account3");
user_pref("mail.account.account1.identities", "id1");
user_pref("mail.account.account1.server", "server1");
user_pref("mail.identity.id1.useremail", "alice@example.org");
user_pref("mail.identity.id1.smtpServer", "smtp1");
user_pref("mail.server.server1.type", "pop3");
user_pref("mail.server.server1.hostname", "pop.example.org");
user_pref("mail.server.server1.port", 995);
user_pref("mail.server.server1.socketType", 3);
user_pref("mail.server.server1.userName", "a17");
user_pref("mail.account.account2.identities", "id2");
user_pref("mail.account.account2.server", "server2");
user_pref("mail.identity.id2.useremail", "bob@example.net");
user_pref("mail.identity.id2.smtpServer", "smtp2");
user_pref("mail.server.server2.type", "imap");
user_pref("mail.server.server2.hostname", "imap.example.net");
user_pref("mail.account.account3.server", "server3");
user_pref("mail.server.server3.type", "none");
user_pref("mail.server.server3.hostname", "Local Folders");
user_pref("mail.smtpservers", "smtp1,smtp2");
user_pref("mail.smtpserver.smtp1.hostname", "smtp.example.org");
user_pref("mail.smtpserver.smtp1.port", 587);
user_pref("mail.smtpserver.smtp1.try_ssl", 2);
user_pref("mail.smtpserver.smtp1.username", "a17");
user_pref("mail.smtpserver.smtp2.hostname", "smtp.example.net");
user_pref("mail.smtpserver.smtp2.port", 465);
user_pref("mail.smtpserver.smtp2.try_ssl", 3);
user_pref("mail.smtpserver.smtp2.authMethod", 10);
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A profile with a POP3 account and an IMAP one."""
    folder = tmp_path / "abcd.default"
    folder.mkdir()
    (folder / "prefs.js").write_text(PREFS)
    (tmp_path / "profiles.ini").write_text("[Profile0]\nName=default\nIsRelative=1\nPath=abcd.default\nDefault=1\n")
    return folder


def test_all_accounts(profile: Path) -> None:
    found = from_thunderbird.found(profile)
    assert [(server.upstream, server.user, server.source) for server in found.chosen] == [
        ("smtp+starttls://smtp.example.org:587", "a17", "Thunderbird, account alice@example.org"),
        ("pop3s://pop.example.org:995", "a17", "Thunderbird, account alice@example.org"),
        ("smtps://smtp.example.net:465", "", "Thunderbird, account bob@example.net"),
    ]
    assert "OAuth 2" in found.chosen[2].note
    assert found.notes == ("bob@example.net fetches no mail by POP3, which is what mailproxy records",)


def test_one_account(profile: Path) -> None:
    found = from_thunderbird.found(profile, "Alice@example.org")
    assert [server.host for server in found.chosen] == ["smtp.example.org", "pop.example.org"]
    with pytest.raises(SetupError, match=r"has no account carol@example\.org: mailproxy setup carol@example\.org asks"):
        from_thunderbird.found(profile, "carol@example.org")


def test_hosts_and_users_that_could_harm_a_settings_file_are_left_out(profile: Path) -> None:
    text = PREFS.replace("pop.example.org", 'pop\\"\\nlisten = 1').replace('"a17"', '"a\\" mda \\"x"')
    (profile / "prefs.js").write_text(text)
    found = from_thunderbird.found(profile, "alice@example.org")
    assert [(server.host, server.user) for server in found.chosen] == [("smtp.example.org", "")]


def test_a_profile_without_mail(profile: Path) -> None:
    (profile / "prefs.js").write_text("")
    assert from_thunderbird.found(profile).notes == (f"{profile} has no account with POP3 or SMTP",)


def test_the_only_profile_is_taken_and_of_several_none(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "own_roots", lambda: (profile.parent,))
    assert from_thunderbird.only() == profile
    assert from_thunderbird.choose(None) == from_thunderbird.choose("default") == profile
    other = profile.parent / "other"
    other.mkdir()
    (other / "prefs.js").write_text("")
    with (profile.parent / "profiles.ini").open("a") as ini:
        ini.write("\n[Profile1]\nName=other\nIsRelative=1\nPath=other\n")
    assert from_thunderbird.only() is None
    with pytest.raises(SetupError, match="no profile 'third'") as raised:
        from_thunderbird.choose("third")
    assert "--profile" not in str(raised.value)
