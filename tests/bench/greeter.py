"""A server that greets and waits. Run as a program it says its port and serves until it is ended."""

import selectors
import socket
from contextlib import suppress

GREETING = b"220 here we wait\r\n"


def serve(server: socket.socket) -> None:
    """Greet whoever connects, keep the connection, say nothing more, close when the client does."""
    with selectors.DefaultSelector() as selector:
        selector.register(server, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                peer = key.fileobj
                assert isinstance(peer, socket.socket)
                if peer is server:
                    client, _ = server.accept()
                    with suppress(ConnectionError):
                        client.sendall(GREETING)
                    selector.register(client, selectors.EVENT_READ)
                elif not _heard(peer):
                    selector.unregister(peer)
                    peer.close()


def _heard(client: socket.socket) -> bytes:
    try:
        return client.recv(1000)
    except ConnectionError:
        return b""


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listening:
        print(listening.getsockname()[1], flush=True)
        serve(listening)
