"""SCRAM (RFC 5802, RFC 7677), computed anew, without channel binding."""

import base64
import hashlib
import hmac
import secrets
import unicodedata
from typing import Final

from mailproxy.talk.play.sasl import Impossible, Steps, decoded, octets
from mailproxy.talk.probe.login import Login

MOST_ITERATIONS: Final = 10_000_000
_NONCE: Final = 18  # octets


def scram(digest: str, login: Login, nonce: str = "") -> Steps:
    """RFC 5802 section 5; raises Impossible where the server breaks its rules or does not know the password."""
    yield b""
    first = f"n={scram_name(login.user)},r={nonce or secrets.token_urlsafe(_NONCE)}"
    challenge = yield octets(f"n,,{first}")
    given = _attributes(challenge)
    proposed = first.rpartition(",r=")[2]
    if not given.get("r", "").startswith(proposed) or not given.get("s") or not given.get("i", "").isdecimal():
        raise Impossible("the server's first SCRAM message is none")
    if not 0 < int(given["i"][:9]) <= MOST_ITERATIONS:
        raise Impossible(f"the server wants {given['i'][:20]} iterations")
    password = octets(unicodedata.normalize("NFKC", login.password))
    salted = hashlib.pbkdf2_hmac(digest, password, decoded(given["s"]), int(given["i"]))
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


def scram_name(user: str) -> str:
    """RFC 5802 section 5.1."""
    return unicodedata.normalize("NFKC", user).replace("=", "=3D").replace(",", "=2C")


def _attributes(message: bytes) -> dict[str, str]:
    return {part[:1]: part[2:] for part in message.decode("utf-8", "surrogateescape").split(",") if part[1:2] == "="}
