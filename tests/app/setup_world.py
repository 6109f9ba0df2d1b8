"""A small world on loopback: a DNS server, a web server and mail servers, with what they are to say."""

import http.server
import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import trustme

LOOPBACK = "127.0.0.1"


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    """Let a server serve, in a thread, while the block runs."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def dns_server(records: Mapping[str, list[str]], rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> Iterator[int]:
    """A DNS server with these SRV records ("priority weight port target"); its port."""

    class Answers(socketserver.BaseRequestHandler):
        """Answers a question."""

        def handle(self) -> None:
            """Answer."""
            octets, socket = self.request
            query = dns.message.from_wire(octets)
            reply = dns.message.make_response(query)
            reply.flags |= dns.flags.RA
            name = query.question[0].name
            known = records.get(name.to_text(omit_final_dot=True))
            if known:
                reply.answer.append(dns.rrset.from_text(name, 60, "IN", "SRV", *known))
            reply.set_rcode(rcode if known or rcode else dns.rcode.NXDOMAIN)
            socket.sendto(reply.to_wire(), self.client_address)

    with socketserver.ThreadingUDPServer((LOOPBACK, 0), Answers) as server, serving(server):
        yield server.server_address[1]


def resolver(port: int) -> dns.asyncresolver.Resolver:
    """One that asks this server."""
    made = dns.asyncresolver.Resolver(configure=False)
    made.nameservers = [LOOPBACK]
    made.port = port
    return made


def covered(accepted: tuple[Any, Any], context: ssl.SSLContext | None) -> tuple[Any, Any]:
    """A connection that was accepted, under TLS where there is a context; its thread does the handshake."""
    socket, address = accepted
    if context:
        socket = context.wrap_socket(socket, server_side=True, do_handshake_on_connect=False)
    return socket, address


Page = tuple[int, Mapping[str, str], bytes]


@contextmanager
def web_server(pages: Mapping[str, Page], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A web server with these pages, under TLS where a context is given; its port. What was asked for is forgotten."""

    class Answers(http.server.BaseHTTPRequestHandler):
        """Answers a request."""

        def do_GET(self) -> None:
            """Answer."""
            code, headers, body = pages.get(self.path, (404, {}, b""))
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(http.server.ThreadingHTTPServer):
        """Says nothing of clients that leave."""

        def get_request(self) -> tuple[Any, Any]:
            """A connection, under TLS where that is wished for."""
            return covered(super().get_request(), context)

        def handle_error(self, *_: Any) -> None:
            """Say nothing."""

    with Server((LOOPBACK, 0), Answers) as server, serving(server):
        yield server.server_address[1]


@contextmanager
def mail_server(greeting: str, replies: Mapping[str, str], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that greets, and answers each verb with what is given; its port."""

    class Answers(socketserver.StreamRequestHandler):
        """Talks."""

        def handle(self) -> None:
            """Talk until the client says QUIT or goes."""
            self.wfile.write(greeting.encode())
            for line in self.rfile:
                verb = line.split()[0].decode().upper()
                self.wfile.write(replies.get(verb, "500 what?\r\n").encode())
                if verb == "QUIT":
                    return

    class Server(socketserver.ThreadingTCPServer):
        """Says nothing of clients that leave."""

        allow_reuse_address = True

        def get_request(self) -> tuple[Any, Any]:
            """A connection, under TLS where that is wished for."""
            return covered(super().get_request(), context)

        def handle_error(self, *_: Any) -> None:
            """Say nothing."""

    with Server((LOOPBACK, 0), Answers) as server, serving(server):
        yield server.server_address[1]


class Tls:
    """A certificate for some names, and who trusts it."""

    def __init__(self, *names: str) -> None:
        authority = trustme.CA()
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # fetchmail refuses certificates without a common name.
        authority.issue_cert(*names, common_name=names[0]).configure_cert(self.server)
        self.client = ssl.create_default_context()
        authority.configure_trust(self.client)
        self.pem = authority.cert_pem.bytes()
