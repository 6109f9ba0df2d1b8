"""mailproxy's certificate authority, for whoever asks about it."""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from mailproxy.app import settings
from mailproxy.net.authority import Authority, AuthorityError, Form

__all__ = ["AuthorityError", "Form", "Shown", "authority", "export", "folder", "new", "show"]


class Shown(NamedTuple):
    """What there is to know of it; its fingerprint is SHA-256 in hex, its path that of its certificate in PEM."""

    subject: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    path: Path

    @property
    def name(self) -> str:
        """What programs list it under: its common name."""
        return self.subject.partition(",")[0].removeprefix("CN=")

    @property
    def spaced(self) -> str:
        """Its fingerprint, as programs show it."""
        return ":".join(self.fingerprint[at : at + 2] for at in range(0, len(self.fingerprint), 2)).upper()


def folder() -> Path:
    """Where it is kept: `MAILPROXY_CA`, else a folder in the user's data directory."""
    return settings.authority()


def authority() -> Authority:
    """The one that is used here; it is made when it is first needed."""
    return Authority(folder())


def show() -> Shown:
    """What there is to know of it. Raises AuthorityError."""
    found = authority()
    own = found.certificate
    return Shown(own.subject, own.not_before, own.not_after, own.fingerprint, found.path)


def export(form: Form) -> bytes:
    """Its certificate, without the key. Raises AuthorityError."""
    return authority().export(form)


def new() -> Shown:
    """Have another in its place, which no program trusts yet. Raises AuthorityError."""
    authority().new()
    return show()
