"""Settings: the database and the file."""

import re
from pathlib import Path

import pytest

from mailproxy.app import settings
from mailproxy.app.routes import Route
from mailproxy.app.settings import Settings, SettingsError, read, shown
from mailproxy.model.tls import Security, Verify

ALL = """
db = "mail.sqlite"
content = "headers"
keep_secrets = true
public = false
when_full = "stop"

[[route]]
upstream = "smtp://mail.example.org:587"
listen = "[::1]:2500"

[[route]]
upstream = "pop3://mail.example.org"

[[route]]
upstream = "smtp://backup.example.org"
listen = 2525
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the settings stand."""
    return tmp_path / "mailproxy.toml"


def test_all_that_a_file_may_say(file: Path) -> None:
    file.write_text(ALL)
    assert read(file) == Settings(
        (
            Route("smtp", "::1", 2500, "mail.example.org", 587, asked=True),
            Route("pop3", "127.0.0.1", 2110, "mail.example.org", 110),
            Route("smtp", "127.0.0.1", 2525, "backup.example.org", 25, asked=True),
        ),
        db="mail.sqlite",
        content="headers",
        keep_secrets=True,
        public=False,
        when_full="stop",
    )


def test_what_it_may_say_of_tls(file: Path) -> None:
    file.write_text(
        """
        socks = "1080"
        verify = "strict"
        tls_min = "1.2"
        trust = ["company.pem"]
        keylog = "keys.txt"
        client_cert = "me.pem"

        [[route]]
        upstream = "smtps://old.example.org"
        listen = "smtps://127.0.0.1:2465"
        tls_min = "1.0"
        verify = "off"

        [[route]]
        upstream = "pop3://mail.example.org"
        tls = "passthrough"
        """
    )
    assert read(file) == Settings(
        (
            Route(
                "smtp", "127.0.0.1", 2465, "old.example.org", 465,
                asked=True, client=Security.TLS, server=Security.TLS, verify=Verify.OFF, tls_min="1.0",
            ),
            Route("pop3", "127.0.0.1", 2110, "mail.example.org", 110, apart=False),
        ),
        socks="1080", verify="strict", tls_min="1.2", trust=("company.pem",), keylog="keys.txt", client_cert="me.pem",
    )  # fmt: skip


def test_a_file_may_say_nothing(file: Path) -> None:
    file.write_text("# later\n")
    assert read(file) == Settings()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("db = 3", "db = 3 is not understood; there is db, content, keep_secrets, public, when_full, socks, tls,"),
        ("keep_secrets = 'yes'", "keep_secrets = 'yes' is not understood"),
        ("passwords = 'keep'", "passwords = 'keep' is not understood; there is db, content"),
        ("content = 'some'", "content = 'some' is not understood; there is full, headers, none"),
        ("when_full = 'wait'", "when_full = 'wait' is not understood; there is refuse, relay, stop"),
        ("route = 'smtp://x'", "route = 'smtp://x' is not understood"),
        ("route = ['smtp://x']", 'a [[route]] has upstream = "smtp://host:port"'),
        ("[[route]]\nlisten = '25'", 'a [[route]] has upstream = "smtp://host:port"'),
        ("[[route]]\nupstream = 25", 'a [[route]] has upstream = "smtp://host:port"'),
        ("[[route]]\nupstream = 'smtp://x'\ntls = true", "tls = 'True' is not understood; there is apart, passthrough"),
        ("[[route]]\nupstream = 'smtp://x'\ncolour = 1", 'a [[route]] has upstream = "smtp://host:port"'),
        ("tls_min = '0.9'", "tls_min = '0.9' is not understood; there is 1.0, 1.1, 1.2, 1.3"),
        ("trust = [1]", "trust is a list of files"),
        ("[[route]]\nupstream = 'imap://x'", "'imap://x' is no server"),
        ("[[route]]\nupstream = 'smtp://x'\nlisten = true", "'True' has no port"),
        ("content = = 'full'", "Invalid value (at line 1"),
        ("db = '\x1b[31m'", "Found invalid character '\\x1b'"),
    ],
)
def test_what_is_no_setting_is_told_in_one_line(file: Path, said: str, told: str) -> None:
    file.write_text(said)
    with pytest.raises(SettingsError, match=re.escape(f"{file}: {told}")) as raised:
        read(file)
    assert len(str(raised.value).splitlines()) == 1


def test_what_is_no_text(file: Path) -> None:
    file.write_bytes(b"db = '\xff'")
    with pytest.raises(SettingsError, match="can't decode byte 0xff"):
        read(file)


def test_no_file(file: Path) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"{file}: No such file or directory")):
        read(file)


def test_the_database_is_in_the_users_directory_unless_the_environment_names_it(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.database() == str(database)
    monkeypatch.setenv("MAILPROXY_DB", "")
    assert Path(settings.database()).name == "mailproxy.sqlite"
    assert Path(settings.database()).parent.name == "mailproxy"


@pytest.mark.parametrize(
    ("db", "seen"),
    [
        ("mail.sqlite", "mail.sqlite"),
        ("postgresql://host/mail", "postgresql://host/mail"),
        ("postgresql://me@host/mail", "postgresql://me@host/mail"),
        ("postgresql://me:open@sesame@host/mail", "postgresql://me:***@host/mail"),
        ("postgresql://host/mail?user=me&password=sesame&x=1", "postgresql://host/mail?user=me&password=***&x=1"),
    ],
)
def test_a_password_in_a_url_is_not_shown(db: str, seen: str) -> None:
    assert shown(db) == seen
