"""Mail servers to practise on: well-made, with accounts that behave badly on purpose.

Each is a `Party`: it is fed octets and says what to do, and knows neither sockets nor clocks.
"""

from mailproxy.talk.practice.conversation import Party
from mailproxy.talk.practice.office import PostOffice
from mailproxy.talk.practice.pop2 import Pop2Server
from mailproxy.talk.practice.pop3 import Pop3Server
from mailproxy.talk.practice.smtp import SmtpServer

__all__ = ["PostOffice", "lmtp", "pop2", "pop3", "smtp"]


def smtp(office: PostOffice) -> Party:
    """One SMTP connection (RFC 5321)."""
    return Party(lambda unread: SmtpServer(unread, office).run())


def lmtp(office: PostOffice) -> Party:
    """One LMTP connection (RFC 2033): LHLO, and a reply for each recipient."""
    return Party(lambda unread: SmtpServer(unread, office, lmtp=True).run())


def pop3(office: PostOffice) -> Party:
    """One POP3 connection (RFC 1939)."""
    return Party(lambda unread: Pop3Server(unread, office).run())


def pop2(office: PostOffice) -> Party:
    """One POP2 connection (RFC 937)."""
    return Party(lambda unread: Pop2Server(unread, office).run())
