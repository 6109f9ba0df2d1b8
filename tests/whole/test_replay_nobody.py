"""A server that is played calls nobody: the process itself tells of each connection that it would make."""

import smtplib
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from .loopback import free
from .played import CORPUS, Played
from .proxy import Proxy
from .servers import named

HOST: Final = "127.0.0.1"
MAIL: Final = ("bob@example.org", ["alice@example.org"], "Subject: x\r\n\r\nHello Alice\r\n")

# What each process of Python runs before all else, where its folder is on the path (the module site tells).
WATCH: Final = """
import sys

def watch(event, arguments):
    calls = event in ("socket.connect", "socket.sendto", "socket.sendmsg")
    asks = event == "socket.getaddrinfo" and arguments[0] not in (None, {host!r}, {host!r}.encode())
    asks = asks or event in ("socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
    if (calls and not isinstance(arguments[1], str)) or asks:
        with open({told!r}, "a") as told:
            print(event, arguments, file=told)

sys.addaudithook(watch)
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that each process begun now writes its connections to; it is there once there was one."""
    watched, told = tmp_path / "watched", tmp_path / "told"
    watched.mkdir()
    (watched / "sitecustomize.py").write_text(WATCH.format(host=HOST, told=str(told)))
    monkeypatch.setenv("PYTHONPATH", str(watched))
    return told


@contextmanager
def smtp(server: Proxy, implicit: bool = False) -> Iterator[smtplib.SMTP]:
    at = named(server.addresses[0])
    if implicit:
        with smtplib.SMTP_SSL(*at, local_hostname="client.example", timeout=30, context=trust(server)) as client:
            yield client
    else:
        with smtplib.SMTP(*at, local_hostname="client.example", timeout=30) as client:
            yield client


def trust(server: Proxy) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.root)


def test_no_connection_is_made_in_clear(told: Path, tmp_path: Path) -> None:
    with Played(tmp_path / "played", str(CORPUS / "smtp-send-good.talk"), "--listen", "0") as server:
        with smtp(server) as client:
            assert client.sendmail(*MAIL) == {}
        server.stop()
        assert not told.exists(), told.read_text()


def test_no_connection_is_made_under_starttls(told: Path, tmp_path: Path) -> None:
    with Played(tmp_path / "played", str(CORPUS / "smtp-starttls-apart-good.talk"), "--listen", "0") as server:
        with smtp(server) as client:
            client.starttls(context=trust(server))
            assert client.sendmail(*MAIL) == {}
        server.stop()
        assert not told.exists(), told.read_text()


def test_no_connection_is_made_where_tls_comes_first(told: Path, tmp_path: Path) -> None:
    with Played(tmp_path / "played", str(CORPUS / "smtp-tls-good.talk"), "--listen", "0") as server:
        with smtp(server, implicit=True) as client:
            assert client.sendmail(*MAIL) == {}
        server.stop()
        assert not told.exists(), told.read_text()


def test_a_connection_would_be_told(told: Path, tmp_path: Path) -> None:
    """A proxy makes one for each of its clients."""
    nobody = free()
    with Proxy(tmp_path / "proxy", f"0=smtp://{nobody}") as proxy:
        with pytest.raises(smtplib.SMTPServerDisconnected), smtp(proxy):
            pass
        proxy.stop()
    assert "socket.connect" in told.read_text()
    assert str(nobody.port) in told.read_text()


def test_a_question_for_an_address_would_be_told(told: Path) -> None:
    subprocess.run([sys.executable, "-c", "import socket; socket.getaddrinfo('localhost', 25)"], check=True)
    assert told.read_text().startswith("socket.getaddrinfo ('localhost', 25")
