"""Each log is known by itself, and taken for no other."""

from pathlib import Path
from typing import Final

import pytest

from mailproxy.app.library import read_file
from tests.formats.imports import recognised
from tests.formats.test_import_logs import LOGS, SAMPLES, log

# What a sample's name begins with, where its format has another name.
NAMES: Final = {"neomutt": "mutt", "sylpheed": "claws", "dovecot": "rawlog", "oauth2": "oauth2-proxy"}
# What the other formats look like, shortly.
OTHERS: Final = {
    "talk": "smtp 25\n<-  220 a.example ESMTP\n -> QUIT\n<-  221 bye\n",
    "json": '{"version": 1, "sessions": []}\n',
    "swaks": "=== Trying 192.0.2.1:25...\n=== Connected to 192.0.2.1.\n<-  220 a ESMTP\n -> EHLO b\n<-  250 a\n",
    "telnet": "Trying 192.0.2.1...\nConnected to a.example.\nEscape character is '^]'.\n220 a ESMTP\nEHLO b\n250 a\n",
    "s_client": "CONNECTED(00000003)\n---\nCertificate chain\n---\n250 CHUNKING\nEHLO b\n250 a\nQUIT\nDONE\n",
    "phpmailer": "SERVER -> CLIENT: 220 a ESMTP\nCLIENT -> SERVER: EHLO b\nSERVER -> CLIENT: 250-a\n250 SIZE\n",
    "python": "send: 'ehlo b\\r\\n'\nreply: b'250-a\\r\\n'\nreply: b'250 SIZE\\r\\n'\nreply: retcode (250)\n",
    "msmtp": "<-- 220 a ESMTP\n--> EHLO b\n<-- 250 a\n--> QUIT\n<-- 221 bye\n",
    "fetchmail": "fetchmail: POP3< +OK ready\nfetchmail: POP3> CAPA\nfetchmail: POP3< +OK\nfetchmail: POP3< .\n",
}
NONE: Final = (
    "",
    "Dear Bob,\n\n> how are you?\n\nAlice\n",
    "* Connected to a.example (192.0.2.1) port 80 (#0)\n> GET / HTTP/1.1\n> Host: a.example\n< HTTP/1.1 200 OK\n",
    "*** Settings ***\nS: small\nC: cold\n",
)


def meant(name: str) -> str:
    start = name.split("-")[0]
    return NAMES.get(start, start)


@pytest.mark.parametrize("name", LOGS)
def test_a_sample_is_known(name: str) -> None:
    assert recognised(log(name)) == meant(name)


@pytest.mark.parametrize("name", OTHERS)
def test_the_samples_of_others_are_left_alone(name: str) -> None:
    assert recognised(OTHERS[name]) == name


@pytest.mark.parametrize("text", NONE)
def test_other_texts_are_none(text: str) -> None:
    assert recognised(text) == ""


@pytest.mark.parametrize("name", LOGS)
def test_a_file_needs_no_format_named(name: str) -> None:
    assert read_file(str(SAMPLES / name))
    assert Path(SAMPLES / name).exists()
