"""The accounts of a Thunderbird profile: which servers it fetches mail from and sends it through."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from mailproxy.app.thunderbird.prefs import Prefs, Value

Security = Literal["none", "starttls", "tls"]

_SECURITY: Final[dict[int, Security]] = {0: "none", 1: "starttls", 2: "starttls", 3: "tls"}
_AUTH: Final = {1: "none", 2: "old", 3: "password", 4: "encrypted", 5: "kerberos", 6: "ntlm", 7: "certificate"}
_PORTS: Final = {("pop3", False): 110, ("pop3", True): 995, ("smtp", False): 587, ("smtp", True): 465}


@dataclass(frozen=True)
class Server:
    """A server that an account uses.

    `protocol` is smtp or pop3, `security` none, starttls or tls, `auth` how Thunderbird logs in (password, encrypted,
    oauth2 …), `key` what its preferences begin with, such as `mail.smtpserver.smtp1`.
    """

    protocol: str
    host: str
    port: int
    security: Security
    user: str
    auth: str
    key: str


@dataclass(frozen=True)
class Account:
    """An account: its name as Thunderbird shows it, the address of its first identity, and its servers.

    `incoming` is None where mail comes by IMAP or not at all; `outgoing` is what each identity sends through.
    """

    name: str
    email: str
    incoming: Server | None
    outgoing: tuple[Server, ...]


def accounts(profile: Path) -> list[Account]:
    """The accounts of the profile in this directory, in Thunderbird's order. Raises OSError."""
    return read(Prefs.parse((profile / "prefs.js").read_bytes()))


def read(prefs: Prefs) -> list[Account]:
    """The accounts that these preferences tell of; those that use neither POP3 nor SMTP are left out."""
    values = prefs.values()
    keys = _list(values, "mail.accountmanager.accounts")
    found = [_account(values, f"mail.account.{key}") for key in keys]
    return [account for account in found if account.incoming or account.outgoing]


def servers(prefs: Prefs) -> list[Server]:
    """Each POP3 and SMTP server once, whether an identity uses it or not."""
    values = prefs.values()
    incoming = [account.incoming for account in read(prefs) if account.incoming]
    outgoing = [_smtp(values, key) for key in _list(values, "mail.smtpservers")]
    return list(dict.fromkeys([*incoming, *filter(None, outgoing)]))


def host_name(values: Mapping[str, Value], key: str) -> str:
    """The preference that holds the host of a server; older profiles have a second one, which counts."""
    real = f"{key}.realhostname"
    return real if values.get(real) else f"{key}.hostname"


def security_name(key: str) -> str:
    """The preference that holds the security of a server."""
    return f"{key}.try_ssl" if key.startswith("mail.smtpserver.") else f"{key}.socketType"


def _account(values: Mapping[str, Value], key: str) -> Account:
    server = f"mail.server.{_text(values, f'{key}.server')}"
    identities = [f"mail.identity.{name}" for name in _list(values, f"{key}.identities")]
    first = identities[0] if identities else ""
    email = _text(values, f"{first}.useremail")
    senders = dict.fromkeys(_sender(values, identity) for identity in identities)
    outgoing = tuple(filter(None, (_smtp(values, sender) for sender in senders)))
    return Account(_text(values, f"{server}.name") or email, email, _pop3(values, server), outgoing)


def _sender(values: Mapping[str, Value], identity: str) -> str:
    """The key of the SMTP server of an identity: its own, else the default, else the first."""
    known = _list(values, "mail.smtpservers")
    own, default = _text(values, f"{identity}.smtpServer"), _text(values, "mail.smtp.defaultserver")
    return next((key for key in (own, default) if key in known), known[0] if known else "")


def _pop3(values: Mapping[str, Value], key: str) -> Server | None:
    if _text(values, f"{key}.type") != "pop3":
        return None
    real = _text(values, f"{key}.realuserName")
    return _server(values, "pop3", key, real or _text(values, f"{key}.userName"))


def _smtp(values: Mapping[str, Value], name: str) -> Server | None:
    key = f"mail.smtpserver.{name}"
    if _text(values, f"{key}.type") not in {"", "smtp"}:
        return None
    return _server(values, "smtp", key, _text(values, f"{key}.username"))


def _server(values: Mapping[str, Value], protocol: str, key: str, user: str) -> Server | None:
    host = _text(values, host_name(values, key))
    if not host:
        return None
    security = _SECURITY.get(_number(values, security_name(key)), "none")
    port = _number(values, f"{key}.port")
    if not 0 < port < 65_536:
        port = _PORTS[protocol, security == "tls"]
    auth = _number(values, f"{key}.authMethod", 3)
    return Server(protocol, host, port, security, user, "oauth2" if auth == 10 else _AUTH.get(auth, "any"), key)


def _text(values: Mapping[str, Value], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""


def _number(values: Mapping[str, Value], name: str, default: int = 0) -> int:
    value = values.get(name)
    return value if isinstance(value, int) else default


def _list(values: Mapping[str, Value], name: str) -> list[str]:
    return [each.strip() for each in _text(values, name).split(",") if each.strip()]
