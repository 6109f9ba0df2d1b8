"""Each kind of fault on `record`, on `practice` and on `replay server`: what the client hears, and what is recorded."""

import smtplib
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from mailproxy.model.injected import injected
from mailproxy.talk.faults import FAULTS
from mailproxy.talk.faults.parse import parse

from .fault_places import (
    CAPA,
    DATA,
    EHLO,
    HELO,
    LETTER,
    LIST,
    MAIL,
    MESSAGE,
    MX,
    NOOP,
    PASS,
    POP,
    POP2,
    RCPT,
    RETR,
    SENT,
    STAT,
    USER,
    Case,
    Heard,
    Practice,
    Replayed,
    before_a_server,
    before_recorded_ones,
    course,
    hold,
    in_practice,
    words,
)
from .loopback import HOST
from .proxy import COMMAND, LIMIT, Proxy

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")

NOT_ASKED: Final = "by mailproxy, the server was not asked"
REFUSED: Final = "454 4.7.0 TLS not available due to temporary reason"
SMTP: Final = [
    ("at RCPT 2 answer 452 4.5.3 Too many",
     MX + EHLO + MAIL + RCPT + " -> RCPT TO:<bob@example.org>\n<-  452 4.5.3 Too many\n",
     f"RCPT 2 answered 452 4.5.3 Too many {NOT_ASKED}"),
    ("at NOOP answer 450 Not now first 2",
     MX + " -> NOOP\n<-  450 Not now\n" * 2 + NOOP,
     f"NOOP 1 answered 450 Not now {NOT_ASKED} | NOOP 2 answered 450 Not now {NOT_ASKED}"),
    ("at NOOP answer 450 Not now one in 2",
     MX + NOOP + " -> NOOP\n<-  450 Not now\n" + NOOP,
     f"NOOP 2 answered 450 Not now {NOT_ASKED}"),
    ("at MAIL answer 452 4.3.1 Enough after 1 message",
     MX + EHLO + MAIL + RCPT + DATA + SENT + " -> MAIL FROM:<a@example.org>\n<-  452 4.3.1 Enough\n",
     f"MAIL 2 answered 452 4.3.1 Enough {NOT_ASKED}"),
    ("at greeting answer 421 Too many above 0 connections",
     "<-  421 Too many\n",
     "the greeting answered 421 Too many by mailproxy, the server had said 220"),
    ("at content answer 552 5.3.4 Too big",
     MX + EHLO + MAIL + RCPT + DATA + MESSAGE + "<-  552 5.3.4 Too big\n" + NOOP,
     "the reply to message 1 answered 552 5.3.4 Too big by mailproxy, the server had said 250"),
    ("at RSET drop", MX + " -> RSET\n" + NOOP, f"RSET 1 dropped {NOT_ASKED}"),
    ("at NOOP 1 drop reply", MX + " -> NOOP\n" + NOOP, "all octets dropped by mailproxy in the reply to NOOP 1"),
    ("at NOOP delay 0.01", MX + NOOP, "delay of 0.01 s by mailproxy before NOOP 1"),
    ("at NOOP throttle 100000", MX + NOOP, "100000 octets a second by mailproxy before NOOP 1"),
    ("at NOOP slice 1,7", MX + NOOP, "slices of 1, 7 octets by mailproxy before NOOP 1"),
    ("slice 9 every 1ms", MX + NOOP, "slices of 9 octets every 0.001 s by mailproxy from the start"),
    ("at RCPT reset",
     MX + EHLO + MAIL + " -> RCPT TO:<bob@example.org>\n*** reset\n",
     "connection reset by mailproxy before RCPT 1"),
    ("after NOOP close", MX + NOOP + "*** closed\n", "connection closed by mailproxy behind NOOP 1"),
    ("at connect close", "*** closed\n", "connection closed by mailproxy on connect"),
    ("at octet 61 close",
     MX + " -> EHLO c\n<-  250-example\\\n*** closed\n",
     "connection closed by mailproxy before octet 61 of the server"),
    ("at octet 3 of client reset",
     MX + " -> NOOP\n*** reset\n",
     "connection reset by mailproxy before octet 3 of the client"),
    ("at content close after 5 octets",
     MX + EHLO + MAIL + RCPT + DATA + " -> Subject: x\n*** closed\n",
     "connection closed by mailproxy behind 5 octets of message 1"),
    ("no last LF", MX + EHLO + MAIL + RCPT + DATA + MESSAGE, "last LF dropped by mailproxy in message 1"),
    (r"octets behind NOOP\r\n",
     MX + EHLO + MAIL + RCPT + DATA + SENT + "<-  250 2.0.0 Done, which was nothing\n",
     "6 octets put behind the end by mailproxy in message 1"),
    (r"at NOOP octets behind 250 again\r\n",
     MX + NOOP + "<-  250 again\n",
     "11 octets put behind the end by mailproxy in the reply to NOOP 1"),
    ("at NOOP bare LF",
     MX + " -> NOOP\n<-  250 2.0.0 Done, which was nothing\\n\n",
     "CRLF made LF by mailproxy in the reply to NOOP 1"),
    ("at NOOP code only", MX + " -> NOOP\n<-  250\n", "text taken away by mailproxy in the reply to NOOP 1"),
    ("at NOOP broken multi-line",
     MX + " -> NOOP\n<-  250-2.0.0 Done, which was nothing\n",
     "last line made to say that more follows by mailproxy in the reply to NOOP 1"),
    ("at NOOP broken multi-line codes",
     MX + " -> NOOP\n<-  250-2.0.0 Done, which was nothing\n<-  550 2.0.0 Done, which was nothing\n",
     "codes made to differ by mailproxy in the reply to NOOP 1"),
    ("hide SIZE",
     MX + EHLO.replace("<-  250-SIZE 10485760\n", ""),
     "SIZE hidden by mailproxy in the reply to EHLO 1"),
    ("add AUTH GSSAPI",
     MX + EHLO.replace("250 HELP", "250-HELP\n<-  250 AUTH GSSAPI"),
     "AUTH GSSAPI added by mailproxy in the reply to EHLO 1"),
    ("refuse tls", MX + EHLO + f" -> STARTTLS\n<-  {REFUSED}\n", f"STARTTLS 1 answered {REFUSED} {NOT_ASKED}"),
    ("strip tls", MX + EHLO + f" -> STARTTLS\n<-  {REFUSED}\n", f"STARTTLS 1 answered {REFUSED} {NOT_ASKED}"),
]  # fmt: skip
POP3: Final = [
    ("at PASS answer -ERR [IN-USE] Locked",
     POP + USER + " -> PASS practice\n<-  -ERR [IN-USE] Locked\n",
     f"PASS 1 answered -ERR [IN-USE] Locked {NOT_ASKED}"),
    ("at RETR wrong count -2",
     POP + PASS + RETR.replace("211", "209") + LETTER,
     "announced octets off by -2 by mailproxy in the reply to RETR 1"),
    ("at content unstuffed dot",
     POP + PASS + RETR + LETTER.replace("<-  Message-ID", "<-  .\n<-  Message-ID"),
     "dot not doubled by mailproxy in message 1"),
    ("at content close after 20 octets",
     POP + PASS + RETR + "<-  From: Bob <bob@examp\\\n*** closed\n",
     "connection closed by mailproxy behind 20 octets of message 1"),
    ("after content reset",
     POP + PASS + RETR + LETTER + "*** reset\n",
     "connection reset by mailproxy behind message 1"),
    ("at LIST no last LF", POP + PASS + LIST[:-1] + "\\r\\\n", "last LF dropped by mailproxy in the reply to LIST 1"),
    (r"octets behind X-Spam: no\r\n",
     POP + PASS + RETR + LETTER + "<-  X-Spam: no\n" + STAT,
     "12 octets put behind the end by mailproxy in message 1"),
    ("at STAT code only", POP + PASS + " -> STAT\n<-  +OK\n", "text taken away by mailproxy in the reply to STAT 1"),
    ("at LIST bare LF",
     POP + PASS + " -> LIST\n<-  +OK\\n\n<-  1 211\\n\n<-  2 1600\\n\n<-  3 493\\n\n<-  .\\n\n",
     "CRLF made LF by mailproxy in the reply to LIST 1 | CRLF made LF by mailproxy in the reply to LIST 1"),
    ("hide UIDL", POP + CAPA.replace("<-  UIDL\n", ""), "UIDL hidden by mailproxy in the reply to CAPA 1"),
    ("refuse tls", POP + " -> STLS\n<-  -ERR TLS not available\n",
     f"STLS 1 answered -ERR TLS not available {NOT_ASKED}"),
]  # fmt: skip
OTHERS: Final = [
    ("pop2", "at READ wrong count +3",
     POP2 + HELO + " -> READ 1\n<-  =214 octets in message 1\n",
     "announced octets off by +3 by mailproxy in the reply to READ 1"),
    ("pop2", "at READ answer - Not now", POP2 + HELO + " -> READ 1\n<-  - Not now\n",
     f"READ 1 answered - Not now {NOT_ASKED}"),
    ("lmtp", "at RCPT answer 452 4.2.2 Full",
     (MX + EHLO).replace("EHLO", "LHLO").replace("ESMTP", "LMTP")
     + MAIL + " -> RCPT TO:<bob@example.org>\n<-  452 4.2.2 Full\n",
     f"RCPT 1 answered 452 4.2.2 Full {NOT_ASKED}"),
]  # fmt: skip
CASES: Final = (
    *(Case("smtp", *case) for case in SMTP),
    *(Case("pop3", *case) for case in POP3),
    *(Case(*case) for case in OTHERS),
)
PLACES: Final = {"record": before_a_server, "practice": in_practice, "replay server": before_recorded_ones}
SAYS: Final = {
    "answer", "octets behind", "bare LF", "code only", "broken multi-line", "hide", "add", "wrong count",
    "unstuffed dot", "refuse tls", "strip tls",
}  # fmt: skip
"""The kinds by which mailproxy says something in the server's place."""
UNDER_TLS: Final = {"alert", "expired certificate", "wrong name certificate"}


