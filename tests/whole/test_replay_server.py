"""Mail programs before a server that is played: each runs into the recorded faults, and reports them in its own words.

Those of one protocol are led into their faults by one process, one after the other: a session to a connection.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from . import fetchers, senders
from .client import Login, Ran
from .loopback import Address
from .messages import message
from .played import CORPUS, Played, Verdict, written
from .proxy import Session, said
from .servers import named
from .way import Layer, Way

CLEAR, STARTTLS, IMPLICIT = Layer
USER: Final = Login("alice", "any password", "USER")
PLAIN: Final = USER._replace(mechanism="PLAIN")
TO: Final = "gone@example.org"

Program = Callable[[Address, Path, Way, bool], Ran]


def sending(sender: senders.Sender) -> Program:
    return lambda server, home, way, login: sender(server, TO, message("plain"), home, PLAIN if login else None, way)


def fetching(fetcher: fetchers.Fetcher, login: Login = USER) -> Program:
    return lambda server, home, way, _: fetcher(server, login, home, way).ran


PROGRAMS: Final[dict[str, Program]] = {
    "swaks": sending(senders.swaks),
    "msmtp": sending(senders.msmtp),
    "curl, sending": sending(senders.curl),
    "mpop": fetching(fetchers.mpop),
    "fetchmail": fetching(fetchers.fetchmail),
    "getmail": fetching(fetchers.getmail),
    "curl, fetching": fetching(fetchers.curl, PLAIN),
}


class Case(NamedTuple):
    """A program, the session of the corpus whose server it meets, and how it ends: with which status and words."""

    program: str
    session: str
    status: int
    words: tuple[str, ...]
    layer: Layer = CLEAR
    login: bool = False

    @property
    def file(self) -> Path:
        return CORPUS / f"{self.session}.talk"

    def __str__(self) -> str:
        return f"{self.program}-{self.session}"


def case(program: str, session: str, status: int, *words: str, layer: Layer = CLEAR, login: bool = False) -> Case:
    return Case(program, session, status, words, layer, login)


CASES: Final = [
    case(
        *("swaks", "smtp-auth-plain-wrong-password", 28),
        "*** No authentication type succeeded",
        "<** 535 5.7.8 Error: authentication failed: (reason unavailable)",
        login=True,
    ),
    case("swaks", "smtp-client-blocked", 21, "<** 554 5.7.1 <unknown[127.0.0.1]>: Client host rejected: Access denied"),
    case("swaks", "smtp-recipient-unknown", 24, "<** 550 5.1.1 <gone@example.org>: Recipient address rejected"),
    case("swaks", "smtp-mailbox-full", 24, "<** 552 5.2.2", "Mailbox is full"),
    case("swaks", "smtp-size-announced-too-large", 23, "<** 552 5.3.4 Message size exceeds fixed limit"),
    case("swaks", "smtp-content-refused", 26, "<** 550 5.7.1 this looks like spam"),
    case(
        *("swaks", "smtp-server-shuts-down", 24),
        "<** 421 4.3.2 The service is shutting down",
        "*** Remote host closed connection unexpectedly.",
    ),
    case("swaks", "smtp-reset-after-data", 6, "*** Remote host closed connection unexpectedly."),
    case("swaks", "smtp-connection-refused", 6, "*** Remote host closed connection unexpectedly."),
    case("swaks", "smtp-starttls-not-offered", 29, "*** Host did not advertise STARTTLS", layer=STARTTLS, login=True),
    case("swaks", "smtp-tls-expired", 29, "*** TLS startup failed", "certificate verify failed", layer=IMPLICIT),
    case("swaks", "smtp-tls-self-signed", 29, "*** TLS startup failed", "certificate verify failed", layer=IMPLICIT),
    case(
        *("msmtp", "smtp-auth-plain-wrong-password", 77),
        "msmtp: authentication failed (method PLAIN)",
        "msmtp: server message: 535 5.7.8 Error: authentication failed: (reason unavailable)",
        login=True,
    ),
    case(
        *("msmtp", "smtp-client-blocked", 76),
        "msmtp: cannot get initial OK message from server",
        "msmtp: server message: 554 5.7.1 <unknown[127.0.0.1]>: Client host rejected: Access denied",
    ),
    case("msmtp", "smtp-hello-refused", 76, "msmtp: SMTP server does not accept EHLO or HELO commands"),
    case("msmtp", "smtp-starttls-required", 65, "msmtp: envelope from address bob@example.org not accepted"),
    case(
        *("msmtp", "smtp-relay-denied", 65),
        "msmtp: recipient address gone@example.org not accepted by the server",
        "msmtp: server message: 554 5.7.1 <carol@example.net>: Relay access denied",
    ),
    case("msmtp", "smtp-mailbox-full", 65, "msmtp: server message: 552 5.2.2", "Mailbox is full"),
    case("msmtp", "smtp-greylisted", 69, "msmtp: server message: 450 4.7.1", "Greylisted, try again in 300 seconds"),
    case("msmtp", "smtp-content-refused", 69, "msmtp: server message: 550 5.7.1 this looks like spam"),
    case("msmtp", "smtp-reset-after-data", 74, "msmtp: network read error: Connection reset by peer"),
    case("msmtp", "smtp-connection-refused", 76, "msmtp: the server sent an empty reply"),
    case(
        *("msmtp", "smtp-starttls-not-offered", 69),
        "msmtp: the server does not support TLS via the STARTTLS command",
        layer=STARTTLS,
        login=True,
    ),
    case(
        *("msmtp", "smtp-starttls-granted-then-closed", 76),
        "msmtp: TLS handshake failed: ",
        layer=STARTTLS,
    ),
    case("msmtp", "smtp-tls-expired", 69, "The certificate chain uses expired certificate.", layer=IMPLICIT),
    case(
        *("msmtp", "smtp-tls-wrong-name", 69),
        "The name in the certificate does not match the expected.",
        layer=IMPLICIT,
    ),
    case("msmtp", "smtp-tls-self-signed", 69, "The certificate issuer is unknown.", layer=IMPLICIT),
    case("curl, sending", "smtp-auth-plain-wrong-password", 67, "curl: (67) Login denied", login=True),
    case("curl, sending", "smtp-client-blocked", 8, "curl: (8) Got unexpected smtp-server response: 554"),
    case("curl, sending", "smtp-hello-refused", 9, "curl: (9) Remote access denied: 504"),
    case("curl, sending", "smtp-size-announced-too-large", 55, "curl: (55) MAIL failed: 552"),
    case("curl, sending", "smtp-recipient-unknown", 55, "curl: (55) RCPT failed: 550"),
    case("curl, sending", "smtp-content-refused", 8, "curl: (8) Weird server reply"),
    case("curl, sending", "smtp-reset-after-data", 56, "curl: (56) Recv failure: Connection reset by peer"),
    case("curl, sending", "smtp-starttls-not-offered", 64, "curl: (64) STARTTLS not supported.", layer=STARTTLS),
    case(
        *("curl, sending", "smtp-tls-expired", 60),
        "curl: (60) SSL certificate problem: certificate has expired",
        layer=IMPLICIT,
    ),
    case(
        *("curl, sending", "smtp-tls-wrong-name", 60),
        "no alternative certificate subject name matches target host name 'localhost'",
        layer=IMPLICIT,
    ),
    case("curl, sending", "smtp-tls-self-signed", 60, "self-signed certificate", layer=IMPLICIT),
    case(
        *("mpop", "pop3-mpop-wrong-password", 77),
        "mpop: authentication failed (method USER)",
        "mpop: POP3 server message: -ERR [AUTH] Authentication failed.",
    ),
    case(
        *("mpop", "pop3-in-use", 77),
        "mpop: POP3 server message: -ERR [IN-USE] Maximum number of connections from user+IP exceeded",
    ),
    case("mpop", "pop3-server-trouble", 77, "mpop: POP3 server message: -ERR [SYS/TEMP] The service is shutting down"),
    case("mpop", "pop3-reset-in-retr", 74, "mpop: network read error: Connection reset by peer"),
    case("mpop", "pop3-connection-refused", 76, "mpop: POP3 server sent an empty reply"),
    case(
        *("mpop", "pop3-tls-wrong-password", 77),
        "mpop: POP3 server message: -ERR [AUTH] Authentication failed.",
        layer=IMPLICIT,
    ),
    case("fetchmail", "pop3-fetchmail-wrong-password", 3, "fetchmail: Authorization failure on alice@localhost"),
    case(
        *("fetchmail", "pop3-in-use", 9),
        "fetchmail: lock busy!  Is another session active?",
        "fetchmail: [IN-USE] Maximum number of connections from user+IP exceeded",
    ),
    case("fetchmail", "pop3-dropped-in-retr", 2, "fetchmail: socket error while fetching from alice@localhost"),
    case("fetchmail", "pop3-reset-in-retr", 2, "fetchmail: socket error while fetching from alice@localhost"),
    case(
        *("fetchmail", "pop3-stls-not-offered", 2),
        "fetchmail: localhost: upgrade to TLS failed.",
        layer=STARTTLS,
    ),
    case("fetchmail", "pop3-tls-wrong-password", 3, "fetchmail: Query status=3 (AUTHFAIL)", layer=IMPLICIT),
    case("getmail", "pop3-mpop-wrong-password", 127, "POP error (b'-ERR [AUTH] Authentication failed.'"),
    case("getmail", "pop3-in-use", 127, "POP error (b'-ERR [IN-USE] Maximum number of connections"),
    case(
        *("getmail", "pop3-server-trouble", 127),
        "operation error (POP error (b'-ERR [SYS/TEMP] The service is shutting down'))",
    ),
    case(
        *("getmail", "pop3-dropped-in-retr", 127),
        "Retrieval error: failed to retrieve msgid",
        "offered message",
        "but failed to provide it.  Please notify the administrator of the server.",
    ),
    case("getmail", "pop3-reset-in-retr", 127, "socket error ([Errno 104] Connection reset by peer)"),
    case("getmail", "pop3-connection-refused", 127, "operation error (POP error (-ERR EOF))"),
    case("getmail", "pop3-tls-wrong-password", 127, "b'-ERR [AUTH] Authentication failed.'", layer=IMPLICIT),
    case("curl, fetching", "pop3-auth-plain-wrong-password", 67, "curl: (67) Login denied"),
    case("curl, fetching", "pop3-reset-in-retr", 56, "curl: (56) Recv failure: Connection reset by peer"),
    case("curl, fetching", "pop3-connection-refused", 56, "curl: (56) response reading failed"),
    case("curl, fetching", "pop3-tls-wrong-password", 67, "curl: (67) Login denied", layer=IMPLICIT),
]  # fmt: skip


class Came(NamedTuple):
    """What came of a case: how the program ended, what was recorded, how that is judged, and how the original is."""

    ran: Ran
    session: Session
    verdict: Verdict
    original: Verdict


def played(cases: list[Case], folder: Path) -> Iterator[tuple[Case, Came]]:
    """Lead the programs into their faults, one after the other, each before its session's server."""
    folder.mkdir()
    files = [str(each.file) for each in cases]
    with Played(folder / "played", *files, "--listen", "0") as server:
        at = named(server.addresses[0])
        ran = [started(each, at, server, folder / str(number)) for number, each in enumerate(cases)]
        server.stop()
        sessions = server.sessions()
        verdicts = server.verdicts(*(str(session["id"]) for session in sessions), *files)
    assert len(sessions) == len(cases)
    originals = verdicts[len(cases) :]
    yield from zip(cases, map(Came, ran, sessions, verdicts, originals), strict=True)


