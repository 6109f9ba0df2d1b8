"""The SOCKS port: a mail program asks there for its own server, and stays as it is but for that one setting."""

from collections.abc import Callable

from mailproxy.app.plan import Plan
from mailproxy.app.routes import Route, place
from mailproxy.app.take import Call
from mailproxy.model.tls import Security
from mailproxy.net.listen import Socket
from mailproxy.net.owner import Surroundings
from mailproxy.net.socks import Caller
from mailproxy.protocols import BLIND, named, names
from mailproxy.wire.socks import Request, reply

SUBMISSION_TOO = {2525: "smtp"}
"""Ports on which providers take mail besides the registered ones."""


class Desk:
    """Hears what callers of the SOCKS port ask for."""

    def __init__(
        self,
        plan: Plan,
        surroundings: Surroundings,
        called: Callable[[Call], None],
        turned_away: Callable[[Call, str], None],
        page: Callable[[bytes], bytes],
    ) -> None:
        """`page` answers browsers, which find the certificate to trust at the SOCKS port."""
        self._page = page
        self._plan = plan
        self._surroundings = surroundings
        self._called = called
        self._turned_away = turned_away
        self._callers: set[Caller] = set()

    def welcome(self, sock: Socket, address: tuple[str, int]) -> None:
        """Hear what a caller asks for."""
        own = sock.getsockname()[:2]
        callers: list[Caller] = []

        def asked(sock: Socket, request: Request, early: bytes) -> None:
            self._callers.difference_update(callers)
            self._called(_call(self._route(request), sock, address, own, request, early))

        def refused(reason: str) -> None:
            self._callers.difference_update(callers)
            if reason:
                self._turned_away(Call(_blind("", 0), sock, address, own), reason)

        poller, _, patience = self._surroundings
        callers.append(Caller(sock, poller, patience, asked, refused, page=self._page))
        self._callers.update(callers)

    def close(self) -> None:
        """Hang up on all who have not asked yet."""
        for caller in self._callers:
            caller.close()

    def _route(self, request: Request) -> Route:
        """The route that stands for this server in the plan, else what its port is known for."""
        host, port = request.host.rstrip("."), request.port
        for route in self._plan.routes:
            if (route.host.rstrip(".").lower(), route.port) == (host.lower(), port):
                return _as_to_the_server(route)
        for protocol in map(named, names()):
            if protocol.tls and port == protocol.tls.server:
                return Route(protocol.name, "", 0, host, port, client=Security.TLS, server=Security.TLS)
            known = {protocol.port, protocol.starttls.server if protocol.starttls else 0}
            if port in known or SUBMISSION_TOO.get(port) == protocol.name:
                return Route(protocol.name, "", 0, host, port)
        return _blind(host, port)


def _as_to_the_server(route: Route) -> Route:
    """The route for a client that takes mailproxy for the server. A listener in clear was meant for those that come
    straight to it: by SOCKS they come as the server wants them, so that no setting of theirs has to change."""
    if route.client is not Security.NONE:
        return route
    security = Security.TLS if route.server is Security.TLS else Security.NONE
    return route._replace(client=security, server=security)


def _blind(host: str, port: int) -> Route:
    return Route(BLIND.name, "", 0, host, port, apart=False)


def _call(
    route: Route,
    sock: Socket,
    address: tuple[str, int],
    own: tuple[str, int],
    request: Request,
    early: bytes,
) -> Call:
    blind = ", which is no mail and passes blind" if route.protocol == BLIND.name else ""
    asked = f"the client asks through SOCKS {request.version} for {place(request.host, request.port)}{blind}"
    return Call(
        route, sock, address, own, asked, lambda how, host, port: reply(how, host, port, request.version), early
    )
