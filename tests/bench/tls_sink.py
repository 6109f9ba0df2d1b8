"""An SMTP server that takes every message and keeps none. Run as a program it says its port and serves until it ends.

With a file of certificate and key it speaks TLS from the start, else in clear.
"""

import socket
import ssl
import sys
import threading
from contextlib import suppress

AT_ONCE = 16
LINES, END = 65_536, b"\r\n.\r\n"
GREETING, DATA, DONE, BYE = b"220 ready\r\n", b"354 go\r\n", b"250 done\r\n", b"221 bye\r\n"
REPLIES = {b"EHLO": DONE, b"MAIL": DONE, b"RCPT": DONE, b"DATA": DATA, b"QUIT": BYE}


def serve(listening: socket.socket, context: ssl.SSLContext | None) -> None:
    """Serve one connection after another, until the process ends."""
    while True:
        client, _ = listening.accept()
        with suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context:
                client = context.wrap_socket(client, server_side=True, suppress_ragged_eofs=True)
            _converse(client)
        client.close()


def _converse(client: socket.socket) -> None:
    """Answer each command; commands come in strict turn, so that one read holds one."""
    client.sendall(GREETING)
    while command := client.recv(1000):
        reply = REPLIES.get(command[:4], b"500 what?\r\n")
        client.sendall(reply)
        if reply is BYE:
            return
        if reply is DATA:
            _take(client)
            client.sendall(DONE)


def _take(client: socket.socket) -> None:
    """Read a message to its end, which comes where the reads end."""
    buffer, last = bytearray(LINES), b""
    view = memoryview(buffer)
    while not last.endswith(END):
        taken = client.recv_into(view)
        if not taken:
            raise ConnectionError("cut short")
        last = (last + bytes(view[max(0, taken - len(END)) : taken]))[-len(END) :]


def main() -> None:
    """Listen, and serve some connections at once."""
    context = None
    if len(sys.argv) > 1:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
        context.num_tickets = 0
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listening:
        print(listening.getsockname()[1], flush=True)
        for _ in range(AT_ONCE):
            threading.Thread(target=serve, args=(listening, context), daemon=True).start()
        threading.Event().wait()


if __name__ == "__main__":
    main()
