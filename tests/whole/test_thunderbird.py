"""Thunderbird sends and fetches through the proxy: the mail arrives, and the user and the record are told the same."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from .certificate import FAULTS, Certificates
from .dovecot import PASSWORD, Mailbox
from .loopback import HOST, Address, free
from .messages import message, received, untraced
from .proxy import Proxy, Session, notes, said
from .servers import Servers, url
from .test_secrets import WRONG, forms
from .thunderbird import Thunderbird, Told
from .way import Layer, Way

BODY: Final = "Hello Alice,\n\n.how are you?\n..\nFrom here on I am well.\n"
PUT: Final = ("every-octet", "leading-dots")  # what lies in the mailbox before
UPGRADES: Final = {"smtp": ["STARTTLS 220", "EHLO [127.0.0.1] 250"], "pop3": ["STLS +OK", "CAPA +OK"]}


class Case(NamedTuple):
    """Under which TLS, and whether Thunderbird asks for its servers by SOCKS or has the proxy for its servers."""

    layer: Layer
    tunnel: bool

    @property
    def first(self) -> Layer:
        """What the ports begin with: STARTTLS is left to Thunderbird and the server."""
        return Layer.IMPLICIT if self.layer is Layer.IMPLICIT else Layer.CLEAR

    def upgrade(self, protocol: str) -> list[str]:
        """What is said of TLS."""
        return UPGRADES[protocol] if self.layer is Layer.STARTTLS else []

    def __str__(self) -> str:
        return f"{self.layer}-{'socks' if self.tunnel else 'servers'}"


CASES: Final = [Case(layer, tunnel) for tunnel in (False, True) for layer in Layer]


class Meeting(NamedTuple):
    """A Thunderbird, and the proxy that it goes through."""

    thunderbird: Thunderbird
    proxy: Proxy

    def sessions(self) -> list[Session]:
        """What was recorded. Raises AssertionError when a password was kept."""
        self.proxy.stop()
        assert self.proxy.keeps([*forms(PASSWORD), *forms(WRONG)]) == []
        return self.proxy.sessions()

    def both(self) -> dict[str, Session]:
        """The one session of each protocol, by protocol."""
        first, second = self.sessions()
        return {first["protocol"]: first, second["protocol"]: second}


class Came(NamedTuple):
    """What came of a case: the mail that lay at the server and was fetched, and what was recorded, by protocol."""

    mailbox: Mailbox
    there: list[bytes]
    fetched: list[bytes]
    sessions: dict[str, Session]
    recorded: dict[str, list[bytes]]


def by_number(address: Address) -> Address:
    """Without a name, which Thunderbird would look for at ::1 too."""
    return address._replace(host=HOST) if address.host == "localhost" else address


def ports(servers: Servers, case: Case) -> dict[str, Address]:
    """The ports of the servers by their protocol."""
    return {protocol: by_number(servers.at(protocol, case.first)) for protocol in UPGRADES}


@contextmanager
def meeting(
    case: Case, before: Iterable[tuple[str, Address]], trust: Path, folder: Path, *, trusted: bool = True
) -> Iterator[Meeting]:
    """A Thunderbird that has no account yet, and the proxy before these ports, which trusts this root."""
    socks = free()
    routes = [
        f"{url(protocol, case.first, Address(HOST, 0))}={url(protocol, case.first, port)}" for protocol, port in before
    ]
    with Proxy(folder / "proxy", *routes, "--socks", str(socks), "--trust", str(trust)) as proxy:
        root = proxy.root if trusted and case.layer is not Layer.CLEAR else None
        with Thunderbird(folder, Way(case.layer, root, socks if case.tunnel else None)) as thunderbird:
            yield Meeting(thunderbird, proxy)


@contextmanager
def settled(
    case: Case,
    servers: Servers,
    mailbox: Mailbox,
    trust: Path,
    folder: Path,
    *,
    password: str = PASSWORD,
    trusted: bool = True,
) -> Iterator[Meeting]:
    """With an account at the servers where they are asked for by SOCKS, else at the proxy."""
    behind = ports(servers, case)
    with meeting(case, behind.items(), trust, folder, trusted=trusted) as met:
        smtp, pop3 = behind.values() if case.tunnel else map(met.proxy.address, behind)
        met.thunderbird.account(smtp, pop3, mailbox.name, password, mailbox.address)
        yield met


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture(scope="module")
def came(case: Case, servers: Servers, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Came:
    """One message sent to the mailbox, and all that is in it fetched."""
    mailbox = servers.dovecot.mailbox()
    for name in PUT:
        mailbox.put(message(name))
    with settled(case, servers, mailbox, certificates.root, tmp_path_factory.mktemp("thunderbird")) as met:
        met.thunderbird.send(mailbox.address, "hello", BODY).succeeded()
        servers.postfix.delivered(mailbox.address)
        there = mailbox.messages
        met.thunderbird.fetch().succeeded()
        fetched = met.thunderbird.messages()
        sessions = met.both()
        recorded = met.proxy.messages_of(sessions.values())
    by_protocol = {protocol: recorded[session["id"]] for protocol, session in sessions.items()}
    return Came(mailbox, there, fetched, sessions, by_protocol)


def test_mail_arrives(came: Came) -> None:
    assert came.fetched == came.recorded["pop3"]
    assert sorted(came.fetched) == sorted(came.there)
    *put, sent = sorted(came.fetched, key=lambda mail: b"Thunderbird" in mail)
    assert sorted(put) == sorted(map(received, PUT))
    assert came.recorded["smtp"] == [untraced(sent)]
    assert sent.endswith(b"\r\n\r\n" + BODY.replace("\n", "\r\n").encode())


def test_the_record_tells_what_was_said(came: Came, case: Case) -> None:
    (sent,) = came.recorded["smtp"]
    user, address = came.mailbox.name, came.mailbox.address
    assert said(came.sessions["smtp"]) == [
        "220",
        "EHLO [127.0.0.1] 250",
        *case.upgrade("smtp"),
        f"AUTH PLAIN <secret: PLAIN, user {user}, password {len(PASSWORD)} characters> 235",
        f"MAIL FROM:<{address}> BODY=8BITMIME SIZE={len(sent)} 250",
        f"RCPT TO:<{address}> 250",
        "DATA 250",
        "QUIT 221",
    ]
    assert said(came.sessions["pop3"]) == [
        *("+OK", "CAPA +OK", *case.upgrade("pop3"), "AUTH PLAIN +OK", "STAT +OK", "LIST +OK", "UIDL +OK"),
        *("RETR 1 +OK", "DELE 1 +OK", "RETR 2 +OK", "DELE 2 +OK", "RETR 3 +OK", "DELE 3 +OK", "QUIT +OK"),
    ]
    assert came.sessions["smtp"]["outcome"] == "ok: 1 message sent"
    assert came.sessions["pop3"]["outcome"] == "ok: 3 messages fetched"


@pytest.mark.parametrize("protocol", UPGRADES)
def test_the_record_tells_which_side_is_under_tls(protocol: str, came: Came, case: Case) -> None:
    session = came.sessions[protocol]
    sides = [] if case.layer is Layer.CLEAR else ["client", "server"]
    told = sorted(note for note in notes(session) if note.startswith("=== TLS with the "))
    assert [note.split()[4].rstrip(":") for note in told] == sides
    last = {entry["side"]: entry["secure"] for entry in session["entries"] if "side" in entry}
    assert sorted(side for side, secure in last.items() if secure) == sides


@pytest.mark.parametrize("case", [Case(Layer.CLEAR, tunnel=False), Case(Layer.IMPLICIT, tunnel=True)], ids=str)
def test_a_wrong_password_is_told(
    case: Case, servers: Servers, mailbox: Mailbox, certificates: Certificates, tmp_path: Path
) -> None:
    with settled(case, servers, mailbox, certificates.root, tmp_path, password=WRONG) as met:
        sent, fetched = met.thunderbird.send(mailbox.address, "hello", BODY), met.thunderbird.fetch()
        sessions = met.both()
    login = f"Login to server {HOST} with username {mailbox.name} failed."
    assert [alert.splitlines()[0] for alert in sent.alerts] == [login, "Sending of the message failed."]
    assert fetched.alerts == (login,)
    assert mailbox.messages == []
    for protocol, code in {"smtp": "535", "pop3": "-ERR"}.items():
        refused = [each for each in sessions[protocol]["exchanges"] if each["verb"] in {"AUTH", "PASS"}]
        assert {each["code"] for each in refused} == {code}
        assert sessions[protocol]["failed"], sessions[protocol]["outcome"]


def test_a_refused_recipient_is_told_in_the_servers_words(
    servers: Servers, mailbox: Mailbox, certificates: Certificates, tmp_path: Path
) -> None:
    recipients = {"gone@example.org": "550 5.1.1", "full@example.org": "552 5.2.2"}
    with settled(Case(Layer.CLEAR, tunnel=False), servers, mailbox, certificates.root, tmp_path) as met:
        told = [met.thunderbird.send(recipient, "hello", BODY) for recipient in recipients]
        sessions = met.sessions()
    for (recipient, code), sent, session in zip(recipients.items(), told, sessions, strict=True):
        before, words = session["outcome"].split(f" {code} ")
        assert before == "failed: RCPT:"
        assert f"The mail server responded:\n{words}." in "".join(sent.alerts)
        assert recipient in words


@pytest.mark.parametrize("case", [Case(Layer.STARTTLS, tunnel=False), Case(Layer.IMPLICIT, tunnel=True)], ids=str)
def test_the_proxy_is_not_trusted_unasked(
    case: Case, servers: Servers, mailbox: Mailbox, certificates: Certificates, tmp_path: Path
) -> None:
    with settled(case, servers, mailbox, certificates.root, tmp_path, trusted=False) as met:
        sent, fetched = met.thunderbird.send(mailbox.address, "hello", BODY), met.thunderbird.fetch()
        sessions = met.sessions()
    assert "certificate issuer is not recognized" in "".join(sent.alerts).lower()
    assert fetched.notices == (f"The certificate for {HOST} does not come from a trusted source.",)
    assert {session["outcome"] for session in sessions} == {
        "failed: TLS failed with the client: alert unknown_ca from the client"
    }


def test_a_faulty_certificate_is_told_as_it_is_without_the_proxy(
    servers: Servers, certificates: Certificates, tmp_path: Path
) -> None:
    case = Case(Layer.IMPLICIT, tunnel=True)
    at = {
        fault: {protocol: by_number(servers.faulty(protocol, case.layer, fault)) for protocol in UPGRADES}
        for fault in FAULTS
    }

    def told(thunderbird: Thunderbird) -> dict[str, tuple[Told, Told]]:
        found = {}
        for fault, (smtp, pop3) in ((fault, each.values()) for fault, each in at.items()):
            mailbox = servers.dovecot.mailbox()
            thunderbird.account(smtp, pop3, mailbox.name, PASSWORD, mailbox.address)
            found[fault] = thunderbird.send(mailbox.address, "hello", BODY), thunderbird.fetch()
        return found

    with Thunderbird(tmp_path / "direct", Way(case.layer, certificates.root)) as thunderbird:
        direct = told(thunderbird)
    before = [port for each in at.values() for port in each.items()]
    with meeting(case, before, certificates.root, tmp_path) as met:
        assert told(met.thunderbird) == direct
        assert all(session["failed"] for session in met.sessions())
    assert all(sent.alerts and fetched.notices for sent, fetched in direct.values())
