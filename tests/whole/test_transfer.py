"""What arrives is what was sent, to the octet, with the proxy between as without it."""

from pathlib import Path

import pytest

from .client import Login
from .conftest import Route
from .dovecot import PASSWORD, Mailbox
from .fetchers import FETCHERS, MECHANISMS
from .messages import BODIES, message, received, untraced
from .postfix import Postfix
from .senders import SENDERS


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("client", SENDERS)
def test_sent(client: str, name: str, route: Route, postfix: Postfix, mailbox: Mailbox, tmp_path: Path) -> None:
    SENDERS[client](route.smtp, mailbox.address, message(name), tmp_path, None).succeeded()
    postfix.delivered(mailbox.address)
    assert [untraced(mail) for mail in mailbox.messages] == [received(name)]


# fetchmail puts a NUL where a line does not fit its buffer, poplib refuses such a line.
UNABLE = {("fetchmail", "line-of-70000"), ("poplib", "line-of-70000")}
FETCHES = [(client, name) for client in FETCHERS for name in BODIES if (client, name) not in UNABLE]


@pytest.mark.parametrize(("client", "name"), FETCHES)
def test_fetched(client: str, name: str, route: Route, mailbox: Mailbox, tmp_path: Path) -> None:
    mailbox.put(message(name))
    login = Login(mailbox.name, PASSWORD, MECHANISMS[client])
    mail, ran = FETCHERS[client](route.pop3, login, tmp_path)
    ran.succeeded()
    assert untraced(mail) == received(name)
    assert len(mailbox.messages) == (1 if client == "curl" else 0)
