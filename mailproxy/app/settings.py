"""Settings: where the database is, and what `mailproxy.toml` says."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any, Final, NamedTuple

import platformdirs

from mailproxy.app.routes import Route, RouteError, make

FILE: Final = Path("mailproxy.toml")
_PASSWORD: Final = re.compile(r"(://[^:/@]*:).*@")
_PASSWORD_PARAMETER: Final = re.compile(r"([?&]password=)[^&]*")
_KEYS: Final = {"db": str, "content": str, "keep_secrets": bool, "public": bool, "when_full": str, "route": list}
_CHOICES: Final = {"content": ("full", "headers", "none"), "when_full": ("refuse", "relay", "stop")}


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


def read(path: Path) -> Settings:
    """Read a settings file; raises SettingsError."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    for key, value in said.items():
        if key not in _KEYS or not isinstance(value, _KEYS[key]):
            known = ", ".join(_KEYS)
            raise SettingsError(f"{path}: {key} = {value!r} is not understood; there is {known}")
        if (choices := _CHOICES.get(key)) and value not in choices:
            raise SettingsError(f"{path}: {key} = {value!r} is not understood; there is {', '.join(choices)}")
    routes = tuple(_route(path, each) for each in said.pop("route", []))
    return Settings(routes, **said)


def _route(path: Path, said: Any) -> Route:
    match said:
        case {"upstream": str(upstream), **rest} if set(rest) <= {"listen"}:
            try:
                return make(upstream, str(rest.get("listen", "")))
            except RouteError as error:
                raise SettingsError(f"{path}: {error}") from error
        case _:
            raise SettingsError(f'{path}: a [[route]] has upstream = "smtp://host:port" and may have listen = "port"')
