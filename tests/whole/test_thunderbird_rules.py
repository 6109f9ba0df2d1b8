"""Thunderbird itself is the judge of what is told about it: each of its behaviours, seen again through the proxy.

One Thunderbird goes through all scripts; the record of each is looked at as a diagnosis would.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple
from zipfile import ZipFile

import pytest

from mailproxy.analysis.clients.behaviour import pattern
from mailproxy.analysis.clients.recognise import recognise
from mailproxy.analysis.clients.thunderbird import BEHAVIOURS, MESSAGES_A_CONNECTION, shown
from mailproxy.app.library import recordings
from mailproxy.app.lookup import look_up
from mailproxy.app.lookup.dialogs import THUNDERBIRD
from mailproxy.model.session import Recording

from . import need
from . import thunderbird_scripts as scripts
from .loopback import HOST
from .marionette import ALERT_OPEN, Refusal
from .proxy import Proxy, until
from .scripted import Scripted
from .thunderbird import SECURITY, Thunderbird, Told
from .way import Layer

USER: Final = "alice"
PASSWORD: Final = "wonderland"
TO: Final = "bob@example.org"
FAILED: Final = "Sending of the message failed.\n"
BEHAVIOUR: Final = {each.id.removeprefix("thunderbird-"): each for each in BEHAVIOURS}

HELLO: Final = """
<- 220 mail.example.org ESMTP
-> EHLO
<- 250-mail.example.org
<- 250-8BITMIME
<- 250 SIZE 1000000
"""
OFFER: Final = HELLO.replace("8BITMIME", "STARTTLS")
LOGIN: Final = """
<- 220 mail.example.org ESMTP
-> EHLO
<- 250-mail.example.org
<- 250 AUTH LOGIN
-> AUTH LOGIN
"""
PLAIN: Final = LOGIN.replace("LOGIN", "PLAIN")
MAIL: Final = f"{HELLO}-> MAIL\n<- 250 fine\n"
RCPT: Final = f"{MAIL}-> RCPT\n<- 250 fine\n"
DATA: Final = f"{RCPT}-> DATA\n<- 354 go on\n-> (message)\n"
SENT: Final = f"{DATA}<- 250 queued\n"
AGAIN: Final = "-> MAIL\n<- 250 fine\n-> RCPT\n<- 250 fine\n-> DATA\n<- 354 go on\n-> (message)\n<- 250 queued\n"

PASS: Final = """
<- +OK ready
-> CAPA
<- -ERR what?
-> USER
<- +OK
-> PASS
"""
AUTH: Final = """
<- +OK ready
-> CAPA
<- +OK
<- SASL PLAIN
<- UIDL
<- .
-> AUTH PLAIN
"""
STLS: Final = "<- +OK\n-> CAPA\n<- +OK\n<- STLS\n<- .\n-> STLS\n"
STAT: Final = f"{PASS}<- +OK\n-> STAT\n"
LIST: Final = "-> STAT\n<- +OK 1 40\n-> LIST\n<- +OK\n<- 1 40\n<- .\n-> UIDL\n"
UIDL: Final = f"{PASS}<- +OK\n{LIST}"
RETR: Final = f"{UIDL}<- +OK\n<- 1 {{name}}\n<- .\n-> RETR\n"
MAIL_1: Final = "<- +OK\n<- Subject: x\n<- \n<- Hello\n"
FETCHED: Final = "CAPA USER PASS STAT LIST UIDL RETR"


class Case(NamedTuple):
    """Which behaviour its scripts bring about, and what the server hears, connection by connection."""

    shows: str
    scripts: tuple[str, ...]
    heard: str
    starttls: bool = False

    @property
    def protocol(self) -> str:
        return self.shows.partition("-")[0]

    def __str__(self) -> str:
        return f"{self.shows}:{self.heard.replace(' ', '-')}"


def case(shows: str, heard: str, *scripts: str, starttls: bool = False) -> Case:
    return Case(shows, scripts, heard, starttls)


CASES: Final = [
    case("smtp-code-only", "EHLO", HELLO.replace("250 SIZE 1000000", "250")),
    case("smtp-code-only", "EHLO MAIL", f"{HELLO}-> MAIL\n<- 250"),
    case("smtp-code-only", "EHLO MAIL RCPT", f"{MAIL}-> RCPT\n<- 250"),
    case("smtp-code-only", "EHLO MAIL RCPT DATA", f"{RCPT}-> DATA\n<- 354"),
    case("smtp-code-only", "EHLO MAIL RCPT DATA .", f"{DATA}<- 250"),
    case("smtp-code-only-login", "EHLO AUTH", f"{PLAIN}<- 235"),
    case("smtp-mail-too-many", "EHLO MAIL | EHLO MAIL", f"{HELLO}-> MAIL\n<- 451 4.7.1 greylisted"),
    case("smtp-mail-too-many", "EHLO MAIL | EHLO MAIL", f"{HELLO}-> MAIL\n<- 452 4.3.1 the disk is full"),
    case("smtp-mail-temporary", "EHLO MAIL | EHLO MAIL", f"{HELLO}-> MAIL\n<- 450 4.7.1 not now"),
    case("smtp-mail-temporary", "EHLO MAIL | EHLO MAIL", f"{HELLO}-> MAIL\n<- 421 4.3.2 bye\n*** closed"),
    case("smtp-mail-size", "EHLO MAIL", f"{HELLO}-> MAIL\n<- 552 5.3.4 too big"),
    case("smtp-mail-refused", "EHLO MAIL", f"{HELLO}-> MAIL\n<- 553 5.7.1 not yours"),
    case("smtp-no-login", "EHLO MAIL", f"{HELLO}-> MAIL\n<- 530 5.7.0 Authentication required"),
    case("smtp-no-login", "EHLO MAIL", f"{HELLO.replace('8BITMIME', 'AUTH=PLAIN')}-> MAIL\n<- 530 5.7.0 log in"),
    case("smtp-no-login", "EHLO MAIL RCPT", f"{MAIL}-> RCPT\n<- 554 5.7.1 Relay access denied"),
    case("smtp-recipient-temporary", "EHLO MAIL RCPT | EHLO MAIL RCPT", f"{MAIL}-> RCPT\n<- 450 4.2.0 greylisted"),
    case("smtp-recipient-refused", "EHLO MAIL RCPT", f"{MAIL}-> RCPT\n<- 550 5.1.1 nobody"),
    case("smtp-hello-refused", "EHLO", "<- 220 hello\n-> EHLO\n<- 501 5.5.2 a name is wanted"),
    case("smtp-greeting-refused", "", "<- 554 no"),
    case("smtp-greeting-refused", "", "<- 421 too many connections"),
    case("smtp-data-refused", "EHLO MAIL RCPT DATA", f"{RCPT}-> DATA\n<- 554 no"),
    case("smtp-message-refused", "EHLO MAIL RCPT DATA .", f"{DATA}<- 554 5.6.0 spam"),
    case("smtp-message-refused", "EHLO MAIL RCPT DATA .", f"{DATA}<- 451 4.3.0 later"),
    case("smtp-login-prompt", "EHLO AUTH", f"{LOGIN}<- 334 dXNlcm5hbWU6"),
    case("smtp-login-prompt", "EHLO AUTH", f"{LOGIN}<- 334 VXNlcm5hbWU6\n-> \n<- 334 UGFzc3dvcmQ="),
    case("smtp-login-refused", "EHLO AUTH", f"{PLAIN}<- 535 5.7.8 no"),
    case("smtp-login-temporary", "EHLO AUTH", f"{PLAIN}<- 454 4.7.0 later"),
    case("smtp-login-closed", "EHLO AUTH", f"{PLAIN}*** closed"),
    case("smtp-mechanism-cram", "EHLO", HELLO.replace("SIZE 1000000", "AUTH CRAM-MD5")),
    case("smtp-mechanism", "EHLO", HELLO.replace("SIZE 1000000", "AUTH XOAUTH2")),
    case("smtp-starttls-missing", "EHLO", HELLO, starttls=True),
    case("smtp-starttls-missing", "EHLO", "<- 220 hello\n-> EHLO\n<- 502 what?", starttls=True),
    case("smtp-starttls-refused", "EHLO STARTTLS", f"{OFFER}-> STARTTLS\n<- 454 no", starttls=True),
    case("smtp-idle-421", "EHLO MAIL RCPT DATA .", f"{SENT}<- 421 bye\n*** closed"),
    case("smtp-reset", "EHLO MAIL RCPT", f"{MAIL}-> RCPT\n*** reset"),
    case("pop3-greeting-refused", "QUIT", "<- -ERR [SYS/TEMP] later"),
    case("pop3-greeting-lf", "QUIT", r"<- +OK ready\n"),
    case("pop3-login-lf", "CAPA USER PASS QUIT", rf"{PASS}<- +OK\n"),
    case("pop3-login-refused", "CAPA USER PASS QUIT", f"{PASS}<- -ERR [AUTH] no"),
    case("pop3-login-not-the-password", "CAPA USER PASS QUIT", f"{PASS}<- -ERR [IN-USE] locked"),
    case("pop3-login-not-the-password", "CAPA USER PASS QUIT", f"{PASS}<- -ERR [SYS/TEMP] later"),
    case("pop3-login-not-the-password", "CAPA USER PASS QUIT", f"{PASS}<- -ERR [LOGIN-DELAY] wait"),
    case("pop3-login-closed", "CAPA USER PASS", f"{PASS}*** closed"),
    case("pop3-username-never-sent", "CAPA AUTH QUIT", f"{AUTH}<- -ERR no"),
    case("pop3-username", "CAPA USER QUIT", "<- +OK ready\n-> CAPA\n<- -ERR what?\n-> USER\n<- -ERR nobody"),
    case("pop3-stat-refused", "CAPA USER PASS STAT QUIT", f"{STAT}<- -ERR no"),
    case("pop3-list-refused", "CAPA USER PASS STAT LIST QUIT", f"{STAT}<- +OK 1 4\n-> LIST\n<- -ERR no"),
    case("pop3-uidl-refused", "CAPA AUTH STAT LIST UIDL QUIT", f"{AUTH}<- + \n-> \n<- +OK\n{LIST}<- -ERR no"),
    case("pop3-retr-refused", f"{FETCHED} QUIT", f"{RETR}<- -ERR no"),
    case("pop3-dele-refused", f"{FETCHED} DELE QUIT", f"{RETR}{MAIL_1}<- .\n-> DELE\n<- -ERR no"),
    case("pop3-uidl-line", "CAPA USER PASS STAT LIST UIDL", f"{UIDL}<- +OK\n<- 1\n<- ."),
    case("pop3-octets-behind-end", FETCHED, f"{RETR}{MAIL_1}<- .\n<- "),
    case("pop3-end-without-lf", FETCHED, rf"{RETR}{MAIL_1}<- .\r"),
    case("pop3-closed", "CAPA USER PASS STAT", f"{STAT}*** closed"),
    case("pop3-closed", FETCHED, f"{RETR}{MAIL_1}*** closed"),
    case("pop3-reset", FETCHED, f"{RETR}{MAIL_1}*** reset"),
    case("pop3-stls-missing", "CAPA QUIT", "<- +OK ready\n-> CAPA\n<- -ERR what?", starttls=True),
    case("pop3-stls-missing", "CAPA QUIT", "<- +OK ready\n-> CAPA\n<- +OK\n<- USER\n<- .", starttls=True),
    case("pop3-stls-refused", "CAPA STLS QUIT", f"{STLS}<- -ERR no", starttls=True),
]  # fmt: skip


class Stage(Thunderbird):
    """A Thunderbird whose account can be set otherwise while it runs."""

    def secure(self, starttls: bool) -> None:
        """Have both servers asked for STARTTLS, or nothing."""
        script = """
            const [security] = given;
            MailServices.outgoingServer.defaultServer.closeCachedConnections();
            MailServices.outgoingServer.defaultServer.socketType = security;
            MailServices.accounts.defaultAccount.incomingServer.socketType = security;
        """
        self._calmly(script, SECURITY[Layer.STARTTLS if starttls else Layer.CLEAR])

    def impatient(self) -> None:
        """Have it wait no more than two seconds for what never comes; a hundred are usual."""
        self._run('Services.prefs.setIntPref("mailnews.tcptimeout", 2);')

    def send_on(self) -> Told:
        """Send a message, and leave the connection to Thunderbird."""
        self._run(scripts.SEND, TO, "hello", "Hello Bob\n")
        return self._told()

    def sends_for_ever(self) -> bool:
        """Send a message, and wait until it has no connection; whether it goes on sending then, and shows nothing."""
        script = """
            const {_freeConnections, _busyConnections} = MailServices.outgoingServer.defaultServer.wrappedJSObject;
            return [_freeConnections.length, _busyConnections.length];
        """
        self._run(scripts.SEND, TO, "hello", "Hello Bob\n")
        until(lambda: self._run(script) == [1, 0])
        return self._run("return window.ended;") is None and self.alert is None

    def hang_up(self) -> list[str]:
        """Say goodbye on the connections that it has; what its user is told after all, as of a login that is over."""
        return self._calmly(scripts.HANG_UP)

    def _calmly(self, script: str, *arguments: object) -> list[str]:
        """Run a script, whatever dialogs are in its way; their texts."""
        late: list[str] = []

        def done() -> bool:
            if (alert := self.alert) is not None:
                late.append(alert)
                self._tell.tell("WebDriver:DismissAlert")
            try:
                self._run(script, *arguments)
            except Refusal as refusal:
                if refusal.error != ALERT_OPEN:
                    raise
                return False
            return True

        until(done)
        return late


class Came(NamedTuple):
    """What came of a script: what Thunderbird told its user, what the server heard, and what was recorded."""

    told: Told
    heard: str
    recorded: list[Recording]


class Scene(NamedTuple):
    """What all the others need: a Thunderbird, the proxy before two scripted servers, and these."""

    thunderbird: Stage
    proxy: Proxy
    smtp: Scripted
    pop3: Scripted


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("rules")
    with ExitStack() as stack:
        smtp, pop3 = (stack.enter_context(Scripted(bye)) for bye in ("221 bye", "+OK bye"))
        routes = [f"0=smtp://{smtp.address}", f"0=pop3://{pop3.address}"]
        proxy = stack.enter_context(Proxy(folder / "proxy", *routes))
        thunderbird = stack.enter_context(Stage(folder))
        thunderbird.account(proxy.address("smtp"), proxy.address("pop3"), USER, PASSWORD, "alice@example.org")
        yield Scene(thunderbird, proxy, smtp, pop3)


@pytest.fixture(scope="module")
def reused(scene: Scene) -> list[list[str]]:
    """What the server hears of messages that are sent without a pause, one more than one connection takes."""
    scene.smtp.follow(SENT + AGAIN * 20)
    for _ in range(MESSAGES_A_CONNECTION + 1):
        scene.thunderbird.send_on().succeeded()
    scene.thunderbird.hang_up()
    return scene.smtp.verbs


@pytest.fixture(scope="module")
def left(scene: Scene, reused: object) -> list[list[str]]:
    """What the server hears when nothing more is sent."""
    scene.smtp.follow(SENT)
    scene.thunderbird.send_on().succeeded()
    scene.smtp.hears("QUIT")
    return scene.smtp.verbs


@pytest.fixture(scope="module")
def closed(scene: Scene, left: object) -> dict[str, bool]:
    """Whether Thunderbird sends for ever when its server hangs up instead of replying, by what it heard before."""
    found = {}
    for script in (f"{HELLO}-> MAIL\n*** closed", f"{MAIL}-> RCPT\n*** closed", f"{DATA}*** closed"):
        scene.smtp.follow(script)
        found[script] = scene.thunderbird.sends_for_ever()
        scene.thunderbird.hang_up()
    return found


@pytest.fixture(scope="module")
def came(scene: Scene, closed: object) -> dict[Case, Came]:
    """What came of all scripts. The proxy is stopped then."""
    begun = len(scene.proxy.sessions())
    scene.thunderbird.impatient()
    found = [_played(each, number, scene) for number, each in enumerate(CASES)]
    scene.proxy.stop()
    numbers = [str(each["id"]) for each in scene.proxy.sessions()[begun:]]
    recorded = iter(recordings(str(scene.proxy.folder / "record.sqlite"), numbers))
    return {
        each: Came(told, heard, [next(recorded) for _ in range(heard.count("|") + 1)])
        for each, (told, heard) in zip(CASES, found, strict=True)
    }


def _played(each: Case, number: int, scene: Scene) -> tuple[Told, str]:
    server = scene.smtp if each.protocol == "smtp" else scene.pop3
    server.follow(*(script.replace("{name}", f"message-{number}") for script in each.scripts))
    scene.thunderbird.secure(each.starttls)
    told = scene.thunderbird.send_on() if each.protocol == "smtp" else scene.thunderbird.fetch()
    late = scene.thunderbird.hang_up()
    told = told._replace(alerts=(*told.alerts, *late))
    return told, " | ".join(_asked(lines) for lines in server.verbs)


def _asked(words: list[str]) -> str:
    """What was asked, without the message and without the QUIT that an end of SMTP may or may not get in."""
    commands = [word for word in words if (word.isupper() and ":" not in word) or word == "."]
    return " ".join(commands).removesuffix(" QUIT") if "EHLO" in commands else " ".join(commands)


@pytest.mark.parametrize("each", CASES, ids=str)
def test_it_shows_what_is_told_of_it(each: Case, came: dict[Case, Came]) -> None:
    told, shows = came[each].told, BEHAVIOUR[each.shows].shows
    texts = [text.removeprefix(FAILED) for text in (*told.alerts, *told.notices)]
    if not shows:
        assert texts == []
    assert not shows or any(pattern(shows).match(text) for text in texts), texts


@pytest.mark.parametrize("each", CASES, ids=str)
def test_it_says_what_is_told_of_it(each: Case, came: dict[Case, Came]) -> None:
    assert came[each].heard == each.heard


@pytest.mark.parametrize("each", CASES, ids=str)
def test_the_record_tells_it(each: Case, came: dict[Case, Came]) -> None:
    *_, recording = came[each].recorded
    first, *_ = [behaviour.id for behaviour, _ in shown(recording)] or [""]
    assert first == f"thunderbird-{each.shows}"


def test_the_record_tells_who_it_is(came: dict[Case, Came]) -> None:
    knowable = [each for each in CASES if each.heard.startswith(("EHLO MAIL RCPT", "EHLO AUTH", "CAPA AUTH STAT"))]
    assert {recognise(recording) for each in knowable for recording in came[each].recorded} == {"Thunderbird"}


def test_one_connection_takes_ten_messages(reused: list[list[str]]) -> None:
    assert [verbs.count("MAIL") for verbs in reused] == [MESSAGES_A_CONNECTION, 1]
    assert all("RSET" not in verbs for verbs in reused)


def test_it_says_goodbye_when_nothing_more_is_sent(left: list[list[str]]) -> None:
    assert [(verbs[0], verbs[-1]) for verbs in left] == [("EHLO", "QUIT")]


def test_it_sends_for_ever_when_its_server_hangs_up(closed: dict[str, bool]) -> None:
    assert closed == dict.fromkeys(closed, True)


def test_nothing_is_told_that_was_not_seen() -> None:
    assert {each.shows for each in CASES} | {"smtp-closed"} == set(BEHAVIOUR)


def test_the_servers_are_at_the_host_that_is_shown(came: dict[Case, Came]) -> None:
    texts = [text for each in came.values() for text in each.told.notices]
    assert texts
    assert all(HOST in text for text in texts)


WORDS: Final = {"%S": "mail.example.org", "%s": "no", "%1$S": "no", "%2$S": "bob@example.org"}
TOLD: Final = re.compile(
    r"errorSending|smtp(?!EnterPassword|DeliveringMail|MailSent|SecurityIssue)|pop3(?!Enter|Previously)"
)
NOT_OF_SERVERS: Final = re.compile(r"pop3(ErrorDialogTitle|ServerSaid|\w+Undefined|\w*Folder\w*|AuthInternalError)")


def texts() -> Iterator[tuple[str, str]]:
    """The dialogs that Thunderbird has about its servers: their keys, and their texts, filled in."""
    places = (Path(need.program("thunderbird")).resolve().parent, Path("/usr/lib/thunderbird"))
    found = [place / "omni.ja" for place in places if (place / "omni.ja").exists()]
    if not found:
        need.missing("Thunderbird keeps its texts elsewhere")
    with ZipFile(found[0]) as archive:
        for name in ("messengercompose/composeMsgs", "localMsgs"):
            octets = archive.read(f"chrome/en-US/locale/en-US/messenger/{name}.properties")
            for line in octets.decode().replace("\\\n", "").splitlines():
                key, _, text = line.partition("=")
                if TOLD.match(key) and not NOT_OF_SERVERS.fullmatch(key):
                    yield key, re.sub(r"%(?:\d\$)?[sS]", lambda found: WORDS[found[0]], text.replace("\\n", "\n"))


def test_all_its_dialogs_about_servers_are_known() -> None:
    dialogs = dict(texts())
    assert "smtpTooManyRecipients" in dialogs
    assert [key for key, text in dialogs.items() if not any(each.kind == THUNDERBIRD for each in look_up(text))] == []
