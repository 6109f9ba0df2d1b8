"""Settings: where the database is, and what `mailproxy.toml` says."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import platformdirs

from mailproxy.app.routes import Route, RouteError, make, settled
from mailproxy.model.tls import Verify

FILE: Final = Path("mailproxy.toml")
_PASSWORD: Final = re.compile(r"(://[^:/@]*:).*@")
_PASSWORD_PARAMETER: Final = re.compile(r"([?&]password=)[^&]*")
_KEYS: Final = {
    "db": str, "content": str, "keep_secrets": bool, "public": bool, "when_full": str, "socks": str,
    "tls": str, "verify": str, "tls_min": str, "trust": list, "keylog": str, "client_cert": str,
    "fault": list, "route": list,
}  # fmt: skip
_TLS_CHOICES: Final = {
    "tls": ("apart", "passthrough"), "verify": ("mirror", "strict", "off"), "tls_min": ("1.0", "1.1", "1.2", "1.3"),
}  # fmt: skip
_CHOICES: Final = {
    "content": ("full", "headers", "none"), "when_full": ("refuse", "relay", "stop"), **_TLS_CHOICES,
}  # fmt: skip


class SettingsError(Exception):
    """A settings file that cannot be understood; the message is one line and names the file."""


class Settings(NamedTuple):
    """What `mailproxy.toml` says; None where it says nothing."""

    routes: tuple[Route, ...] = ()
    db: str | None = None
    content: str | None = None
    keep_secrets: bool | None = None
    public: bool | None = None
    when_full: str | None = None
    socks: str | None = None
    tls: str | None = None
    verify: str | None = None
    tls_min: str | None = None
    trust: tuple[str, ...] = ()
    keylog: str | None = None
    client_cert: str | None = None
    fault: tuple[str, ...] = ()


def database() -> str:
    """The database that is used where none is named: `MAILPROXY_DB`, else one in the user's data directory."""
    named = os.environ.get("MAILPROXY_DB")
    return named or str(Path(platformdirs.user_data_dir("mailproxy", appauthor=False)) / "mailproxy.sqlite")


def shown(db: str) -> str:
    """The name of a database as it can be shown: without the password that a URL may hold."""
    return _PASSWORD_PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1***@", db))


def state() -> Path:
    """The directory for what is on its way to a database that is not a file."""
    return Path(platformdirs.user_state_dir("mailproxy", appauthor=False))


def authority() -> Path:
    """The folder of mailproxy's certificate authority: `MAILPROXY_CA`, else one in the user's data directory."""
    named = os.environ.get("MAILPROXY_CA")
    return Path(named) if named else Path(platformdirs.user_data_dir("mailproxy", appauthor=False)) / "ca"


def read(path: Path) -> Settings:
    """Read a settings file; raises SettingsError."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    key: str
    for key, value in said.items():
        if key not in _KEYS or not isinstance(value, _KEYS[key]):
            known = ", ".join(_KEYS)
            raise SettingsError(f"{path}: {key} = {value!r} is not understood; there is {known}")
        _choose(path, key, value, _CHOICES)
    if not all(isinstance(each, str) for each in said.get("trust", ())):
        raise SettingsError(f'{path}: trust is a list of files, as in trust = ["ca.pem"]')
    said["trust"] = tuple(said.pop("trust", ()))
    said["fault"] = tuple(_fault(path, each) for each in said.pop("fault", ()))
    routes = tuple(_route(path, each) for each in said.pop("route", []))
    return Settings(routes, **said)


def _fault(path: Path, said: Any) -> str:
    from mailproxy.talk.faults.fault import FaultError  # here, for each command reads settings and few want faults
    from mailproxy.talk.faults.parse import parse

    if not isinstance(said, str):
        raise SettingsError(f'{path}: fault is a list of rules, as in fault = ["at RCPT 2 answer 452 4.5.3 Too many"]')
    try:
        return parse(said).written
    except FaultError as error:
        raise SettingsError(f"{path}: fault = {said!r}: {error}") from error


def _route(path: Path, said: Any) -> Route:
    match said:
        case {"upstream": str(upstream), **rest} if set(rest) <= {"listen", *_TLS_CHOICES}:
            listen = str(rest.pop("listen", ""))
            own = {str(key): str(value) for key, value in rest.items()}
            for name, value in own.items():
                _choose(path, name, value, _TLS_CHOICES)
            try:
                route = make(upstream, listen)
            except RouteError as error:
                raise SettingsError(f"{path}: {error}") from error
            verify = Verify(own["verify"]) if "verify" in own else None
            apart = own["tls"] == "apart" if "tls" in own else None
            route = route._replace(verify=verify, tls_min=own.get("tls_min"))
            return route if apart is None else settled(route, apart)
        case _:
            raise SettingsError(
                f'{path}: a [[route]] has upstream = "smtp://host:port" and may have listen = "port", '
                "tls, verify, tls_min"
            )


def _choose(path: Path, key: str, value: Any, known: Mapping[str, tuple[str, ...]]) -> None:
    if (choices := known.get(key)) and value not in choices:
        raise SettingsError(f"{path}: {key} = {value!r} is not understood; there is {', '.join(choices)}")
