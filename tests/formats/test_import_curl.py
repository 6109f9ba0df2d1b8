"""What curl and mpop print today, on this machine, of sessions that the proxy records."""

from pathlib import Path

import pytest

from mailproxy.formats import record_json
from mailproxy.model.octets import Side
from mailproxy.model.session import Recording
from tests.formats.imports import asked, imported, notes, speech
from tests.formats.test_import_real import ALICE, BOB, MESSAGE, PASSWORD, Servers, run, servers
from tests.whole.client import private
from tests.whole.need import program


def curl_sends(there: Servers, home: Path) -> str:
    mail = home / "message"
    mail.write_bytes(MESSAGE.replace("\n", "\r\n").encode())
    return run(
        *("curl", "--verbose", f"smtp://{there.smtp}/client.example", "--mail-from", BOB, "--mail-rcpt", ALICE),
        *("--upload-file", str(mail), "--user", f"{ALICE}:{PASSWORD}", "--login-options", "AUTH=PLAIN"),
        home=home,
    )


def curl_sends_under_tls(there: Servers, home: Path) -> str:
    mail = home / "message"
    mail.write_bytes(MESSAGE.replace("\n", "\r\n").encode())
    return run(
        *("curl", "--verbose", "--cacert", str(there.proxy.root), f"smtps://{there.smtps}/client.example"),
        *("--mail-from", BOB, "--mail-rcpt", ALICE, "--upload-file", str(mail)),
        home=home,
    )


def curl_is_refused(there: Servers, home: Path) -> str:
    return run("curl", "--verbose", f"pop3://{there.pop3}/", "--user", f"{ALICE}:wrong", home=home)


def curl_fetches(there: Servers, home: Path) -> str:
    return run("curl", "--verbose", f"pop3://{there.pop3}/1", "--user", f"{ALICE}:{PASSWORD}", home=home)


def mpop(there: Servers, home: Path) -> str:
    for folder in ("cur", "new", "tmp"):
        (home / "mail" / folder).mkdir(parents=True)
    settings = private(
        home / "mpoprc",
        f"account default\nhost {there.pop3.host}\nport {there.pop3.port}\ntls off\nauth user\nuser {ALICE}\n"
        f"password {PASSWORD}\ndelivery maildir {home}/mail\nkeep on\nuidls_file {home}/uidls\n",
    )
    return run("mpop", "--debug", "-C", str(settings), home=home)


TOOLS = {
    "curl-sends": curl_sends,
    "curl-tls": curl_sends_under_tls,
    "curl-refused": curl_is_refused,
    "curl-fetches": curl_fetches,
    "mpop": mpop,
}
Came = dict[str, tuple[str, Recording]]


@pytest.fixture(scope="module")
def came(tmp_path_factory: pytest.TempPathFactory) -> Came:
    """What each printed, and what the proxy recorded."""
    program("curl"), program("mpop")
    with servers(tmp_path_factory.mktemp("servers")) as there:
        printed = {name: tool(there, tmp_path_factory.mktemp(name)) for name, tool in TOOLS.items()}
        there.proxy.stop()
        numbers = [str(session["id"]) for session in there.proxy.sessions()]
        sessions = record_json.read(there.proxy.run("export", *numbers, "--format", "json").decode())
    return {name: (printed[name], session) for name, session in zip(printed, sessions, strict=True)}


@pytest.mark.parametrize("name", TOOLS)
def test_what_was_heard_is_what_the_proxy_recorded(came: Came, name: str) -> None:
    text, recorded = came[name]
    [found] = imported(text)
    left_out = {"QUIT"} if name.startswith("curl") else set[str]()  # which curl says without telling
    assert [each for each in asked(found.exchanges) if each.verb not in left_out] == [
        each for each in asked(recorded.exchanges) if each.verb not in left_out
    ]
    assert found.session.user == recorded.session.user
    assert found.session.failed == recorded.session.failed
    assert not any("not understood" in note for note in notes(found) if "curl" not in name), notes(found)


def test_every_octet_of_mpop_is_the_one_that_the_proxy_recorded(came: Came) -> None:
    text, recorded = came["mpop"]
    [found] = imported(text)
    for side in Side:
        assert speech(found, side) == speech(recorded, side)


def test_a_message_that_curl_fetched_is_whole(came: Came) -> None:
    text, recorded = came["curl-fetches"]
    [found] = imported(text)
    [content] = [each.content for each in found.exchanges if each.verb == "RETR"]
    assert content is not None
    assert content.ended
    [meant] = [each.content for each in recorded.exchanges if each.verb == "RETR"]
    assert meant is not None
    assert content.span.length == meant.span.length


def test_a_message_that_curl_sent_is_counted(came: Came) -> None:
    text, recorded = came["curl-sends"]
    [found] = imported(text)
    lengths = [[each.content.span.length for each in of.exchanges if each.content] for of in (found, recorded)]
    assert lengths[0] == lengths[1]


def test_what_curl_said_under_tls_is_told_so(came: Came) -> None:
    [found] = imported(came["curl-tls"][0])
    assert "=== TLS with the server: TLSv1.3, TLS_AES_256_GCM_SHA384" in notes(found)
    assert all(speech(found, side, secure=True) and not speech(found, side, secure=False) for side in Side)
