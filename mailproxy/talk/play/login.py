"""The client's side of SASL (RFC 4422), computed anew.

PLAIN: RFC 4616; CRAM-MD5: RFC 2195; SCRAM: RFC 5802 and RFC 7677, without channel binding; OAUTHBEARER: RFC 7628;
XOAUTH2 is Google's. Of the last two the password is the token. LOGIN answers whatever it is asked with the name, then
the password.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Callable, Generator
from functools import partial
from typing import Final

from mailproxy.model.exchange import Exchange
from mailproxy.model.mask import MARK
from mailproxy.talk.probe.login import CANCEL, Login

__all__ = ["CANCEL", "MECHANISMS", "Impossible", "Login", "Responses"]

Steps = Generator[bytes, bytes, None]
"""Begun with `next`, it is sent one challenge after another, empty where there is none, and yields the answers."""
MOST_ITERATIONS: Final = 10_000_000
_NONCE: Final = 18  # octets


class Impossible(Exception):
    """The exchange cannot go on: one line that says why, with nothing secret in it."""


def plain(login: Login) -> Steps:
    """PLAIN (RFC 4616)."""
    yield b""
    yield b"\0%b\0%b" % (octets(login.user), octets(login.password))


def by_name(login: Login) -> Steps:
    """LOGIN."""
    yield b""
    yield octets(login.user)
    yield octets(login.password)


def cram_md5(login: Login) -> Steps:
    """CRAM-MD5 (RFC 2195)."""
    challenge = yield b""
    digest = hmac.new(octets(login.password), challenge, hashlib.md5).hexdigest()
    yield b"%b %b" % (octets(login.user), digest.encode())


def xoauth2(login: Login) -> Steps:
    """XOAUTH2, as Google has it; the password is the token."""
    yield b""
    yield octets(f"user={login.user}\x01auth=Bearer {login.password}\x01\x01")
    yield b""  # the server has said why it refuses


def oauthbearer(login: Login) -> Steps:
    """OAUTHBEARER (RFC 7628 section 3.1); the password is the token."""
    yield b""
    yield octets(f"n,a={_scram_name(login.user)},\x01auth=Bearer {login.password}\x01\x01")
    yield b"\x01"  # RFC 7628 section 3.2.3


def external(login: Login) -> Steps:
    """EXTERNAL (RFC 4422 appendix A): who it is, TLS has told."""
    yield b""
    yield b""


def anonymous(login: Login) -> Steps:
    """ANONYMOUS (RFC 4505)."""
    yield b""
    yield octets(login.user)


def scram(digest: str, login: Login, nonce: str = "") -> Steps:
    """RFC 5802 section 5; raises Impossible where the server breaks its rules or does not know the password."""
    yield b""
    first = f"n={_scram_name(login.user)},r={nonce or secrets.token_urlsafe(_NONCE)}"
    challenge = yield octets(f"n,,{first}")
    given = _attributes(challenge)
    proposed = first.rpartition(",r=")[2]
    if not given.get("r", "").startswith(proposed) or not given.get("s") or not given.get("i", "").isdecimal():
        raise Impossible("the server's first SCRAM message is none")
    if not 0 < int(given["i"][:9]) <= MOST_ITERATIONS:
        raise Impossible(f"the server wants {given['i'][:20]} iterations")
    password = octets(unicodedata.normalize("NFKC", login.password))
    salted = hashlib.pbkdf2_hmac(digest, password, _decoded(octets(given["s"])), int(given["i"]))
    final = f"c=biws,r={given['r']}"
    said = octets(f"{first},") + challenge + octets(f",{final}")
    key = hmac.digest(salted, b"Client Key", digest)
    signature = hmac.digest(hashlib.new(digest, key).digest(), said, digest)
    proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
    verifier = yield octets(f"{final},p={base64.b64encode(proof).decode()}")
    proved = hmac.digest(hmac.digest(salted, b"Server Key", digest), said, digest)
    if _attributes(verifier).get("v") != base64.b64encode(proved).decode():
        raise Impossible("the server has not proved that it knows the password")
    yield b""


MECHANISMS: Final[dict[str, Callable[[Login], Steps]]] = {
    "PLAIN": plain,
    "LOGIN": by_name,
    "CRAM-MD5": cram_md5,
    "SCRAM-SHA-1": partial(scram, "sha1"),
    "SCRAM-SHA-256": partial(scram, "sha256"),
    "XOAUTH2": xoauth2,
    "OAUTHBEARER": oauthbearer,
    "EXTERNAL": external,
    "ANONYMOUS": anonymous,
}
_UNASKED: Final = frozenset({"EXTERNAL", "ANONYMOUS"})  # no password is needed
_ANY_CHALLENGE: Final = frozenset({"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER", *_UNASKED})
"""Mechanisms whose responses do not depend on what the server says."""


class Responses:
    """What the client says in one SASL exchange: as recorded where that is kept and will do, else computed.

    `initial` is what stood behind the mechanism in the recorded command, `said` are its responses; neither has a line
    end. Raises Impossible where it is clear from the start that it cannot be done.
    """

    def __init__(self, mechanism: str, exchange: Exchange, initial: bytes, said: list[bytes], login: Login | None):
        self._mechanism = mechanism
        self._recorded = said
        self._challenges = [reply.text for reply in exchange.replies]
        self._initial = initial
        self._next = 0
        masked = any(MARK.search(each) for each in [initial, *said])
        needed = masked or any(each not in {b"", b"*"} for each in [initial, *said])
        self._steps: Steps | None = None
        if login is None and mechanism in _UNASKED:
            login = Login("", "")
        if login and mechanism in MECHANISMS:
            self._steps = MECHANISMS[mechanism](login)
            next(self._steps)
        elif masked and login is None:
            raise Impossible("the password is masked in the record, and none is given")
        elif needed and login is not None:
            raise Impossible(f"mailproxy cannot log in by {mechanism}")

    def first(self) -> bytes:
        """What stands behind the mechanism in the command; empty where nothing does."""
        if not self._initial:
            return b""
        if self._steps is None:
            return self._initial
        return base64.b64encode(self._steps.send(b"")) or b"="

    def next(self, challenge: str) -> bytes:
        """What answers a challenge, which is in base64 as it came, without its line end; raises Impossible."""
        recorded = self._recorded[self._next] if self._next < len(self._recorded) else None
        then = self._challenges[self._next] if self._next < len(self._challenges) else None
        self._next += 1
        if recorded == b"*":
            return recorded
        if self._steps is None:
            if recorded is None or (self._mechanism not in _ANY_CHALLENGE and challenge != then):
                raise Impossible("what answers this challenge is not in the record")
            return recorded
        try:
            return base64.b64encode(self._steps.send(_decoded(octets(challenge))))
        except StopIteration:
            raise Impossible(f"the server asks for more than {self._mechanism} tells") from None


def octets(text: str) -> bytes:
    """A text in UTF-8, as it came."""
    return text.encode("utf-8", "surrogateescape")


def _attributes(message: bytes) -> dict[str, str]:
    return {part[:1]: part[2:] for part in message.decode("utf-8", "surrogateescape").split(",") if part[1:2] == "="}


def _scram_name(user: str) -> str:
    """RFC 5802 section 5.1."""
    return unicodedata.normalize("NFKC", user).replace("=", "=3D").replace(",", "=2C")


def _decoded(challenge: bytes) -> bytes:
    """A challenge; a server that puts no base64 is taken to have put nothing."""
    try:
        return base64.b64decode(challenge, validate=True)
    except binascii.Error:
        return b""
