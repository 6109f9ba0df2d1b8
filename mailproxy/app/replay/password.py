"""Where the password of a replay comes from: the environment, a keyring, or whoever can be asked; never an argument."""

import os
from collections.abc import Callable
from typing import Final

VARIABLE: Final = "MAILPROXY_PASSWORD"
SERVICE: Final = "mailproxy"
"""What passwords are listed under in the keyring (`keyring set mailproxy alice@example.org`)."""


def password(user: str, ask: Callable[[str], str]) -> str:
    """The password of a user: that of the environment, else that of the keyring, else what `ask` is told."""
    return os.environ.get(VARIABLE) or _of_keyring(user) or ask(user)


def _of_keyring(user: str) -> str:
    """What the system's keyring holds, where the extra `keyring` is installed; empty where it holds nothing."""
    try:
        import keyring
    except ImportError:
        return ""
    try:
        return keyring.get_password(SERVICE, user) or ""
    except Exception:  # locked, gone, badly configured: each keyring says so in its own way
        return ""
