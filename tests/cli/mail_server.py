"""A mail server of a few lines: each command earns the reply of its verb, and what it heard can be asked."""

import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

SMTP = {"": "220 mail.example.org ESMTP", "DATA": "354 go on", "QUIT": "221 bye", "*": "250 ok"}
POP3 = {"": "+OK ready", "STAT": "+OK 1 14", "RETR": "+OK\r\nSubject: x\r\n\r\n.", "*": "+OK"}
POP2 = {"": "+ POP2 ready", "HELO": "#1 message", "*": "- no"}
SILENT = "(nothing)"


class Server(socketserver.ThreadingTCPServer):
    """Answers with the reply of a verb, that of `*` for others; the greeting is that of no verb. SILENT is no answer.

    `said` holds the lines of all its clients, messages too; `silent` is set whenever it does not answer.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, replies: Mapping[str, str], scheme: str, patient: Callable[[int], bool]) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.replies = replies
        self.patient = patient
        self.url = f"{scheme}://127.0.0.1:{self.server_address[1]}"
        self.said: list[str] = []
        self.clients = 0
        self.silent = threading.Semaphore(0)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Talk(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.server.clients += 1
        number = self.server.clients
        self._say("")
        message = False
        for line in self.rfile:
            said = line.decode("latin-1").removesuffix("\r\n")
            self.server.said.append(said)
            verb = "" if message else said.split(" ")[0].upper()
            if message and said != ".":
                continue
            message = verb == "DATA" and self._reply(verb).startswith("354")
            if not self.server.patient(number) and verb == "MAIL":
                self.server.silent.release()
                continue
            self._say(verb or "*")
            if verb == "QUIT":
                return

    def _reply(self, verb: str) -> str:
        return self.server.replies.get(verb, self.server.replies["*"])

    def _say(self, verb: str) -> None:
        if (reply := self._reply(verb)) is not SILENT:
            self.wfile.write(f"{reply}\r\n".encode())


@contextmanager
def serving(
    replies: Mapping[str, str], scheme: str = "smtp", patient: Callable[[int], bool] = lambda number: True
) -> Iterator[Server]:
    """A server that goes on answering MAIL only to the clients, counted from 1, that it is `patient` with."""
    with Server(replies, scheme, patient) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
