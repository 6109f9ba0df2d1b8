"""Thunderbird before servers that are played: it runs into the recorded faults, and its dialogs tell of them.

One Thunderbird goes through all sessions, of which each is played to a connection.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from .played import CORPUS, Played, Verdict
from .test_thunderbird_rules import PASSWORD, USER, Stage
from .thunderbird import Told

SENDING: Final = "Sending of the message failed.\n"
REFUSED: Final = f"{SENDING}An error occurred while sending mail. The mail server responded:"
SMTP: Final = f"{SENDING}An error occurred while sending mail: Outgoing server (SMTP) error. The server responded:"
LOGIN: Final = "Login to server 127.0.0.1 with username alice failed."


class Case(NamedTuple):
    """The session whose server it meets, as many times as it calls, and what its user reads; nothing, if that is so."""

    session: str
    reads: str
    calls: int = 1

    @property
    def protocol(self) -> str:
        return self.session.partition("-")[0]

    @property
    def file(self) -> str:
        return str(CORPUS / f"{self.session}.talk")

    def __str__(self) -> str:
        return self.session


CASES: Final = [
    Case("smtp-auth-plain-wrong-password", f"{SENDING}Unable to authenticate to Outgoing server (SMTP) ."),
    Case("smtp-client-blocked", f"{SMTP}  <unknown[127.0.0.1]>: Client host rejected: Access denied."),
    Case("smtp-hello-refused", f"{SMTP}  <my_laptop>: Helo command rejected: need fully-qualified hostname."),
    Case("smtp-recipient-unknown", f"{REFUSED}\n<gone@example.org>: Recipient address rejected: no such person here."),
    Case("smtp-relay-denied", f"{REFUSED}\n<carol@example.net>: Relay access denied."),
    Case("smtp-mailbox-full", f"{REFUSED}\n<full@example.org>: Recipient address rejected: Mailbox is full."),
    Case("smtp-greylisted", f"{REFUSED}\n<grey@example.org>: Recipient address rejected: Greylisted, try again", 2),
    Case("smtp-content-refused", f"{REFUSED}  this looks like spam. Please check the message and try again."),
    Case("smtp-size-found-too-large", f"{REFUSED}  Error: message file too big."),
    Case("smtp-size-announced-too-large", f"{SENDING}The size of the message you are trying to send exceeds"),
    Case("smtp-reset-after-data", "because the connection to Outgoing server (SMTP) 127.0.0.1 timed out. Try again."),
    Case("pop3-auth-plain-wrong-password", LOGIN),
    Case("pop3-login-too-soon", LOGIN),
    Case("pop3-server-trouble", LOGIN),
    Case("pop3-dropped-in-retr", ""),
    Case("pop3-reset-in-retr", "Connection to server 127.0.0.1 was reset."),
]


class Came(NamedTuple):
    """What came of a case: what the user was told, how its last session is judged, and how the original is."""

    told: Told
    verdict: Verdict
    original: Verdict


@pytest.fixture(scope="module")
def came(tmp_path_factory: pytest.TempPathFactory) -> dict[Case, Came]:
    folder = tmp_path_factory.mktemp("thunderbird")
    with ExitStack() as stack:
        smtp, pop3 = (stack.enter_context(played(each, folder / each)) for each in ("smtp", "pop3"))
        thunderbird = stack.enter_context(Stage(folder))
        thunderbird.account(smtp.address("smtp"), pop3.address("pop3"), USER, PASSWORD, "alice@example.org")
        told = {each: led(thunderbird, each) for each in CASES}
        return dict(chain(judged(smtp, "smtp", told), judged(pop3, "pop3", told)))


def played(protocol: str, folder: Path) -> Played:
    """All servers of a protocol, in turn."""
    return Played(folder, *(each.file for each in cases(protocol) for _ in range(each.calls)), "--listen", "0")


def cases(protocol: str) -> list[Case]:
    return [each for each in CASES if each.protocol == protocol]


def led(thunderbird: Stage, each: Case) -> Told:
    """What it tells its user of a fault, its last dialogs among it."""
    told = thunderbird.send_on() if each.protocol == "smtp" else thunderbird.fetch()
    return told._replace(alerts=(*told.alerts, *thunderbird.hang_up()))


def judged(server: Played, protocol: str, told: dict[Case, Told]) -> Iterator[tuple[Case, Came]]:
    """What came of the cases of a protocol, whose server ends then."""
    server.stop()
    numbers = iter(str(session["id"]) for session in server.sessions())
    last = [next(islice(numbers, each.calls - 1, None)) for each in cases(protocol)]
    assert list(numbers) == []
    verdicts = server.verdicts(*last, *(each.file for each in cases(protocol)))
    for each, verdict, original in zip(cases(protocol), verdicts, verdicts[len(last) :], strict=False):
        yield each, Came(told[each], verdict, original)


@pytest.mark.parametrize("each", CASES, ids=str)
def test_its_user_reads_of_the_fault(each: Case, came: dict[Case, Came]) -> None:
    told = came[each].told
    assert told.status != 0
    if not each.reads:
        assert (told.alerts, told.notices) == ((), ())
    assert not each.reads or any(each.reads in text for text in (*told.alerts, *told.notices)), told


@pytest.mark.parametrize("each", CASES, ids=str)
def test_the_session_ends_as_the_recorded_one_did(each: Case, came: dict[Case, Came]) -> None:
    assert came[each].verdict == came[each].original
    assert came[each].verdict.outcome == "failed"
