"""The page from which a phone, or whoever opens mailproxy's port in a browser, takes the authority's certificate."""

import signal
from collections.abc import Callable
from html import escape
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import trio

from mailproxy.app import ca
from mailproxy.app.ca_steps import Way, ways
from mailproxy.net.authority import Authority, AuthorityError, Form
from mailproxy.net.serve import Address, listen, serve
from mailproxy.talk.practice.conversation import Party, Send, Talk
from mailproxy.talk.practice.unread import Unread

LIMIT: Final = 8192  # octets of a line, and lines of a request's header
IDLE: Final = 15.0
HTML: Final = "text/html; charset=utf-8"
_CERTIFICATE: Final = "application/x-x509-ca-cert"
_FILES: Final = {
    "/ca.pem": (Form.PEM, _CERTIFICATE),
    "/ca.der": (Form.DER, _CERTIFICATE),
    "/ca.p12": (Form.P12, "application/x-pkcs12"),
}
_STYLE: Final = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:45rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "code{overflow-wrap:anywhere}"
)
_TITLE: Final = "The certificate authority of mailproxy"


def answer(request: bytes, authority: Authority | None = None) -> bytes:
    """A response (RFC 9112) to the first line of a request, and what may stand behind it.

    GET and HEAD are answered, of the page and of the certificate in its forms, also where a browser takes mailproxy
    for a proxy. It raises on nothing.
    """
    method, _, rest = request.split(b"\n", 1)[0].strip().partition(b" ")
    if method not in (b"GET", b"HEAD"):
        return _response(HTTPStatus.METHOD_NOT_ALLOWED, *_message("Only GET is answered here."), "Allow: GET, HEAD")
    said = _get(_path(rest.partition(b" ")[0].decode("ascii", "replace")), authority or ca.authority())
    return said if method == b"GET" else said[: said.index(b"\r\n\r\n") + 4]


def page(authority: Authority) -> bytes:
    """The response that holds the page. Raises AuthorityError."""
    own = authority.certificate
    shown = ca.Shown(own.subject, own.not_before, own.not_after, own.fingerprint, authority.path)
    links = "".join(f'<li><a href="{path}">{path[1:]}</a></li>' for path in _FILES)
    body = (
        "<p>mailproxy records what a mail program and its server say to each other. To see what they say under TLS, "
        "the mail program must trust this certificate. Whoever has its key can read that program's connections: "
        "take it back when you are done.</p>"
        f"<ul>{links}</ul>"
        f"<p>{escape(shown.name)}, valid until {own.not_after:%Y-%m-%d}. SHA-256, to be compared with "
        f"<code>mailproxy ca show</code>:<br><code>{shown.spaced}</code></p>"
    )
    return _response(HTTPStatus.OK, *_html(body + "".join(map(_section, ways("ca.pem", "ca.pem")))))


async def serve_page(host: str, port: int, ready: Callable[[Address], None]) -> None:
    """Serve it until SIGINT or SIGTERM; `ready` is told where, once it is served. Raises AuthorityError and OSError."""
    authority = ca.authority()
    page(authority)
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with listen(host, port) as listening, trio.open_nursery() as nursery:
            nursery.start_soon(serve, lambda: Party(lambda unread: _talk(unread, authority)), listening, IDLE)
            ready(listening.addresses[0])
            await anext(aiter(signals))
            nursery.cancel_scope.cancel()


def _talk(unread: Unread, authority: Authority) -> Talk[None]:
    """One request, one response, and the connection ends."""
    first = yield from unread.line(LIMIT)
    for _ in range(LIMIT):
        if not first or not (yield from unread.line(LIMIT)):
            break
    yield Send(answer(first or b"", authority))


def _path(target: str) -> str:
    """The path of a request's target, which may be a whole URL (RFC 9112 section 3.2.2)."""
    try:
        return urlsplit(target).path if "://" in target else target.partition("?")[0]
    except ValueError:
        return target


def _get(path: str, authority: Authority) -> bytes:
    try:
        if path in ("/", ""):
            return page(authority)
        if path in _FILES:
            form, kind = _FILES[path]
            return _response(HTTPStatus.OK, kind, authority.export(form))
    except AuthorityError:  # its text names folders
        return _response(HTTPStatus.SERVICE_UNAVAILABLE, *_message("It cannot be read: see mailproxy ca show."))
    return _response(HTTPStatus.NOT_FOUND, *_message("There is no such page: the certificate is at /."))


def _response(status: HTTPStatus, kind: str, body: bytes, *more: str) -> bytes:
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'",
        *more,
        "\r\n",
    )
    return "\r\n".join(lines).encode("ascii") + body


def _message(text: str) -> tuple[str, bytes]:
    return _html(f"<p>{text}</p>")


def _html(body: str) -> tuple[str, bytes]:
    whole = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_TITLE}</title><style>{_STYLE}</style></head><body><main><h1>{_TITLE}</h1>{body}</main></body></html>\n"
    )
    return HTML, whole.encode()


def _section(way: Way) -> str:
    steps = "".join(
        f"<li>{escape(step.text)}{f' <code>{escape(step.command)}</code>' if step.command else ''}</li>"
        for step in way.steps
    )
    return f"<section><h2>{escape(way.title)}</h2><ol>{steps}</ol></section>"
