"""`mailproxy telnet` under TLS, with Postfix and Dovecot: begun at once, or by a STARTTLS or STLS that was typed."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from .certificate import FAULTS, Certificates
from .dovecot import PASSWORD, Mailbox
from .loopback import Address
from .messages import message, received, untraced, wire_lines
from .proxy import COMMAND, LIMIT, notes, said
from .servers import NAME, Servers, named, url
from .test_secrets import forms
from .test_tls_faults import REASONS
from .tls_server import TlsServer
from .way import Layer

BEGIN: Final = {"smtp": b"EHLO client.example", "pop3": b"CAPA"}
UPGRADES: Final = {"smtp": b"STARTTLS", "pop3": b"STLS"}
CHOSEN: Final = "=== TLS with the server: TLSv1.3, TLS_AES_256_GCM_SHA384, certificate of mail.example.org"


class Typed(NamedTuple):
    """How it ended, what was shown and warned of, the session's record, and which secrets are in the database."""

    code: int
    shown: list[str]
    warned: list[str]
    session: dict[str, Any]
    kept: bool


class Keyboard:
    """Types lines, one after the other's reply, through a pipe."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._db = folder / "record.sqlite"
        self._root = root

    def types(self, *lines: bytes, to: tuple[str, ...]) -> Typed:
        """A whole session."""
        words = ("telnet", *to, "--trust", str(self._root))
        ran = self._run(words, b"".join(line + b"\n" for line in lines))
        exported = self._run(("export", "last", "--format", "json"))
        session = json.loads(exported.stdout)["sessions"][0]
        octets = self._db.read_bytes()
        kept = any(secret in octets for secret in forms(PASSWORD))
        return Typed(ran.returncode, ran.stdout.decode().splitlines(), ran.stderr.decode().splitlines(), session, kept)

    def _run(self, words: tuple[str, ...], typed: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [COMMAND, *words, "--db", str(self._db)]
        return subprocess.run(command, input=typed, capture_output=True, timeout=LIMIT, check=False)


@pytest.fixture
def keyboard(certificates: Certificates, tmp_path: Path) -> Keyboard:
    return Keyboard(tmp_path, certificates.root)


def begin(protocol: str, layer: Layer) -> list[bytes]:
    """What is typed before all else, and the wish for TLS where that is made by hand."""
    wish = [UPGRADES[protocol], BEGIN[protocol]] if layer is Layer.STARTTLS else []
    return [BEGIN[protocol], *wish]


def where(protocol: str, layer: Layer, at: Address) -> tuple[str, ...]:
    """The server as it is named on the command line."""
    return (url(protocol, layer if layer is Layer.IMPLICIT else Layer.CLEAR, at),)


@pytest.mark.parametrize("layer", [Layer.STARTTLS, Layer.IMPLICIT])
def test_a_message_is_sent(layer: Layer, servers: Servers, mailbox: Mailbox, keyboard: Keyboard) -> None:
    login = base64.b64encode(f"\0{mailbox.name}\0{PASSWORD}".encode())
    envelope = [
        b"AUTH PLAIN " + login,
        b"MAIL FROM:<bob@example.org>",
        f"RCPT TO:<{mailbox.address}>".encode(),
        b"DATA",
    ]
    lines = [line.removesuffix(b"\r\n") for line in wire_lines(message(NAME))]
    typed = keyboard.types(
        *begin("smtp", layer), *envelope, *lines, b".", b"QUIT", to=where("smtp", layer, servers.at("smtp", layer))
    )
    servers.postfix.delivered(mailbox.address)
    assert [untraced(mail) for mail in mailbox.messages] == [received(NAME)]
    assert CHOSEN in typed.shown
    assert CHOSEN in notes(typed.session)
    assert typed.code == 0
    assert not typed.session["failed"], typed.session["outcome"]
    assert not typed.kept
    assert said(typed.session)[-1] == "QUIT 221"
    assert {each["secure"] for each in typed.session["entries"] if each.get("kind") == "content"} == {True}


@pytest.mark.parametrize("layer", [Layer.STARTTLS, Layer.IMPLICIT])
def test_a_message_is_fetched(layer: Layer, servers: Servers, mailbox: Mailbox, keyboard: Keyboard) -> None:
    mailbox.put(message("leading-dots"))
    login = [f"USER {mailbox.name}".encode(), f"PASS {PASSWORD}".encode()]
    at = where("pop3", layer, servers.at("pop3", layer))
    typed = keyboard.types(*begin("pop3", layer), *login, b"RETR 1", b"QUIT", to=at)
    assert CHOSEN in typed.shown
    assert [line.decode().removesuffix("\r\n") for line in wire_lines(message("leading-dots"))][-1] in typed.shown
    assert typed.code == 0
    assert not typed.session["failed"], typed.session["outcome"]
    assert typed.session["user"] == mailbox.name
    assert not typed.kept


def test_the_option_and_the_port_will_do(servers: Servers, keyboard: Keyboard) -> None:
    at = servers.at("smtp", Layer.IMPLICIT)
    typed = keyboard.types(b"QUIT", to=(str(at), "--tls"))
    assert CHOSEN in typed.shown
    assert typed.session["upstream"] == f"smtps://{at}"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("layer", [Layer.STARTTLS, Layer.IMPLICIT])
def test_what_is_wrong_with_a_certificate_is_told_and_the_person_goes_on(
    layer: Layer, fault: str, servers: Servers, keyboard: Keyboard
) -> None:
    at = where("smtp", layer, servers.faulty("smtp", layer, fault))
    typed = keyboard.types(*begin("smtp", layer), b"QUIT", to=at)
    told = f"the server's certificate is not trusted: {REASONS[fault]}"
    assert f"*** {told}" in typed.warned
    assert f"=== {told}" in notes(typed.session)
    assert said(typed.session)[-1] == "QUIT 221"


def test_an_old_server_is_told_of_in_one_line(certificates: Certificates, keyboard: Keyboard) -> None:
    with TlsServer(certificates.good, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0") as server:
        at = named(server.address)
        typed = keyboard.types(b"QUIT", to=(url("smtp", Layer.IMPLICIT, at),))
    why = "TLS failed with the server: alert protocol_version from the server"
    assert typed.code == 1
    assert f"mailproxy: {at.host} port {at.port}: {why}" in typed.warned
    assert notes(typed.session)[-1] == f"*** {why}"


def test_a_server_in_clear_is_told_of_in_one_line(servers: Servers, keyboard: Keyboard) -> None:
    typed = keyboard.types(b"QUIT", to=(url("smtp", Layer.IMPLICIT, servers.at("smtp", Layer.CLEAR)),))
    assert typed.code == 1
    assert notes(typed.session)[-1] == "*** TLS failed with the server: it speaks in clear"
