"""A small file over HTTP."""

import http.client
import ssl
import urllib.error
import urllib.request
from functools import partial
from typing import Final

import trio

TIMEOUT: Final = 8.0
"""Seconds that a file may take, redirects and all."""
_ABSENT: Final = (404, 410)


class FetchError(Exception):
    """No file; the message says why, in part of a line, and is empty where there simply is none."""


async def fetch(url: str, most: int, context: ssl.SSLContext | None = None, timeout: float = TIMEOUT) -> bytes:
    """The file, at most one octet more than `most` of it. TLS is verified. Raises FetchError."""
    with trio.move_on_after(timeout):
        # A server that sends an octet now and then keeps a thread busy, and nobody waiting.
        return await trio.to_thread.run_sync(partial(_fetch, url, most, context, timeout), abandon_on_cancel=True)
    raise FetchError("no answer in time")


def _fetch(url: str, most: int, context: ssl.SSLContext | None, timeout: float) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "mailproxy", "Accept": "text/xml, application/xml"})
    try:
        with _opener(context).open(request, timeout=timeout) as response:
            octets: bytes = response.read(most + 1)
    except urllib.error.HTTPError as error:
        code = error.code
        error.close()
        raise FetchError("" if code in _ABSENT else f"the server answers {code}") from None
    except urllib.error.URLError as error:
        raise FetchError(_reason(error.reason)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchError(_reason(error)) from error
    return octets


def _reason(error: object) -> str:
    """What went wrong; nothing where the name or the server does not exist."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case TimeoutError():
            return "no answer in time"
        case ConnectionRefusedError():
            return ""
        case OSError() if "gai" in type(error).__name__:
            return ""
        case OSError(strerror=str(text)) if text:
            return text
    return " ".join(str(error).split()) or type(error).__name__


def _opener(context: ssl.SSLContext | None) -> urllib.request.OpenerDirector:
    """Opens HTTP and HTTPS and nothing else: no redirect leads to a file of this machine."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=context or ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener
