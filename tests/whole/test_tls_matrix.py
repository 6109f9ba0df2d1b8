"""Every client under every TLS, before a server under any other: the same mail arrives, and the record says it all."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from .certificate import Certificates
from .dovecot import PASSWORD, Mailbox
from .loopback import HOST, Address, free
from .messages import received, untraced
from .proxy import Proxy, Session, notes
from .servers import CLIENTS, NAME, Servers, named, url
from .test_secrets import forms
from .way import Layer, Way

WITH_SOCKS: Final = {"msmtp", "mpop", "curl"}
TLS: Final = {
    "client": "=== TLS with the client: TLSv1.3, TLS_AES_256_GCM_SHA384",
    "server": "=== TLS with the server: TLSv1.3, TLS_AES_256_GCM_SHA384, certificate of mail.example.org",
}


class Case(NamedTuple):
    """Which client goes under which TLS, to which listener, before which server.

    The listener's layer is the client's, but where the proxy is to do as the client and the server agree: then both
    routes are in clear at first. By SOCKS none comes in clear to a server that wants TLS.
    """

    protocol: str
    client: str
    layer: Layer
    listener: Layer
    server: Layer
    tunnel: bool

    @property
    def secure(self) -> set[str]:
        """Which sides are under TLS in the end."""
        mirrored = self.layer is not self.listener
        client = {"client"} if self.layer is not Layer.CLEAR else set()
        return client | ({"server"} if mirrored or self.server is not Layer.CLEAR else set())

    def __str__(self) -> str:
        layer = self.layer if self.layer is self.listener else f"{self.layer}-mirrored"
        return f"{self.protocol}-{self.client}-{layer}-before-{self.server}{'-by-socks' if self.tunnel else ''}"


class Came(NamedTuple):
    """What came of a case: the mail that arrived, how the session is recorded, and the messages in it."""

    mail: Future[list[bytes]]
    session: Session | None
    recorded: list[bytes]


ROUTES: Final = [(protocol, server) for protocol in CLIENTS for server in Layer]
CASES: Final = [
    Case(protocol, client, layer, listener, server, tunnel)
    for protocol, server in ROUTES
    for layer, listener in [*((layer, layer) for layer in Layer), (Layer.STARTTLS, Layer.CLEAR)]
    if layer is listener or server is Layer.CLEAR
    for client in CLIENTS[protocol]
    for tunnel in (False, True)
    if not tunnel or (client in WITH_SOCKS and (layer is not Layer.CLEAR or server is Layer.CLEAR))
]


class Run:
    """All cases of the listeners under one layer, through one proxy."""

    def __init__(self, layer: Layer, servers: Servers, certificates: Certificates, folder: Path) -> None:
        self.cases = {case: servers.dovecot.mailbox() for case in CASES if case.listener is layer}
        self._servers = servers
        self._folder = folder
        self._socks = free()
        routes = [
            f"{url(protocol, layer, Address(HOST, 0))}={url(protocol, server, servers.at(protocol, server))}"
            for protocol, server in ROUTES
        ]
        folder.mkdir()
        options = ["--trust", str(certificates.root), "--socks", str(self._socks)]
        self._proxy = Proxy(folder / "proxy", *routes, *options)
        self._listeners = dict(zip(ROUTES, map(named, self._proxy.addresses), strict=True))

    def came(self) -> dict[Case, Came]:
        """Go through all cases, some at once, and read what was recorded."""
        with self._proxy as proxy:
            proxy.root.exists()  # before anybody needs it
            with ThreadPoolExecutor(4) as pool:
                ended = [pool.submit(self._go, *each) for each in self.cases.items()]
            proxy.stop()
            assert proxy.keeps(forms(PASSWORD)) == []
            sessions = {session["user"]: session for session in proxy.sessions()}
            recorded = proxy.messages_of(sessions.values())
        found = [sessions.get(mailbox.name) for mailbox in self.cases.values()]
        return {
            case: Came(mail, session, recorded.get(session["id"], []) if session else [])
            for case, mail, session in zip(self.cases, ended, found, strict=True)
        }

    def _go(self, case: Case, mailbox: Mailbox) -> list[bytes]:
        route = case.protocol, case.server
        at = self._servers.at(*route) if case.tunnel else self._listeners[route]
        way = Way(case.layer, self._proxy.root, self._socks if case.tunnel else None)
        ran = self._servers.go(case.protocol, case.client, at, way, mailbox, self._folder / str(case))
        return self._servers.arrived(case.protocol, ran, mailbox)


@pytest.fixture(scope="module")
def came(servers: Servers, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> dict[Case, Came]:
    folder = tmp_path_factory.mktemp("matrix")
    runs = [Run(layer, servers, certificates, folder / layer) for layer in Layer]
    return {case: came for run in runs for case, came in run.came().items()}


@pytest.mark.parametrize("layer", Layer)
@pytest.mark.parametrize(("protocol", "client"), [(each, client) for each in CLIENTS for client in CLIENTS[each]])
def test_without_the_proxy(
    *,
    protocol: str,
    client: str,
    layer: Layer,
    servers: Servers,
    mailbox: Mailbox,
    certificates: Certificates,
    tmp_path: Path,
) -> None:
    way = Way(layer, certificates.root)
    ran = servers.go(protocol, client, servers.at(protocol, layer), way, mailbox, tmp_path / "home")
    assert servers.arrived(protocol, ran, mailbox) == [received(NAME)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_mail_arrives(case: Case, came: dict[Case, Came]) -> None:
    assert came[case].mail.result() == [received(NAME)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_message_is_in_the_record(case: Case, came: dict[Case, Came]) -> None:
    assert [untraced(mail) for mail in came[case].recorded] == [received(NAME)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_record_tells_which_side_is_under_tls(case: Case, came: dict[Case, Came]) -> None:
    session = came[case].session
    assert session, "not recorded"
    assert not session["failed"], session["outcome"]
    told = [note for note in notes(session) if note.startswith("=== TLS")]
    assert sorted(told) == [TLS[side] for side in sorted(case.secure)]
    # The last words are QUIT and its reply.
    last = {entry["side"]: entry["secure"] for entry in session["entries"] if "side" in entry}
    assert {side for side, secure in last.items() if secure} == case.secure
