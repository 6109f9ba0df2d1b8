"""The client's side of SASL (RFC 4422), computed anew.

PLAIN: RFC 4616; CRAM-MD5: RFC 2195; OAUTHBEARER: RFC 7628; XOAUTH2 is Google's. Of the last two the password is the
token. LOGIN answers whatever it is asked with the name, then the password. The others have files of their own.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from mailproxy.model.exchange import Exchange
from mailproxy.model.mask import MARK
from mailproxy.protocols.asking import MASKED
from mailproxy.talk.play.digest_md5 import digest_md5
from mailproxy.talk.play.ntlm import ntlm
from mailproxy.talk.play.sasl import Impossible, Steps, decoded, octets
from mailproxy.talk.play.scram import scram, scram_name
from mailproxy.talk.probe.login import CANCEL, Login

__all__ = ["CANCEL", "MECHANISMS", "UNASKED", "Impossible", "Login", "Responses", "tells"]


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
    yield octets(f"n,a={scram_name(login.user)},\x01auth=Bearer {login.password}\x01\x01")
    yield b"\x01"  # RFC 7628 section 3.2.3


def external(login: Login) -> Steps:
    """EXTERNAL (RFC 4422 appendix A): who it is, TLS has told; the name is whom it would act as, if anybody."""
    yield b""
    yield octets(login.user)


def anonymous(login: Login) -> Steps:
    """ANONYMOUS (RFC 4505)."""
    yield b""
    yield octets(login.user)


_ANYWHERE: Final[dict[str, Callable[[Login], Steps]]] = {
    "PLAIN": plain,
    "LOGIN": by_name,
    "CRAM-MD5": cram_md5,
    "SCRAM-SHA-1": partial(scram, "sha1"),
    "SCRAM-SHA-256": partial(scram, "sha256"),
    "SCRAM-SHA-512": partial(scram, "sha512"),
    "XOAUTH2": xoauth2,
    "OAUTHBEARER": oauthbearer,
    "EXTERNAL": external,
    "ANONYMOUS": anonymous,
}
_PLACED: Final[dict[str, Callable[[Login, str], Steps]]] = {"DIGEST-MD5": digest_md5, "NTLM": ntlm}
"""These tell the server, too, at which service/host they log in."""
MECHANISMS: Final = frozenset({*_ANYWHERE, *_PLACED})
UNASKED: Final = frozenset({"EXTERNAL", "ANONYMOUS"})
"""Mechanisms that need no password."""
_ANY_CHALLENGE: Final = frozenset({"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER", *UNASKED})
"""Mechanisms whose responses do not depend on what the server says."""
_NOTHING: Final = re.compile(rb"=?|\*|<secret: \S+, empty>")


def tells(initial: bytes, said: Iterable[bytes]) -> bool:
    """Whether a client told anything of itself by what stood behind the mechanism, and by its responses."""
    return any(not _NOTHING.fullmatch(each) for each in [initial, *said])


def _begun(mechanism: str, login: Login, place: str) -> Steps:
    steps = _PLACED[mechanism](login, place) if mechanism in _PLACED else _ANYWHERE[mechanism](login)
    next(steps)
    return steps


class Responses:
    """What the client says in one SASL exchange: as recorded where that is kept and will do, else computed.

    `initial` is what stood behind the mechanism in the recorded command, `said` are its responses; neither has a line
    end. `place` is service/host. Raises Impossible where it is clear from the start that it cannot be done.
    """

    def __init__(
        self,
        mechanism: str,
        exchange: Exchange,
        initial: bytes,
        said: list[bytes],
        login: Login | None,
        place: str = "",
    ) -> None:
        self._mechanism = mechanism
        self._recorded = said
        self._challenges = [reply.text for reply in exchange.replies]
        self._initial = initial
        self._next = 0
        masked = any(MARK.search(each) for each in [initial, *said])
        told = tells(initial, said)
        self._steps: Steps | None = None
        if mechanism in UNASKED and (login is None or not told):
            login = Login("", "")
        if login and mechanism in MECHANISMS:
            self._steps = _begun(mechanism, login, place)
        elif masked and login is None:
            raise Impossible(MASKED)
        elif (masked or told) and login is not None:
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
            return base64.b64encode(self._steps.send(decoded(challenge)))
        except StopIteration:
            raise Impossible(f"the server asks for more than {self._mechanism} tells") from None
