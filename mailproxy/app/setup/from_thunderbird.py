"""The servers that a Thunderbird profile uses."""

from collections.abc import Iterator
from pathlib import Path

from mailproxy.app.setup.error import SetupError
from mailproxy.app.setup.lookup import Found
from mailproxy.app.setup.server import Server, is_host, is_user
from mailproxy.app.thunderbird import accounts as profile_of
from mailproxy.app.thunderbird import profiles
from mailproxy.app.thunderbird.accounts import Account
from mailproxy.app.thunderbird.error import ThunderbirdError
from mailproxy.model.tls import Security

_OAUTH = "logs in with OAuth 2, which Thunderbird ties to the server's name: use `mailproxy point thunderbird`"


def only() -> Path | None:
    """The profile, where there is exactly one."""
    try:
        found = profiles.profiles()
    except ThunderbirdError:
        return None
    return found[0].path if len(found) == 1 else None


def choose(named: str | None) -> Path:
    """The profile that is meant, by path or name or default; raises SetupError."""
    try:
        return profiles.choose(named)
    except ThunderbirdError as error:
        raise SetupError(str(error).replace("--profile", "--thunderbird")) from error


def found(profile: Path, email: str | None = None) -> Found:
    """The servers of all accounts, or of the one with an e-mail address; raises SetupError."""
    try:
        accounts = profile_of.accounts(profile)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SetupError(f"{profile} is no Thunderbird profile that can be read: {reason}") from error
    if email:
        accounts = [account for account in accounts if account.email.lower() == email.lower()]
        if not accounts:
            raise SetupError(f"{profile} has no account {email}: mailproxy setup {email} asks its domain instead")
    servers = tuple(dict.fromkeys(server for account in accounts for server in _servers(account)))
    without = [account for account in accounts if not account.incoming]
    notes = [f"{_name(account)} fetches no mail by POP3, which is what mailproxy records" for account in without]
    if not servers:
        notes.append(f"{profile} has no account with POP3 or SMTP")
    return Found(servers, (), tuple(notes), profile)


def _servers(account: Account) -> Iterator[Server]:
    """The servers of an account, those to send through first."""
    for said in (*account.outgoing, account.incoming):
        if said and is_host(said.host):
            source = f"Thunderbird, account {_name(account)}"
            user = said.user if is_user(said.user) else ""
            note = _OAUTH if said.auth == "oauth2" else ""
            yield Server(said.protocol, said.host, said.port, Security(said.security), source, user, note)


def _name(account: Account) -> str:
    return account.email or account.name or "without a name"
