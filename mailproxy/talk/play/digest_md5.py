"""DIGEST-MD5 (RFC 2831), computed anew: authentication alone (`qop=auth`), by `md5-sess`.

In the texts here each character stands for an octet (ISO 8859-1).
"""

import re
import secrets
from hashlib import md5
from typing import Final

from mailproxy.talk.play.sasl import Impossible, Steps, octets
from mailproxy.talk.probe.login import Login

_DIRECTIVE: Final = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))', re.S)
_ESCAPED: Final = re.compile(r"\\(.)", re.S)
_COUNT: Final = "00000001"
_NONCE: Final = 18  # octets


def digest_md5(login: Login, place: str, cnonce: str = "") -> Steps:
    """RFC 2831 section 2.1; `place` is service/host.

    Raises Impossible where the server breaks its rules or does not know the password.
    """
    given = _directives((yield b""))
    _check(given)
    cnonce, uri = cnonce or secrets.token_urlsafe(_NONCE), _text(octets(place))
    key = _key(login, given, cnonce)
    said = f"{given['nonce']}:{_COUNT}:{cnonce}:auth"
    answer = [f"username={_quoted(_text(_charset(login.user, 'charset' in given)))}"]
    answer += [f"realm={_quoted(given['realm'])}"] if "realm" in given else []
    answer += [f"nonce={_quoted(given['nonce'])}", f"nc={_COUNT}", f"cnonce={_quoted(cnonce)}"]
    answer += [f"digest-uri={_quoted(uri)}", f"response={_digest(key, said, f'AUTHENTICATE:{uri}')}", "qop=auth"]
    proof = yield ",".join(["charset=utf-8"] * ("charset" in given) + answer).encode("latin-1")
    if _directives(proof).get("rspauth") != _digest(key, said, f":{uri}"):
        raise Impossible("the server has not proved that it knows the password")
    yield b""


def _directives(message: bytes) -> dict[str, str]:
    """The directives of a message; of several realms the first."""
    found: dict[str, str] = {}
    for name, quoted, token in _DIRECTIVE.findall(_text(message)):
        found.setdefault(name.lower(), _ESCAPED.sub(r"\1", quoted) or token)
    return found


def _check(given: dict[str, str]) -> None:
    """What a challenge must have (section 2.1.1)."""
    if not given.get("nonce") or given.get("algorithm") != "md5-sess":
        raise Impossible("the server's DIGEST-MD5 challenge is none")
    if "auth" not in re.split(r"[\s,]+", given.get("qop", "auth")):
        raise Impossible("the server wants DIGEST-MD5 to protect what is said behind it, too (qop)")


def _key(login: Login, given: dict[str, str], cnonce: str) -> str:
    """H(A1) (section 2.1.2.1)."""
    user, password = (_text(_hashed(text, "charset" in given)) for text in (login.user, login.password))
    secret = md5(f"{user}:{given.get('realm', '')}:{password}".encode("latin-1"), usedforsecurity=False).digest()
    return _md5(f"{_text(secret)}:{given['nonce']}:{cnonce}")


def _charset(text: str, unicode: bool) -> bytes:
    """As it is told: in UTF-8 where the server knows that, else in ISO 8859-1; raises Impossible."""
    if unicode:
        return octets(text)
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise Impossible("the server takes names and passwords in ISO 8859-1 alone") from None


def _hashed(text: str, unicode: bool) -> bytes:
    """As it is hashed: in ISO 8859-1 where that will do, so that one hash serves HTTP too (section 2.1.2.1)."""
    plain = all(character < "\u0100" for character in text)
    return _charset(text, unicode and not plain)


def _digest(key: str, said: str, asked: str) -> str:
    """The value of `response` or of `rspauth` (sections 2.1.2.1 and 2.1.3)."""
    return _md5(f"{key}:{said}:{_md5(asked)}")


def _md5(text: str) -> str:
    return md5(text.encode("latin-1"), usedforsecurity=False).hexdigest()


def _text(message: bytes) -> str:
    return message.decode("latin-1")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