def started(each: Case, at: Address, server: Played, home: Path) -> Ran:
    home.mkdir()
    way = Way(each.layer, None if each.layer is CLEAR else server.root)
    return PROGRAMS[each.program](at, home, way, each.login)


@pytest.fixture(scope="module")
def came(tmp_path_factory: pytest.TempPathFactory) -> dict[Case, Came]:
    folder = tmp_path_factory.mktemp("played")
    groups: dict[str, list[Case]] = {}
    for each in CASES:
        groups.setdefault(f"{each.session.partition('-')[0]}-{each.layer is IMPLICIT}", []).append(each)
    return dict(chain.from_iterable(played(cases, folder / name) for name, cases in groups.items()))


@pytest.mark.parametrize("each", CASES, ids=str)
def test_it_reports_the_fault_in_its_own_words(each: Case, came: dict[Case, Came]) -> None:
    ran = came[each].ran
    told = ran.errors + ran.output.decode(errors="replace")
    assert [words for words in each.words if words not in told] == [], told
    assert ran.status == each.status


@pytest.mark.parametrize("each", CASES, ids=str)
def test_the_session_ends_as_the_recorded_one_did(each: Case, came: dict[Case, Came]) -> None:
    assert came[each].verdict == came[each].original, said(came[each].session)
    assert came[each].session["failed"]


