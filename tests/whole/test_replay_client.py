"""Real programs are recorded before real servers, and their part is played there once more."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from .certificate import Certificates
from .dovecot import PASSWORD, Dovecot, Mailbox
from .loopback import Address
from .messages import message, untraced
from .proxy import Proxy, until
from .replaying import replay
from .servers import CLIENTS, NAME, Servers, named, url
from .test_secrets import forms
from .way import Layer, Way

ROUTES: Final = [(protocol, layer) for protocol in CLIENTS for layer in Layer]
SENT: Final = [(client, layer) for client in CLIENTS["smtp"] for layer in Layer]
WRONG: Final = "Zwiebel-41-kucken"
BY_NAME: Final = ("mpop",)
"""Programs that ask for the names of messages (RFC 1939 section 7): what has another is another message."""
FETCHED: Final = [(client, layer) for client in CLIENTS["pop3"] for layer in Layer]


class Recorded:
    """The servers, and a proxy that records who comes to them."""

    def __init__(self, servers: Servers, folder: Path, trust: Path) -> None:
        self.servers = servers
        self.trust = ("--trust", str(trust))
        asked = [url(*route, servers.at(*route)) for route in ROUTES]
        listening = [f"{url(*route, Address('127.0.0.1', 0))}={to}" for route, to in zip(ROUTES, asked, strict=True)]
        self.proxy = Proxy(folder, *listening, *self.trust)
        self._at = dict(zip(ROUTES, map(named, self.proxy.addresses), strict=True))

    def session(self, protocol: str, client: str, layer: Layer, mailbox: Mailbox, home: Path) -> str:
        """The number of the session in which a program sends its message to a mailbox, or fetches it from there."""
        way = Way(layer, None if layer is Layer.CLEAR else self.proxy.root)
        ran = self.servers.go(protocol, client, self._at[protocol, layer], way, mailbox, home)
        self.servers.arrived(protocol, ran, mailbox)
        names = {mailbox.name, mailbox.address}
        return next(str(each["id"]) for each in self.proxy.sessions() if each["user"] in names)


@pytest.fixture(scope="module")
def recorded(
    servers: Servers, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recorded]:
    found = Recorded(servers, tmp_path_factory.mktemp("recorded"), certificates.root)
    yield found
    found.proxy.stop()


@pytest.mark.parametrize(("client", "layer"), SENT)
def test_a_message_is_sent_again_if_told_so(
    client: str, layer: Layer, recorded: Recorded, mailbox: Mailbox, tmp_path: Path
) -> None:
    number = recorded.session("smtp", client, layer, mailbox, tmp_path / "home")
    safely = replay(recorded.proxy, number, *recorded.trust, password=PASSWORD)
    assert safely.code == 0, safely.out + safely.err
    assert "nothing differs" in safely.out
    assert len(mailbox.messages) == 1
    delivering = replay(recorded.proxy, number, "--deliver", *recorded.trust, password=PASSWORD)
    assert delivering.code == 0, delivering.out + delivering.err
    assert "nothing differs" in delivering.out
    until(lambda: len(mailbox.messages) == 2)
    assert untraced(mailbox.messages[0]) == untraced(mailbox.messages[1])


@pytest.mark.parametrize(("client", "layer"), FETCHED)
def test_a_message_is_fetched_again_and_deleted_if_told_so(
    client: str, layer: Layer, recorded: Recorded, mailbox: Mailbox, tmp_path: Path
) -> None:
    number = recorded.session("pop3", client, layer, mailbox, tmp_path / "home")
    mailbox.put(message(NAME))
    there = len(mailbox.messages)
    safely = replay(recorded.proxy, number, *recorded.trust, password=PASSWORD)
    assert safely.code == 0, safely.out + safely.err
    assert len(mailbox.messages) == there
    deleting = replay(recorded.proxy, number, "--delete", *recorded.trust, password=PASSWORD)
    assert deleting.code == 0, deleting.out + deleting.err
    if client in BY_NAME:
        assert "RETR 1 is left out: that message is gone" in deleting.out
    assert len(mailbox.messages) == there - (client not in (*BY_NAME, "curl"))


def test_it_goes_to_oneself_if_told_so(recorded: Recorded, mailbox: Mailbox, dovecot: Dovecot, tmp_path: Path) -> None:
    number = recorded.session("smtp", "swaks", Layer.CLEAR, mailbox, tmp_path / "home")
    own = dovecot.mailbox()
    played = replay(recorded.proxy, number, "--rcpt-to", own.address, password=PASSWORD)
    assert played.code == 0, played.out + played.err
    recorded.servers.postfix.delivered(own.address)
    assert (len(own.messages), len(mailbox.messages)) == (1, 1)


@pytest.mark.parametrize(("protocol", "client", "verb"), [("smtp", "curl", "AUTH"), ("pop3", "poplib", "PASS")])
def test_a_wrong_password_is_what_matters(
    protocol: str, client: str, verb: str, recorded: Recorded, mailbox: Mailbox, tmp_path: Path
) -> None:
    number = recorded.session(protocol, client, Layer.CLEAR, mailbox, tmp_path / "home")
    played = replay(recorded.proxy, number, "--deliver", "--delete", password=WRONG)
    assert played.code == 1
    assert "what matters, at auth" in played.out
    assert re.search(rf"stop +{verb} is refused now, and was granted then: ", played.out)
    assert (WRONG in played.out + played.err, recorded.proxy.keeps(forms(WRONG))) == (False, [])


def test_without_a_password_it_goes_as_far_as_the_login(recorded: Recorded, mailbox: Mailbox, tmp_path: Path) -> None:
    number = recorded.session("smtp", "curl", Layer.CLEAR, mailbox, tmp_path / "home")
    played = replay(recorded.proxy, number)
    assert (played.code, played.err) == (1, "")
    assert "  stop  AUTH: the password is masked in the record, and none is given (put it into" in played.out


@pytest.mark.parametrize("client", ["swaks", "curl"])
def test_many_times_come_to_the_same(client: str, recorded: Recorded, mailbox: Mailbox, tmp_path: Path) -> None:
    number = recorded.session("smtp", client, Layer.IMPLICIT, mailbox, tmp_path / "home")
    many = ("--times", "20", "--parallel", "4")
    played = replay(recorded.proxy, number, *many, *recorded.trust, password=PASSWORD)
    assert played.code == 0, played.out + played.err
    assert played.out.startswith("played 20 times:\n\n     20  ok: no message")
    assert len(mailbox.messages) == 1


def test_a_login_does_not_leave_tls(recorded: Recorded, mailbox: Mailbox, tmp_path: Path) -> None:
    number = recorded.session("smtp", "curl", Layer.IMPLICIT, mailbox, tmp_path / "home")
    clear = url("smtp", Layer.CLEAR, recorded.servers.at("smtp", Layer.CLEAR))
    kept = replay(recorded.proxy, number, clear, password=PASSWORD)
    assert kept.code == 1
    assert re.search(r"stop +AUTH: ", kept.out), kept.out
    given = replay(recorded.proxy, number, clear, "--insecure-login", password=PASSWORD)
    assert "  stop " not in given.out
