"""The servers, started once, and the two ways to them: directly and through the proxy."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from .certificate import Certificates, make
from .dovecot import Dovecot, Mailbox
from .loopback import Address
from .postfix import Postfix
from .proxy import Proxy
from .servers import Servers


class Route(NamedTuple):
    """Where a client finds its servers."""

    smtp: Address
    pop3: Address


@pytest.fixture(scope="session")
def ground() -> Iterator[Path]:
    """A folder that servers may enter when they have given up root's rights."""
    with tempfile.TemporaryDirectory(prefix="whole-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def certificates(ground: Path) -> Certificates:
    return make(ground)


@pytest.fixture(scope="session")
def dovecot(ground: Path, certificates: Certificates) -> Iterator[Dovecot]:
    root = ground / "dovecot"
    root.mkdir()
    server = Dovecot(root, certificates)
    yield server
    server.daemon.stop()


@pytest.fixture(scope="session")
def postfix(ground: Path, dovecot: Dovecot, certificates: Certificates) -> Iterator[Postfix]:
    root = ground / "postfix"
    root.mkdir()
    server = Postfix(root, dovecot.lmtp, dovecot.auth, certificates)
    yield server
    server.daemon.stop()


@pytest.fixture(scope="session")
def servers(postfix: Postfix, dovecot: Dovecot) -> Servers:
    return Servers(postfix, dovecot)


@pytest.fixture(scope="session")
def lasting(tmp_path_factory: pytest.TempPathFactory, postfix: Postfix, dovecot: Dovecot) -> Iterator[Proxy]:
    """One proxy for all tests that look only at what arrives."""
    folder = tmp_path_factory.mktemp("lasting")
    with Proxy(folder, f"0=smtp://{postfix.smtp}", f"0=pop3://{dovecot.pop3}") as proxy:
        yield proxy
        proxy.stop()


@pytest.fixture(params=["direct", "through"])
def route(request: pytest.FixtureRequest, postfix: Postfix, dovecot: Dovecot) -> Route:
    """To the servers themselves, and to the proxy in front of them."""
    if request.param == "direct":
        return Route(postfix.smtp, dovecot.pop3)
    proxy: Proxy = request.getfixturevalue("lasting")
    return Route(proxy.address("smtp"), proxy.address("pop3"))


@pytest.fixture
def mailbox(dovecot: Dovecot) -> Mailbox:
    """An empty mailbox that no other test knows."""
    return dovecot.mailbox()