@pytest.mark.parametrize("program", ["swaks", "msmtp", "curl, sending"])
def test_who_is_put_off_is_served_when_it_comes_again(program: str, tmp_path: Path) -> None:
    files = [str(CORPUS / f"{name}.talk") for name in ("smtp-greylisted", "smtp-greylisted-accepted-good")]
    send = PROGRAMS[program]
    with Played(tmp_path / "played", *files, "--listen", "0") as server:
        homes = [tmp_path / "first", tmp_path / "second"]
        for home in homes:
            home.mkdir()
        put_off, served = [send(named(server.addresses[0]), home, Way(), False) for home in homes]
        server.stop()
        assert put_off.status != 0
        assert "450" in put_off.errors + put_off.output.decode()
        served.succeeded()
        assert server.verdicts("1", "2") == [Verdict("failed", "rcpt"), Verdict("ok", "none")]
        assert server.messages()[-1] == message("plain")


def test_curl_takes_a_message_without_an_end_for_a_whole_one(tmp_path: Path) -> None:
    """So it says nothing; what is wrong is in the record only."""
    with Played(tmp_path / "played", str(CORPUS / "pop3-dropped-in-retr.talk"), "--listen", "0") as server:
        mail, ran = fetchers.curl(named(server.addresses[0]), PLAIN, tmp_path)
        server.stop()
        assert (ran.status, ran.errors) == (0, "")
        assert mail.endswith(b"\r\nDate: Mon, 06 Jan 20")
        assert server.verdicts("1") == [Verdict("failed", "transaction")]


