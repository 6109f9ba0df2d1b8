"""Floor 2: what peers say. `PROTOCOLS` is the one line to add a protocol to."""

from mailproxy.protocols.blind import BlindDialogue
from mailproxy.protocols.descriptor import Ports, Protocol
from mailproxy.protocols.pop2 import answering as pop2_answering
from mailproxy.protocols.pop2 import asking as pop2_asking
from mailproxy.protocols.pop2 import course as pop2_course
from mailproxy.protocols.pop2.reader import Pop2Dialogue
from mailproxy.protocols.pop3 import answering as pop3_answering
from mailproxy.protocols.pop3 import asking as pop3_asking
from mailproxy.protocols.pop3 import course as pop3_course
from mailproxy.protocols.pop3 import stls
from mailproxy.protocols.pop3.reader import Pop3Dialogue
from mailproxy.protocols.smtp import answering as smtp_answering
from mailproxy.protocols.smtp import asking as smtp_asking
from mailproxy.protocols.smtp import course as smtp_course
from mailproxy.protocols.smtp import starttls
from mailproxy.protocols.smtp.reader import LmtpDialogue, SmtpDialogue

SMTP = Protocol(
    "smtp", 25, 2525, SmtpDialogue, "SMTP, outgoing mail", refusal="452 4.5.3 Too many recipients",
    upgrading=starttls.upgrading("EHLO"), starttls=Ports(587, 2587), tls=Ports(465, 2465),
    course=smtp_course.COURSE, asking=smtp_asking.ASKING, answering=smtp_answering.ANSWERING,
)  # fmt: skip
LMTP = Protocol(
    "lmtp", 24, 2524, LmtpDialogue, "LMTP, local delivery", upgrading=starttls.upgrading("LHLO"),
    refusal="452 4.2.2 Mailbox full",
    course=smtp_course.COURSE, asking=smtp_asking.ASKING._replace(service="lmtp"), answering=smtp_answering.ANSWERING,
)  # fmt: skip
POP3 = Protocol(
    "pop3", 110, 2110, Pop3Dialogue, "POP3, incoming mail",
    fetches=True, refusal="-ERR [IN-USE] Mailbox locked",
    upgrading=stls.UPGRADING, starttls=Ports(110, 2110), tls=Ports(995, 2995),
    course=pop3_course.COURSE, asking=pop3_asking.ASKING, answering=pop3_answering.ANSWERING,
)  # fmt: skip
POP2 = Protocol(
    "pop2", 109, 2109, Pop2Dialogue, "POP2, incoming mail", fetches=True, counted=True, refusal="- Not now",
    course=pop2_course.COURSE, asking=pop2_asking.ASKING, answering=pop2_answering.ANSWERING,
)  # fmt: skip

BLIND = Protocol("blind", 443, 0, BlindDialogue, "no mail, passed on unread")
"""What stands in a record where there is no mail; there are no routes of it."""

PROTOCOLS: tuple[Protocol, ...] = (SMTP, LMTP, POP3, POP2)


def names() -> tuple[str, ...]:
    """The names of all protocols."""
    return tuple(protocol.name for protocol in PROTOCOLS)


def named(name: str) -> Protocol:
    """The protocol of this name, `blind` among them; raises KeyError where there is none."""
    for protocol in (*PROTOCOLS, BLIND):
        if protocol.name == name:
            return protocol
    raise KeyError(name)
