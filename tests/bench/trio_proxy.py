"""The proxy to beat: two `trio.SSLStream`s, and between them octets, unread and unrecorded.

`trio_proxy.py PORT CERTIFICATE ROOT` says its port and leads to PORT until it ends. It shows CERTIFICATE to clients,
and the server's must lead to ROOT.
"""

import ssl
import sys
from functools import partial

import trio

Secured = trio.SSLStream[trio.SocketStream]
QUIET = (trio.BrokenResourceError, trio.ClosedResourceError, OSError)


async def proxy(port: int, ours: ssl.SSLContext, theirs: ssl.SSLContext, client: trio.SocketStream) -> None:
    """Lead one connection to the server."""
    try:
        upstream = await trio.open_tcp_stream("127.0.0.1", port)
        server = trio.SSLStream(upstream, theirs, server_hostname="127.0.0.1", https_compatible=True)
        caller = trio.SSLStream(client, ours, server_side=True, https_compatible=True)
        async with server, caller:
            await server.do_handshake()
            await caller.do_handshake()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_pass_on, caller, server, nursery.cancel_scope)
                nursery.start_soon(_pass_on, server, caller, nursery.cancel_scope)
    except* QUIET:
        pass


async def _pass_on(here: Secured, there: Secured, scope: trio.CancelScope) -> None:
    async for octets in here:
        await there.send_all(octets)
    scope.cancel()


async def main() -> None:
    """Listen and lead."""
    port, certificate, root = sys.argv[1:]
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate)
    ours.num_tickets = 0
    theirs = ssl.create_default_context(cafile=root)
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1", backlog=1000)
    print(listeners[0].socket.getsockname()[1], flush=True)
    await trio.serve_listeners(partial(proxy, int(port), ours, theirs), listeners)


if __name__ == "__main__":
    trio.run(main)
