"""The two servers as one: a message goes to a mailbox by SMTP, or comes from there by POP3, under any TLS."""

from pathlib import Path
from typing import Final, NamedTuple

from .client import Login, Ran
from .dovecot import PASSWORD, Dovecot, Mailbox
from .fetchers import FETCHERS, MECHANISMS
from .loopback import HOST, Address
from .messages import message, untraced
from .postfix import Postfix
from .senders import SENDERS
from .way import Layer, Way

CLIENTS: Final = {"smtp": ("swaks", "msmtp", "curl", "smtplib"), "pop3": ("mpop", "fetchmail", "curl", "poplib")}
NAME: Final = "octet-255"  # of the message that goes
SCHEMES: Final = {Layer.CLEAR: "", Layer.STARTTLS: "+starttls", Layer.IMPLICIT: "s"}


def url(protocol: str, layer: Layer, address: Address) -> str:
    """A listener or a server, as on mailproxy's command line."""
    return f"{protocol}{SCHEMES[layer]}://{address}"


def named(address: Address) -> Address:
    """With the host's name, which all clients find in a certificate."""
    return address._replace(host="localhost") if address.host == HOST else address


class Servers(NamedTuple):
    """Postfix and Dovecot."""

    postfix: Postfix
    dovecot: Dovecot

    def at(self, protocol: str, layer: Layer) -> Address:
        """The port where this layer must be; where none must be there may be STARTTLS."""
        match protocol, layer:
            case "smtp", Layer.CLEAR:
                return named(self.postfix.smtp)
            case "smtp", Layer.STARTTLS:
                return named(self.postfix.smtp_required)
            case "smtp", _:
                return named(self.postfix.smtps)
            case _, Layer.CLEAR:
                return named(self.dovecot.pop3)
            case _, Layer.STARTTLS:
                return self.dovecot.pop3_required
            case _:
                return named(self.dovecot.pop3s)

    def faulty(self, protocol: str, layer: Layer, fault: str) -> Address:
        """The port where STARTTLS may be, or TLS comes first, with a certificate that has this fault."""
        if protocol == "smtp":
            smtp = self.postfix.faulty[fault]
            return named(smtp.smtps if layer is Layer.IMPLICIT else smtp.smtp)
        pop3 = self.dovecot.faulty[fault]
        return pop3.pop3s if layer is Layer.IMPLICIT else pop3.pop3

    def go(self, protocol: str, client: str, at: Address, way: Way, mailbox: Mailbox, home: Path) -> Ran:
        """Send a message to the mailbox, or fetch one from there: how that ended. What was fetched is its output."""
        home.mkdir(parents=True)
        if protocol == "smtp":
            login = Login(mailbox.name, PASSWORD)
            return SENDERS[client](at, mailbox.address, message(NAME), home, login, way)
        mailbox.put(message(NAME))
        mail, ran = FETCHERS[client](at, Login(mailbox.name, PASSWORD, MECHANISMS[client]), home, way)
        return ran._replace(output=mail or ran.output)

    def arrived(self, protocol: str, ran: Ran, mailbox: Mailbox) -> list[bytes]:
        """The mail that arrived so, at the mailbox or from there. Raises AssertionError when the client failed."""
        output = ran.succeeded()
        if protocol == "smtp":
            self.postfix.delivered(mailbox.address)
        return [untraced(mail) for mail in (mailbox.messages if protocol == "smtp" else [output])]