SILENT: Final = """
smtp 25
=== connected
*** timed out waiting for the server
"""


def test_swaks_waits_for_a_silent_server_and_says_so(tmp_path: Path) -> None:
    """No session of the corpus is one before the greeting."""
    silent = written(tmp_path, "silent", SILENT)
    with Played(tmp_path / "played", str(silent), "--listen", "0") as server:
        ran = senders.swaks_with(["--timeout", "1"], named(server.addresses[0]), TO, message("plain"), tmp_path)
        server.stop()
        assert ran.status == 21
        assert b"<** Timeout (1 secs) waiting for server response" in ran.output
        assert server.verdicts("1") == server.verdicts(silent)


@pytest.mark.parametrize("program", ["fetchmail", "getmail", "mpop"])
def test_mail_that_was_fetched_is_fetched_again(program: str, tmp_path: Path) -> None:
    session = CORPUS / "pop3-fetchmail-good.talk"
    with Played(tmp_path / "played", str(session), "--listen", "0") as server:
        fetch: dict[str, fetchers.Fetcher] = {**fetchers.FETCHERS, "getmail": fetchers.getmail}
        mail, ran = fetch[program](named(server.addresses[0]), USER, tmp_path)
        server.stop()
        ran.succeeded()
        assert mail.count(b"\r\nSubject: ") == 3
        assert server.verdicts("1") == [Verdict("ok", "none")]


def test_each_is_brought_to_three_faults_at_least() -> None:
    faults = Counter(each.program for each in CASES)
    assert set(faults) == set(PROGRAMS)
    assert min(faults.values()) >= 3
