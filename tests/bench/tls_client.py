"""An SMTP client, one connection after another: `tls_client.py PORT CONNECTIONS OCTETS tls|clear`.

It says that it is ready, waits for a line, does its work and says that it has. Without octets to send it only waits for
the greeting of each connection. Certificates are not looked at: what is measured is what stands between.
"""

import socket
import ssl
import sys
from contextlib import suppress

ENVELOPE = (b"EHLO me\r\n", b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<b@example.org>\r\n", b"DATA\r\n")
HEADER = b"Subject: one of many\r\n\r\n"
TEXT = b"Sixty-two octets of text and the two that end a line, again ..\r\n" * 4096
END = b".\r\n"
PATIENCE = 120.0  # seconds for one answer


def connect(port: int, context: ssl.SSLContext | None) -> socket.socket:
    """A connection that has been greeted. Raises OSError."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = context.wrap_socket(sock) if context else sock
    _expect(server, b"220")
    return server


def send(server: socket.socket, octets: int) -> None:
    """Send one message of about so many octets, and quit. Raises OSError."""
    for command in ENVELOPE:
        server.sendall(command)
        _expect(server, b"354" if command == ENVELOPE[-1] else b"250")
    server.sendall(HEADER)
    while octets >= len(TEXT):
        server.sendall(TEXT)
        octets -= len(TEXT)
    rest = octets // 64 * 64
    server.sendall(TEXT[:rest] + END)
    _expect(server, b"250")
    server.sendall(b"QUIT\r\n")
    _expect(server, b"221")


def leave(server: socket.socket) -> None:
    """Say close_notify, where there is TLS, and wait for no answer."""
    if isinstance(server, ssl.SSLSocket):
        server.setblocking(False)
        with suppress(OSError):
            server.unwrap()


def _expect(server: socket.socket, code: bytes) -> None:
    reply = server.recv(1000)
    if not reply.startswith(code):
        raise ConnectionError(f"{reply[:80]!r} came in the place of {code!r}")


def main() -> None:
    """Do what the arguments say."""
    port, connections, octets, mode = sys.argv[1:]
    context = None
    if mode == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(int(connections)):
        with connect(int(port), context) as server:
            if int(octets):
                send(server, int(octets))
            leave(server)
    print("done", flush=True)


if __name__ == "__main__":
    main()
