"""Mail programs that fetch: each brings one message from the POP3 server at an address, in its own way."""

import poplib
import ssl
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from .client import Login, Ran, private, run
from .loopback import Address
from .need import program
from .way import PLAIN, Layer, Way


class Fetched(NamedTuple):
    """What a client brought, with CRLF, and how it ended. `mail` is empty where nothing came."""

    mail: bytes
    ran: Ran


class Fetcher(Protocol):
    """Brings the first message of a mailbox at `server`, into the folder `home`."""

    def __call__(self, server: Address, login: Login, home: Path, way: Way = PLAIN, /) -> Fetched: ...


def mpop(server: Address, login: Login, home: Path, way: Way = PLAIN) -> Fetched:
    """mpop, which pipelines."""
    for folder in ("cur", "new", "tmp"):
        (home / "mail" / folder).mkdir(parents=True)
    settings = private(
        home / "mpoprc",
        f"account default\nhost {server.host}\nport {server.port}\n{way.settings}auth {login.mechanism.lower()}\n"
        f"user {login.user}\npassword {login.password}\ndelivery maildir {home}/mail\nkeep off\n"
        f"uidls_file {home}/uidls\n",
    )
    ran = run("mpop", "-C", str(settings), home=home)
    return Fetched(b"".join(_wire(path.read_bytes()) for path in sorted((home / "mail/new").iterdir())), ran)


def fetchmail(server: Address, login: Login, home: Path, way: Way = PLAIN) -> Fetched:
    """fetchmail, which hands over to a program that delivers."""
    secure = {Layer.CLEAR: 'sslproto ""', Layer.STARTTLS: "sslproto TLS1.2+", Layer.IMPLICIT: "ssl"}[way.layer]
    # It knows no addresses in certificates.
    trust = f"sslcertck sslcertfile {way.root} sslcommonname localhost" if way.root else "no sslcertck"
    assert not way.socks, "fetchmail knows no SOCKS"
    settings = private(
        home / "fetchmailrc",
        f"poll {server.host} protocol pop3 service {server.port} auth password no envelope\n"
        f'user "{login.user}" password "{login.password}" is nobody here {secure} {trust} fetchall no rewrite\n'
        f'mda "cat >> {home}/mail"\n',
    )
    ran = run(
        *("fetchmail", "--nodetach", "--invisible", "-f", str(settings)),
        *("--pidfile", str(home / "fetchmail.pid")),  # root's is one for all otherwise
        home=home,
        environment={"FETCHMAILHOME": str(home)},
    )
    return Fetched(_wire((home / "mail").read_bytes()) if (home / "mail").exists() else b"", ran)


def curl(server: Address, login: Login, home: Path, way: Way = PLAIN) -> Fetched:
    """curl, to which a message is a file to download. It deletes nothing."""
    scheme = "pop3s" if way.layer is Layer.IMPLICIT else "pop3"
    ran = run(
        *("curl", "--silent", "--show-error", *way.curl, f"{scheme}://{server}/1"),
        *("--user", f"{login.user}:{login.password}", "--login-options", f"AUTH={login.mechanism}"),
        home=home,
    )
    return Fetched(ran.output, ran)


def getmail(server: Address, login: Login, home: Path, way: Way = PLAIN) -> Fetched:
    """getmail, which knows no STLS, and hands over to a program that delivers, as it would not do itself for root."""
    retriever = {Layer.CLEAR: "SimplePOP3Retriever", Layer.IMPLICIT: "SimplePOP3SSLRetriever"}[way.layer]
    trust = f"ca_certs = {way.root}\n" if way.root else ""
    assert not way.socks, "getmail knows no SOCKS"
    settings = private(
        home / "getmailrc",
        f"[retriever]\ntype = {retriever}\nserver = {server.host}\nport = {server.port}\ntimeout = 30\n"
        f"username = {login.user}\npassword = {login.password}\n{trust}"
        f'[destination]\ntype = MDA_external\npath = {program("sh")}\narguments = ("-c", "cat >> {home}/mail")\n'
        "allow_root_commands = true\n"
        "[options]\nread_all = true\ndelete = true\ndelivered_to = false\nreceived = false\n",
    )
    ran = run("getmail", "--getmaildir", str(home), "--rcfile", str(settings), home=home)
    return Fetched(_wire((home / "mail").read_bytes()) if (home / "mail").exists() else b"", ran)


def python(server: Address, login: Login, home: Path, way: Way = PLAIN) -> Fetched:
    """Python's poplib."""
    try:
        connection = _connected(server, way)
    except (poplib.error_proto, ssl.SSLError) as refusal:
        return Fetched(b"", Ran(1, b"", str(refusal)))
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


def _connected(server: Address, way: Way) -> poplib.POP3:
    assert not way.socks, "poplib knows no SOCKS"
    match way.layer:
        case Layer.IMPLICIT:
            return poplib.POP3_SSL(*server, timeout=30, context=way.context)
        case Layer.STARTTLS:
            return _upgraded(poplib.POP3(*server, timeout=30), way)
        case Layer.CLEAR:
            return poplib.POP3(*server, timeout=30)


def _upgraded(connection: poplib.POP3, way: Way) -> poplib.POP3:
    try:
        connection.stls(way.context)
    except (poplib.error_proto, ssl.SSLError):
        connection.file.close()
        connection.sock.close()
        raise
    return connection
