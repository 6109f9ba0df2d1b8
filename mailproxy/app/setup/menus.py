"""What to enter in mail programs that are set up in windows: where their settings are, and what they call them."""

from collections.abc import Sequence

from mailproxy.app.setup.table import WORDS, Entry
from mailproxy.model.tls import Security

_OFF_OR_ON = {Security.NONE: "off", Security.STARTTLS: "on", Security.TLS: "on"}


def thunderbird(entries: Sequence[Entry]) -> list[str]:
    """Thunderbird on a computer."""
    lines: list[str] = []
    for entry in entries:
        where = (
            f"Outgoing Server (SMTP) > {entry.server.host} > Edit" if entry.sends else "the account > Server Settings"
        )
        clear = entry.security is Security.NONE
        lines += [
            f"Account Settings > {where}",
            f"  Server Name: {entry.host}   Port: {entry.port}",
            f"  Connection security: {'None' if clear else WORDS[entry.security]}",
            f"  Authentication method: {'Password, transmitted insecurely' if clear else 'as it is'}",
        ]
    return [*lines, "Thunderbird keeps passwords by server, so it asks for yours once more."]


def outlook(entries: Sequence[Entry]) -> list[str]:
    """Outlook (classic) on Windows."""
    lines = ["File > Account Settings > Server Settings"]
    for entry in entries:
        lines.append(f"  {'Outgoing' if entry.sends else 'Incoming'} mail")
        if not entry.sends and entry.security is Security.STARTTLS:
            lines.append("    Outlook has no STARTTLS for POP3: enter the port without security here")
            continue
        lines.append(f"    Server: {entry.host}   Port: {entry.port}")
        if entry.sends:
            clear = entry.security is Security.NONE
            lines.append(f"    Encryption method: {'None' if clear else WORDS[entry.security]}")
        else:
            box = _OFF_OR_ON[entry.security]
            lines.append(f"    This server requires an encrypted connection (SSL/TLS): {box}")
    return [*lines, "The new Outlook lets a server of its maker fetch your mail, which cannot reach 127.0.0.1."]


def apple_mail(entries: Sequence[Entry]) -> list[str]:
    """Mail on macOS."""
    lines: list[str] = []
    for entry in entries:
        where = "Outgoing Mail Account > Edit SMTP Server List" if entry.sends else "Incoming Mail Server"
        box = _OFF_OR_ON[entry.security]
        lines += [
            f"Mail > Settings > Accounts > Server Settings > {where}",
            "  Automatically manage connection settings: off",
            f"  Host Name: {entry.host}   Port: {entry.port}   Use TLS/SSL: {box}",
            "  Authentication: Password" + ("   Allow insecure authentication: on" if box == "off" else ""),
        ]
    return lines


def android(entries: Sequence[Entry]) -> list[str]:
    """K-9 Mail and Thunderbird for Android, which are on another machine than mailproxy."""
    lines = [
        "A phone does not reach 127.0.0.1 of this computer. In mailproxy.toml have mailproxy listen on 0.0.0.0,",
        'as in listen = "0.0.0.0:2525", and start it with `mailproxy record --public`.',
    ]
    for entry in entries:
        kind = entry.server.protocol.upper()
        where = "Sending mail > Outgoing server" if entry.sends else "Fetching mail > Incoming server"
        clear = entry.security is Security.NONE
        lines += [
            f"Settings > the account > {where}",
            f"  {kind} server: this computer's address in your network   Port: {entry.port}",
            f"  Security: {'None' if clear else WORDS[entry.security]}",
            f"  Authentication: {'Password, transmitted insecurely' if clear else 'Normal password'}",
        ]
    return lines
