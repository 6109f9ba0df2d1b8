"""Routes in `mailproxy.toml`: added behind what is there, which stays octet for octet."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.app import settings
from mailproxy.app.routes import LOOPBACK, Route, make
from mailproxy.app.setup import toml
from mailproxy.app.setup.error import SetupError
from mailproxy.app.setup.server import Server, is_host, is_user
from mailproxy.model.tls import Security

FILE = Path("mailproxy.toml")
SMTP = Server("smtp", "smtp.example.org", 465, Security.TLS, "SRV record _submissions._tcp.example.org")
POP3 = Server("pop3", "pop.example.org", 110, Security.STARTTLS, "port 110 answers")
IMAP = Server("imap", "imap.example.org", 993, Security.TLS, "DNS")
CLEAR = Server("pop3", "2001:db8::25", 110, Security.NONE, "port 110 answers")

WRITTEN = """\
# SMTP, the mail program in clear; found: SRV record _submissions._tcp.example.org
[[route]]
upstream = "smtps://smtp.example.org:465"
listen = "2525"

# SMTP, the mail program under mailproxy's certificate; found: SRV record _submissions._tcp.example.org
[[route]]
upstream = "smtps://smtp.example.org:465"
listen = "smtps://127.0.0.1:2465"

# POP3, the mail program in clear; found: port 110 answers
[[route]]
upstream = "pop3+starttls://pop.example.org:110"
listen = "2110"

# POP3, the mail program under mailproxy's certificate; found: port 110 answers
[[route]]
upstream = "pop3+starttls://pop.example.org:110"
listen = "pop3+starttls://127.0.0.1:2111"
"""


def there(text: str) -> tuple[Route, ...]:
    """The routes of a text."""
    return tuple(make(each["upstream"], each.get("listen", "")) for each in tomllib.loads(text).get("route", ()))


def added(text: str, *servers: Server) -> str:
    return toml.plan(text, there(text), servers, FILE).text


def listens(text: str) -> list[str]:
    return [route["listen"] for route in tomllib.loads(text)["route"] if "listen" in route]


def test_a_new_file() -> None:
    assert added("", SMTP, IMAP, POP3) == WRITTEN


def test_what_is_there_stays() -> None:
    old = '# mine\r\ndb = "mail.sqlite" # here\r\n\r\n[[route]]\r\nupstream = "smtp://x.example.org"'
    new = added(old, CLEAR)
    assert new.startswith(old + "\r\n\r\n# POP3")
    assert new.endswith('[[route]]\r\nupstream = "pop3://[2001:db8::25]:110"\r\nlisten = "2110"\r\n')
    assert "\n" not in new.replace("\r\n", "")


def test_nothing_is_added_twice() -> None:
    planned = toml.plan(WRITTEN, there(WRITTEN), [SMTP, POP3], FILE)
    assert (planned.text, planned.changed) == (WRITTEN, False)
    assert [route.port for route in planned.routes] == [2525, 2465, 2110, 2111]
    assert added(added("", SMTP), SMTP, POP3) == WRITTEN


def test_a_route_that_was_written_otherwise_is_known() -> None:
    text = '[[route]]\nupstream = "SMTPS://SMTP.example.org/"\nlisten = "127.0.0.2:25"\n'
    first, second = toml.plan(text, there(text), [SMTP], FILE).routes
    assert (first.host, first.port, first.new) == ("127.0.0.2", 25, False)
    assert (second.listen, second.new) == ("smtps://127.0.0.1:2465", True)


def test_ports_that_are_taken_are_left_to_whom_they_belong() -> None:
    text = (
        '[[route]]\nupstream = "smtp://a.example.org"\n[[route]]\nupstream = "smtp://b.example.org"\n'
        '[[route]]\nupstream = "pop3://c.example.org"\nlisten = "[::1]:2465"\n'
    )
    # Those that name no port get 2525 and 2526 from `record`.
    assert listens(added(text, SMTP))[1:] == ["2527", "smtps://127.0.0.1:2466"]


def test_two_accounts_at_one_server_share_its_routes() -> None:
    bob = Server("smtp", SMTP.host, SMTP.port, SMTP.security, "Thunderbird, account bob@example.org", "bob")
    planned = toml.plan("", (), [SMTP, bob], FILE)
    assert listens(planned.text) == ["2525", "smtps://127.0.0.1:2465"]
    assert [(route.server.user, route.port) for route in planned.routes] == [
        ("", 2525),
        ("", 2465),
        ("bob", 2525),
        ("bob", 2465),
    ]


@pytest.mark.parametrize("text", ["route = []\n", "route = [{ upstream = 'smtp://x' }]\n"])
def test_routes_in_one_line_cannot_be_added_to(text: str) -> None:
    with pytest.raises(SetupError, match=r"mailproxy\.toml: give each route a \[\[route\]\] table") as raised:
        added(text, SMTP)
    assert len(str(raised.value).splitlines()) == 1


def test_a_mail_program_that_is_pointed_at_mailproxy_already() -> None:
    itself = Server("smtp", "127.0.0.1", 2525, Security.NONE, "Thunderbird")
    assert toml.reads_itself(itself, there(WRITTEN))
    assert not toml.reads_itself(itself, ())
    assert not toml.reads_itself(SMTP, there(WRITTEN))


def test_the_file_is_written_whole_and_keeps_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "mailproxy.toml"
    assert toml.read(path) == ""
    path.write_text("# old\n")
    path.chmod(0o600)
    (tmp_path / "link.toml").symlink_to(path)
    toml.write(tmp_path / "link.toml", "# new\r\n")
    assert path.read_bytes() == b"# new\r\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link.toml", "mailproxy.toml"]


def test_a_file_that_cannot_be_written_or_read(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"nowhere/mailproxy\.toml: No such file or directory"):
        toml.write(tmp_path / "nowhere" / "mailproxy.toml", "")
    (tmp_path / "latin").write_bytes(b"\xe9")
    with pytest.raises(SetupError, match="latin: it is no text in UTF-8"):
        toml.read(tmp_path / "latin")


def test_record_understands_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "mailproxy.toml"
    path.write_text(added('content = "headers"\n', CLEAR, SMTP))
    assert settings.read(path).routes == (
        Route("pop3", LOOPBACK, 2110, "2001:db8::25", 110, True),
        Route("smtp", LOOPBACK, 2525, "smtp.example.org", 465, True, Security.NONE, Security.TLS),
        Route("smtp", LOOPBACK, 2465, "smtp.example.org", 465, True, Security.TLS, Security.TLS),
    )


@given(st.text(), st.text(), st.text())
def test_nothing_that_was_found_can_break_the_file(host: str, user: str, source: str) -> None:
    server = Server("smtp", host if is_host(host) else "x", 465, Security.TLS, source, user if is_user(user) else "")
    assert len(tomllib.loads(added("", server))["route"]) == 2
