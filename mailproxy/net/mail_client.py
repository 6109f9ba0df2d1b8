"""Two mail programs of Python's own, who send and fetch a mail and say nothing of what came of it."""

import poplib
import smtplib
from contextlib import suppress
from email.message import EmailMessage
from typing import Final, NamedTuple

TIMEOUT: Final = 10.0  # seconds


class Login(NamedTuple):
    """Who logs in."""

    user: str
    password: str


def send_mail(host: str, port: int, login: Login, message: EmailMessage) -> None:
    """Send a mail to those whom it names; the server may refuse."""
    with (
        suppress(OSError),  # as all of smtplib's errors are
        smtplib.SMTP(host, port, local_hostname="client.example.org", timeout=TIMEOUT) as client,
    ):
        client.login(*login)
        client.send_message(message)


def fetch_mail(host: str, port: int, login: Login) -> None:
    """Fetch the newest mail; the server may refuse."""
    with suppress(poplib.error_proto, OSError):
        client = poplib.POP3(host, port, timeout=TIMEOUT)
        try:
            client.user(login.user)
            client.pass_(login.password)
            count, _ = client.stat()
            client.retr(count)
        finally:
            client.quit()
