"""Lines to paste into the settings of mail programs that are set up in files."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from mailproxy.app.routes import place
from mailproxy.app.setup.table import Entry
from mailproxy.model.tls import Security


def authority() -> Path:
    """The file that the lines expect the certificate of mailproxy's authority in."""
    return Path.home() / "mailproxy-ca.pem"


def mutt(entries: Sequence[Entry]) -> list[str]:
    """A muttrc. Its TLS settings hold for all servers."""
    lines: list[str] = []
    for entry in entries:
        name, kind = ("smtp_url", "smtp") if entry.sends else ("pop_host", "pop")
        secured = "s" if entry.security is Security.TLS else ""
        user = quote(entry.user, safe="")
        lines.append(f'set {name} = "{kind}{secured}://{user}@{place(entry.host, entry.port)}"')
    clear = all(entry.security is Security.NONE for entry in entries)
    lines += [f"set ssl_starttls = {'no' if clear else 'yes'}", f"set ssl_force_tls = {'no' if clear else 'yes'}"]
    return lines if clear else [*lines, f'set certificate_file = "{authority()}"']


def msmtp(entries: Sequence[Entry]) -> list[str]:
    """A msmtprc."""
    lines: list[str] = []
    for number, entry in enumerate((each for each in entries if each.sends), 1):
        sender = [f"from {entry.user}"] if "@" in entry.user else []
        lines += [
            *_account(number, entry),
            *sender,
            "auth plain",
            f"user {entry.user}",
            *_tls(entry),
            "# password or passwordeval: as in your account now",
        ]
    return lines


def mpop(entries: Sequence[Entry]) -> list[str]:
    """A mpoprc."""
    lines: list[str] = []
    for number, entry in enumerate((each for each in entries if not each.sends), 1):
        lines += [
            *_account(number, entry),
            "auth user",
            f"user {entry.user}",
            *_tls(entry),
            "# password or passwordeval, keep, delivery: as in your account now",
        ]
    return lines


def fetchmail(entries: Sequence[Entry]) -> list[str]:
    """A fetchmailrc. fetchmail looks for no addresses in certificates, only for names."""
    lines: list[str] = []
    for entry in entries:
        if entry.sends:
            continue
        secured = entry.security is not Security.NONE
        host = "localhost" if secured else entry.host
        lines += [f"poll {host} protocol pop3 service {entry.port}", f'  user "{entry.user}"']
        match entry.security:
            case Security.NONE:
                lines.append('  sslproto ""')
            case Security.STARTTLS:
                lines.append(f'  sslproto "TLS1.2+" sslcertck sslcertfile "{authority()}"')
            case Security.TLS:
                lines.append(f'  ssl sslcertck sslcertfile "{authority()}"')
        lines.append("  # password and all else: as in your entry now")
    return lines


def getmail(entries: Sequence[Entry]) -> list[str]:
    """The retriever of a getmailrc; getmail has no STARTTLS."""
    lines: list[str] = []
    for entry in entries:
        if entry.sends:
            continue
        if entry.security is Security.STARTTLS:
            lines.append("# getmail has no STARTTLS: take the lines without security")
            continue
        secured = entry.security is Security.TLS
        lines += [
            "[retriever]",
            f"type = SimplePOP3{'SSL' if secured else ''}Retriever",
            f"server = {entry.host}",
            f"port = {entry.port}",
            f"username = {entry.user}",
            *([f"ca_certs = {authority()}"] if secured else []),
            "# password and all else: as in your file now",
        ]
    return lines


def _account(number: int, entry: Entry) -> Iterator[str]:
    yield f"account mailproxy{number if number > 1 else ''}"
    yield f"host {entry.host}"
    yield f"port {entry.port}"


def _tls(entry: Entry) -> Iterator[str]:
    """What msmtp and mpop want to know of TLS."""
    if entry.security is Security.NONE:
        yield "tls off"
        return
    yield "tls on"
    yield f"tls_starttls {'on' if entry.security is Security.STARTTLS else 'off'}"
    yield f'tls_trust_file "{authority()}"'
