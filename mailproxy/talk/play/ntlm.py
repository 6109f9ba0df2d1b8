"""NTLM ([MS-NLMP], over SASL as in [MS-SMTPNTLM] and [MS-POP3]), by pyspnego, which the extra `ntlm` installs."""

from typing import Final

from mailproxy.talk.play.sasl import Impossible, Steps
from mailproxy.talk.probe.login import Login

NEEDED: Final = "needs pyspnego (pip install 'mailproxy[ntlm]')"


def installed() -> bool:
    """Whether the extra is."""
    try:
        import spnego
    except ImportError:
        return False
    return bool(spnego.NegotiateOptions)


def ntlm(login: Login, place: str) -> Steps:
    """The user may be DOMAIN\\user; `place` is service/host.

    Raises Impossible where the extra is missing, where the name or the password is empty, and where the server's
    challenge is none.
    """
    if not installed():
        raise Impossible(f"NTLM {NEEDED}")
    import spnego

    service, _, host = place.partition("/")
    # By pyspnego's own code: what the system has instead may take its tickets and hashes for the password.
    own = spnego.NegotiateOptions.use_ntlm
    if not (login.user and login.password):
        raise Impossible("NTLM needs a user name and a password")
    context = spnego.client(login.user, login.password, host, service, protocol="ntlm", options=own)
    yield b""
    challenge = yield context.step() or b""
    try:
        answer = context.step(challenge) or b""
    except Exception:  # it unpacks what it is given, and raises whatever that brings about
        raise Impossible("the server's NTLM challenge is none") from None
    yield answer
