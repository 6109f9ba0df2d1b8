"""Mail programs that fetch: each brings one message from the POP3 server at an address, in its own way."""

import poplib
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from .client import Login, Ran, private, run
from .loopback import Address


class Fetched(NamedTuple):
    """What a client brought, with CRLF, and how it ended. `mail` is empty where nothing came."""

    mail: bytes
    ran: Ran


Fetcher = Callable[[Address, Login, Path], Fetched]


def mpop(server: Address, login: Login, home: Path) -> Fetched:
    """mpop, which pipelines."""
    for folder in ("cur", "new", "tmp"):
        (home / "mail" / folder).mkdir(parents=True)
    settings = private(
        home / "mpoprc",
        f"account default\nhost {server.host}\nport {server.port}\ntls off\nauth {login.mechanism.lower()}\n"
        f"user {login.user}\npassword {login.password}\ndelivery maildir {home}/mail\nkeep off\n"
        f"uidls_file {home}/uidls\n",
    )
    ran = run("mpop", "-C", str(settings), home=home)
    return Fetched(b"".join(_wire(path.read_bytes()) for path in sorted((home / "mail/new").iterdir())), ran)


def fetchmail(server: Address, login: Login, home: Path) -> Fetched:
    """fetchmail, which hands over to a program that delivers."""
    settings = private(
        home / "fetchmailrc",
        f"poll {server.host} protocol pop3 service {server.port} auth password no envelope\n"
        f'user "{login.user}" password "{login.password}" is nobody here sslproto "" fetchall no rewrite\n'
        f'mda "cat >> {home}/mail"\n',
    )
    ran = run(
        *("fetchmail", "--nodetach", "--invisible", "-f", str(settings)),
        home=home,
        environment={"FETCHMAILHOME": str(home)},
    )
    return Fetched(_wire((home / "mail").read_bytes()) if (home / "mail").exists() else b"", ran)


def curl(server: Address, login: Login, home: Path) -> Fetched:
    """curl, to which a message is a file to download. It deletes nothing."""
    ran = run(
        *("curl", "--silent", "--show-error", f"pop3://{server}/1"),
        *("--user", f"{login.user}:{login.password}", "--login-options", f"AUTH={login.mechanism}"),
        home=home,
    )
    return Fetched(ran.output, ran)


def python(server: Address, login: Login, home: Path) -> Fetched:
    """Python's poplib."""
    connection = poplib.POP3(*server, timeout=30)
    try:
        connection.user(login.user)
        connection.pass_(login.password)
        _, lines, _ = connection.retr(1)
        connection.dele(1)
    except poplib.error_proto as refusal:
        return Fetched(b"", Ran(1, b"", str(refusal)))
    finally:
        connection.quit()
    return Fetched(b"".join(line + b"\r\n" for line in lines), Ran(0, b"", ""))


FETCHERS: Final[dict[str, Fetcher]] = {"mpop": mpop, "fetchmail": fetchmail, "curl": curl, "poplib": python}
# How each logs in here: fetchmail is told to, poplib knows no other way.
MECHANISMS: Final = {"mpop": "USER", "fetchmail": "USER", "curl": "PLAIN", "poplib": "USER"}


def _wire(local: bytes) -> bytes:
    return local.replace(b"\n", b"\r\n")