@pytest.fixture(scope="module", params=PLACES)
def heard(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[Case, Heard]:
    """What came of all cases at a place, one after the other."""
    return PLACES[request.param](tmp_path_factory.mktemp("place"), CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.protocol} {case.rule}")
def test_the_client_hears_it_and_the_record_tells_it(case: Case, heard: dict[Case, Heard]) -> None:
    talk, notes, own = heard[case]
    assert talk == case.talk.splitlines()
    if notes is not None:
        told = [did for each in notes if (did := injected(each))]
        assert " | ".join(each.did for each in told) == case.told
        assert {each.rule.rpartition(" in session ")[0] for each in told} == {case.rule}
        to_server = case.protocol == "smtp" and "in message 1" in case.told
        assert own is (parse(case.rule).kind.name in SAYS and not to_server)


def test_all_kinds_are_among_them() -> None:
    kinds = {parse(case.rule).kind.name for case in CASES}
    assert kinds | UNDER_TLS == {kind.name for kind in FAULTS}


# TLS with the client, which practice does not have.

TLS: Final = {
    "alert handshake_failure": "HANDSHAKE_FAILURE",
    "expired certificate": "certificate has expired",
    "wrong name certificate": "Hostname mismatch",
}


@pytest.mark.parametrize("place", ["record", "replay server"])
def test_tls_fails_with_the_client(tmp_path: Path, place: str) -> None:
    rules = words(f"{rule} in session {number}" for number, rule in enumerate(TLS, start=1))
    with Practice(tmp_path) as server, course(tmp_path) as files:
        make, given = Proxy, [f"smtps://{HOST}:0=smtp://{HOST}:{server.ports['smtp']}"]
        if place == "replay server":
            make, given = Replayed, [str(files["smtp"]), "--listen", f"smtps://{HOST}:0"]
        with make(tmp_path / "spoiled", *given, *rules) as proxy:
            context = ssl.create_default_context(cafile=str(proxy.root))
            for told in TLS.values():
                with pytest.raises(ssl.SSLError, match=told):
                    smtplib.SMTP_SSL("localhost", proxy.address("smtp").port, context=context, timeout=LIMIT)
            proxy.stop()
            sessions = proxy.sessions()
    notes = [[each["text"] for each in session["entries"] if "mark" in each] for session in sessions]
    rules_told = [did.rule.rpartition(" in session ")[0] for told in notes for each in told if (did := injected(each))]
    assert rules_told == list(TLS)
    assert all(any(each.startswith("TLS failed with the client: ") for each in told) for told in notes)


@pytest.mark.parametrize("rule", [*TLS, "alert internal_error"])
@pytest.mark.parametrize("place", ["practice", "replay server", "record"])
def test_tls_that_nobody_is_offered_cannot_fail(tmp_path: Path, place: str, rule: str) -> None:
    in_clear = Path(__file__).parents[2] / "replay" / "smtp-recipient-unknown.talk"
    told = {
        "practice": (["practice"], "is for clients that use TLS, and nobody is offered it here"),
        "replay server": (["replay", "server", str(in_clear)], "is for clients that use TLS, and nobody is offered it"),
        "record": (["record", "--tls", "passthrough", f"0=smtp://{HOST}"], "is for clients that use TLS, and nobody"),
    }
    arguments, why = told[place]
    db = ["--db", str(tmp_path / "db.sqlite")] if place != "practice" else []
    refused = subprocess.run([COMMAND, *arguments, *db, "--fault", rule], capture_output=True, text=True, timeout=LIMIT)
    assert refused.returncode == 2
    assert why in " ".join(refused.stderr.split())


# In mailproxy.toml.


@pytest.mark.parametrize("given", ["beside it", "by name"])
@pytest.mark.parametrize("place", ["record", "practice", "replay server"])
def test_rules_in_the_settings(tmp_path: Path, place: str, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "mailproxy.toml" if given == "beside it" else "other.toml"
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / name).write_text('fault = ["at NOOP answer 450 Not now", "at PASS answer -ERR no"]\n', encoding="utf-8")
    config = [] if given == "beside it" else ["--config", str(folder / name)]
    with Practice(tmp_path) as server, course(tmp_path) as files:
        monkeypatch.chdir(folder)
        told = MX + " -> NOOP\n<-  450 Not now\n"
        if place == "practice":
            with Practice(folder, *config) as spoiled:
                assert hold(spoiled.ports["smtp"], told) == told.splitlines()
            return
        make, where = (Proxy, f"0=smtp://{HOST}:{server.ports['smtp']}")
        arguments = [where, f"0=pop3://{HOST}:{server.ports['pop3']}"]
        if place == "replay server":
            make, arguments = Replayed, [str(files["smtp"]), "--listen", "0"]
        with make(tmp_path / "spoiled", *arguments, *config) as proxy:
            assert hold(proxy.address("smtp").port, told) == told.splitlines()
            proxy.stop()
