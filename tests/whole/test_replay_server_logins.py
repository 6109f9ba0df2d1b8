"""Mail programs, and a played server whose login only the recorded one could play: they get to the fault behind it."""

from pathlib import Path
from typing import Final

import pytest

from . import senders
from .client import Login
from .messages import message
from .played import Played, written

PROGRAMS: Final = {
    "curl": (senders.curl, "*", "curl: (55) MAIL failed: 452"),
    "msmtp": (senders.msmtp, "plain", "msmtp: server message: 452 4.3.1 Insufficient system storage"),
    "swaks": (senders.swaks, "ANY", "<** 452 4.3.1 Insufficient system storage"),
}
RECORDED: Final = """
smtp
=== connected
<-  220 mail.example.org ESMTP
 -> EHLO client.example
<-  250-mail.example.org
<-  250 AUTH {mechanism}
 -> AUTH {mechanism}
<-  334 eA==
 -> <secret: {mechanism}, 40 octets>
<-  334 eA==
 -> <secret: {mechanism}, 100 octets>
<-  235 2.7.0 Authentication successful
 -> MAIL FROM:<bob@example.org>
<-  452 4.3.1 Insufficient system storage
 -> QUIT
<-  221 2.0.0 Bye
"""


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "DIGEST-MD5", "GSSAPI"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_it_comes_to_the_fault_behind_the_login(program: str, mechanism: str, tmp_path: Path) -> None:
    sender, choice, words = PROGRAMS[program]
    session = written(tmp_path, "session", RECORDED.format(mechanism=mechanism))
    with Played(tmp_path / "played", str(session), "--listen", "0") as server:
        login = Login("alice", "any password", choice)
        ran = sender(server.address("smtp"), "alice@example.org", message("plain"), tmp_path, login)
        assert words in ran.errors + ran.output.decode(), ran
        server.stop()
        assert any(each.startswith(f"{mechanism} cannot be played") for each in server.remarks), server.log
