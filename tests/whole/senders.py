"""Mail programs that send: each hands one message to the server at an address, in its own way."""

import smtplib
import ssl
from pathlib import Path
from typing import Final, Protocol

from .client import Login, Ran, private, run
from .loopback import Address
from .messages import wire_lines
from .way import PLAIN, Layer, Way

BOB: Final = "bob@example.org"


class Sender(Protocol):
    """Hands `message` for `recipient` to `server`, from the folder `home`."""

    def __call__(
        self,
        server: Address,
        recipient: str,
        message: bytes,
        home: Path,
        login: Login | None = None,
        way: Way = PLAIN,
        /,
    ) -> Ran: ...


def swaks(
    server: Address, recipient: str, message: bytes, home: Path, login: Login | None = None, way: Way = PLAIN
) -> Ran:
    """The Swiss Army Knife for SMTP, which checks a certificate's chain, and not its names."""
    begin = {Layer.CLEAR: [], Layer.STARTTLS: ["--tls"], Layer.IMPLICIT: ["--tls-on-connect"]}[way.layer]
    trust = ["--tls-verify", "--tls-ca-path", str(way.root)] if way.root else []
    assert not way.socks, "swaks knows no SOCKS"
    return swaks_with([*begin, *trust], server, recipient, message, home, login)


def swaks_with(
    options: list[str], server: Address, recipient: str, message: bytes, home: Path, login: Login | None = None
) -> Ran:
    """swaks, with more options. It is handed the wire form: left alone, it adds empty lines."""
    mail = home / "message"
    mail.write_bytes(b"".join(wire_lines(message)) + b".")
    if login:
        options = [*options, "--auth", login.mechanism, "--auth-user", login.user, "--auth-password", login.password]
    return run(
        *("swaks", "--server", server.host, "--port", str(server.port), "--helo", "client.example"),
        *("--from", BOB, "--to", recipient, "--no-data-fixup", "--data", f"@{mail}", *options),
        home=home,
    )


def msmtp(
    server: Address, recipient: str, message: bytes, home: Path, login: Login | None = None, way: Way = PLAIN
) -> Ran:
    """msmtp, which wants the local line end."""
    auth = f"auth {login.mechanism.lower()}\nuser {login.user}\npassword {login.password}\n" if login else ""
    settings = private(
        home / "msmtprc", f"account default\nhost {server.host}\nport {server.port}\n{way.settings}{auth}"
    )
    return run(
        *("msmtp", "-C", str(settings), "-f", BOB, "--", recipient), given=message.replace(b"\r\n", b"\n"), home=home
    )


def curl(
    server: Address, recipient: str, message: bytes, home: Path, login: Login | None = None, way: Way = PLAIN
) -> Ran:
    """curl, to which a message is a file to upload."""
    scheme = "smtps" if way.layer is Layer.IMPLICIT else "smtp"
    options = ["--user", f"{login.user}:{login.password}"] if login else []
    if login:
        options += ["--login-options", f"AUTH={login.mechanism}"]
    return run(
        *("curl", "--silent", "--show-error", *way.curl, *options, f"{scheme}://{server}/client.example"),
        *("--mail-from", BOB, "--mail-rcpt", recipient, "--upload-file", "-"),
        given=message,
        home=home,
    )


def python(
    server: Address, recipient: str, message: bytes, home: Path, login: Login | None = None, way: Way = PLAIN
) -> Ran:
    """Python's smtplib, which logs in by CRAM-MD5 where that is offered."""
    try:
        with _connected(server, way) as connection:
            if login:
                connection.login(login.user, login.password)
            connection.sendmail(BOB, [recipient], message)
    except (smtplib.SMTPException, ssl.SSLError) as refusal:
        return Ran(1, b"", str(refusal))
    return Ran(0, b"", "")


def at_once(
    server: Address, recipient: str, message: bytes, home: Path, login: Login | None = None, way: Way = PLAIN
) -> Ran:
    """What exim does: MAIL, RCPT, `BDAT n LAST`, the message and QUIT in one write (RFC 2920, RFC 3030)."""
    envelope = f"MAIL FROM:<{BOB}>\r\nRCPT TO:<{recipient}>\r\nBDAT {len(message)} LAST\r\n"
    connection = _connected(server, way)
    try:
        connection.ehlo()
        connection.send(envelope.encode() + message + b"QUIT\r\n")
        replies = [connection.getreply() for _ in range(4)]
    finally:
        connection.close()
    return Ran(int([code for code, _ in replies] != [250, 250, 250, 221]), b"", str(replies))


SENDERS: Final[dict[str, Sender]] = {
    "swaks": swaks,
    "msmtp": msmtp,
    "curl": curl,
    "smtplib": python,
    "at-once": at_once,
}


def _connected(server: Address, way: Way) -> smtplib.SMTP:
    assert not way.socks, "smtplib knows no SOCKS"
    match way.layer:
        case Layer.IMPLICIT:
            return smtplib.SMTP_SSL(*server, local_hostname="client.example", timeout=30, context=way.context)
        case Layer.STARTTLS:
            return _upgraded(smtplib.SMTP(*server, local_hostname="client.example", timeout=30), way)
        case Layer.CLEAR:
            return smtplib.SMTP(*server, local_hostname="client.example", timeout=30)


def _upgraded(connection: smtplib.SMTP, way: Way) -> smtplib.SMTP:
    try:
        connection.starttls(context=way.context)
    except (smtplib.SMTPException, ssl.SSLError):
        connection.close()
        raise
    return connection
