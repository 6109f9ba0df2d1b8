"""A POP3 server that has every reply ready. Run as a program it says its port and serves until it is ended."""

from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer

MESSAGE = b"Subject: one of many\r\n\r\n" + b"Sixty-two octets of text and the two that end a line, again ..\r\n" * 78
GREETING = b"+OK ready\r\n"
RETRIEVED = b"+OK %d octets\r\n" % len(MESSAGE) + MESSAGE + b".\r\n"
REPLIES = {b"USER": b"+OK\r\n", b"PASS": b"+OK\r\n", b"RETR": RETRIEVED, b"QUIT": b"+OK\r\n"}


class Maildrop(StreamRequestHandler):
    """One connection. Every message is the same."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer each line by its first four octets, until QUIT or until the client is gone."""
        with suppress(ConnectionError):
            self.wfile.write(GREETING)
            for line in self.rfile:
                self.wfile.write(REPLIES.get(line[:4], b"-ERR no such command\r\n"))
                if line.startswith(b"QUIT"):
                    return


if __name__ == "__main__":
    ThreadingTCPServer.daemon_threads = True
    with ThreadingTCPServer(("127.0.0.1", 0), Maildrop) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
