"""A few questions to a server whose security is not known yet, for setup: whoever answers will do."""

import re
import ssl
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import trio

Context = ssl.SSLContext
_LARGEST: Final = 16_384  # octets of a reply
_GONE: Final = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)
_Told = TypeVar("_Told")


class Questions:
    """A connection on which a server is asked. Both methods raise what `call` takes for no answer."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream

    async def say(self, octets: bytes) -> None:
        """Say something."""
        await self._stream.send_all(octets)

    async def read(self, whole: re.Pattern[bytes], octets: bytes = b"") -> bytes:
        """What the server says behind `octets`, with them, once it is whole; what there is where it never is."""
        while not whole.match(octets) and len(octets) < _LARGEST:
            more = await self._stream.receive_some(_LARGEST)
            if not more:
                break
            octets += more
        return octets


Talk = Callable[[Questions], Awaitable[_Told]]


def trusting() -> Context:
    """TLS that is verified by this machine's roots."""
    return ssl.create_default_context()


async def exists(host: str, timeout: float) -> bool:
    """Whether a name has an address; `timeout` is in seconds."""
    with trio.move_on_after(timeout):
        try:
            return bool(await trio.socket.getaddrinfo(host, None))
        except (OSError, UnicodeError):
            return False
    return False


async def call(
    host: str, port: int, tls: bool, talk: Talk[_Told], context: Context, timeout: float
) -> tuple[_Told | None, str]:
    """What comes of a talk that takes `timeout` seconds at most, None where nothing does.

    Under TLS it is had once more where the certificate is not trusted: the second value says why it is not, and is
    empty else. Raises nothing that a server can bring about.
    """
    with trio.move_on_after(timeout):
        try:
            return await _call(host, port, context if tls else None, talk), ""
        except trio.BrokenResourceError as error:
            if not isinstance(error.__cause__, ssl.SSLCertVerificationError):
                return None, ""
            distrusted = error.__cause__.verify_message
        except _GONE:
            return None, ""
        return await _again(host, port, talk), distrusted
    return None, ""


async def _again(host: str, port: int, talk: Talk[_Told]) -> _Told | None:
    """The same where the certificate is not trusted: this is told, and the recording judges it anew."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        return await _call(host, port, context, talk)
    except _GONE:
        return None


async def _call(host: str, port: int, context: Context | None, talk: Talk[_Told]) -> _Told:
    stream: trio.abc.Stream = await trio.open_tcp_stream(host, port)
    try:
        if context:
            stream = trio.SSLStream(stream, context, server_hostname=host, https_compatible=True)
        return await talk(Questions(stream))
    finally:
        await trio.aclose_forcefully(stream)  # whatever TLS would still have to say
