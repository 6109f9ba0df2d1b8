"""A recorded server before the recorded client, by the commands themselves: the session is the same once more."""

import re
from pathlib import Path
from typing import Final

import pytest

from .played import CORPUS, Played
from .replaying import at, ended, replay

PASSWORDS: Final = {8: "12345678", 17: "12345678901234567"}
"""Of a length that the record tells, so that nothing differs."""
SESSIONS: Final = {
    "smtp-send-good": 8,
    "smtp-pipelining-one-recipient-refused": 8,
    "smtp-auth-plain-good": 17,
    "smtp-auth-cram-md5-good": 17,
    "smtp-starttls-apart-good": 17,
    "smtp-tls-good": 17,
    "smtp-bdat-chunks-good": 8,
    "smtp-greylisted": 8,
    "pop3-fetchmail-good": 17,
    "pop3-apop-good": 17,
    "pop3-deleted-good": 17,
    "pop3-stls-apart-good": 17,
    "pop3-tls-wrong-password": 17,
    "pop3-reset-in-retr": 8,
    "pop2-session-good": 8,
    "pop2-dropped-in-retr": 8,
    "lmtp-mixed-replies": 8,
}
"""Sessions of the corpus, and how long their passwords are."""
WHOLLY: Final = ("--deliver", "--delete", "--insecure-login")


@pytest.mark.parametrize("name", SESSIONS)
def test_nothing_differs(name: str, tmp_path: Path) -> None:
    talk = str(CORPUS / f"{name}.talk")
    with Played(tmp_path / "server", talk, "--listen", "0") as server:
        played = replay(server, talk, at(server), *WHOLLY, password=PASSWORDS[SESSIONS[name]])
        compared = ended(server, "diff", talk, played.session)
        server.stop()
    assert played.code == 0, played.out + played.err
    assert compared.code == 0, compared.out
    assert "nothing differs" in compared.out


@pytest.mark.parametrize(("name", "scheme"), [("smtp-send-good", "smtps"), ("pop3-fetchmail-good", "pop3s")])
def test_under_tls_only_tls_differs(name: str, scheme: str, tmp_path: Path) -> None:
    talk = str(CORPUS / f"{name}.talk")
    with Played(tmp_path / "server", talk, "--listen", f"{scheme}://127.0.0.1:0") as server:
        played = replay(server, talk, at(server), *WHOLLY, password=PASSWORDS[SESSIONS[name]])
        server.stop()
    assert played.code == 1, played.err
    differences = re.findall(r"^  that  (.*)", played.out, re.M)
    assert [each.split(", TLS_")[0] for each in differences] == ["Now only: TLS with the server: TLSv1.3"]
    assert "exchanges alike" in played.out
