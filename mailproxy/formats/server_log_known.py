"""What is known of a recorded session that a server's log may tell as well."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

from mailproxy.formats.server_log_facts import Peer, same
from mailproxy.formats.server_log_visits import Visit
from mailproxy.model.exchange import Exchange
from mailproxy.model.octets import Side
from mailproxy.model.session import Recording, Session

_COUNTED: Final = re.compile(r"disconnect from \S+((?: [a-z]+=[0-9]+(?:/[0-9]+)?)*)$", re.MULTILINE)
_COUNT: Final = re.compile(r"([a-z]+)=(?:[0-9]+/)?([0-9]+)")
_NUMBERS: Final = re.compile(r"\bqueued as ([\w-]{6,})|\bid=([\w-]{16,})|\b2\.0\.0 ([0-9A-Za-x]{8}[0-9]{5,7}) ")
_MECHANISM: Final = re.compile(r"\b(?:SASL |sasl_method=)([\w-]+)")
_PATH: Final = re.compile(r"<([^<>\s]+@[^<>\s]+)>")
_OTHER_PROTOCOLS: Final = re.compile(r"^(?:imap|managesieve|lmtp|submission)(?:-login)?[(:]", re.MULTILINE)
_POP: Final = re.compile(r"^pop3(?:-login)?[(:]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Known:
    """A session as its server saw it: between which moments, from which peer, as which user, with which numbers of
    messages, what was asked and refused, and by which mechanisms it logged in. What is not known is empty."""

    start: datetime
    end: datetime
    protocol: str
    peer: Peer
    users: frozenset[str]
    queues: frozenset[str]
    refusals: tuple[str, ...]
    paths: frozenset[str]
    counts: dict[str, int]
    mechanisms: frozenset[str]

    def nearest(self, moment: datetime) -> datetime:
        """The moment of the session that is closest to another one."""
        return min(max(moment, self.start), self.end)

    def certain(self, visit: Visit) -> bool:
        """Whether a port or the number of a message tells that a connection is this one."""
        return bool(self.queues & visit.queues) or self.peer[1] in {port for _, port in visit.peers if port}

    def score(self, visit: Visit) -> int | None:
        """How well a connection fits, its time aside: 2 for the address; None where it is another one."""
        text = visit.text
        address, users = self._address(visit), self._users(visit)
        if address is None or users is None or self._other(visit, text):
            return None
        refusals = sum(refusal in text for refusal in self.refusals)
        paths = min(2, sum(path in text.lower() for path in self.paths))
        fits = 4 * bool(self.queues & visit.queues) + 2 * refusals + paths + self._mechanism(text) + self._counts(text)
        return address + users + fits

    def _other(self, visit: Visit, text: str) -> bool:
        if self.queues and visit.queues and not self.queues & visit.queues:
            return True
        if self.protocol == "pop3":
            return bool(_OTHER_PROTOCOLS.search(text)) or visit.lines[0].program.startswith(("postfix", "sendmail"))
        return bool(_POP.search(text) or _OTHER_PROTOCOLS.search(text))

    def _address(self, visit: Visit) -> int | None:
        address, port = self.peer
        ports = {told for _, told in visit.peers if told}
        if port and ports:
            return 3 if port in ports else None
        addresses = {told for told, _ in visit.peers}
        if address in addresses:
            return 2
        return 0 if not addresses or not address or _translated(address, addresses) else None

    def _users(self, visit: Visit) -> int | None:
        if not self.users or not visit.users:
            return 0
        return 2 if self.users & {_local(user) for user in visit.users} else None

    def _mechanism(self, text: str) -> int:
        told = {mechanism.upper() for mechanism in _MECHANISM.findall(text)}
        if not told or not self.mechanisms:
            return 0
        return 1 if told <= self.mechanisms else -1

    def _counts(self, text: str) -> int:
        """What Postfix counts at the end."""
        found = _COUNTED.search(text)
        if not found or not _COUNT.search(found[1].replace("commands=", "")):
            return 0  # of what it could not read it counts nothing
        told = {verb: int(number) for verb, number in _COUNT.findall(found[1]) if verb in self.counts}
        return 2 if told == {verb: number for verb, number in self.counts.items() if number} else -1


def known(recording: Recording) -> Known:
    """What is known of a session."""
    session = recording.session
    leg = session.server
    begun = timedelta(microseconds=leg.connected or 0)
    peer = (leg.local_address, leg.local_port) if leg.local_port else _client(session)
    last = max((entry.at for entry in recording.entries), default=0)
    length = timedelta(microseconds=session.duration if session.duration is not None else last)
    texts = [reply.text for each in recording.exchanges for reply in each.replies if reply.positive]
    return Known(
        session.started + begun,
        session.started + max(begun, length),
        session.protocol,
        (same(peer[0]), peer[1]),
        frozenset({_local(session.user)} - {""}),
        frozenset(group for text in texts for found in _NUMBERS.finditer(text) for group in found.groups() if group),
        tuple(_refusal(each) for each in recording.exchanges if _refusal(each)),
        frozenset(path.lower() for each in recording.exchanges for path in _PATH.findall(each.argument)),
        _asked(recording),
        frozenset(each.argument.split(" ")[0].upper() for each in recording.exchanges if each.verb == "AUTH"),
    )


def _client(session: Session) -> Peer:
    return session.client.address or session.client.host, session.client.port


def _asked(recording: Recording) -> dict[str, int]:
    """How often a verb was said that Postfix counts."""
    counts = dict.fromkeys(("ehlo", "helo", "auth", "mail", "rcpt", "data", "quit", "starttls"), 0)
    for each in recording.exchanges:
        if each.command and each.command.side is Side.CLIENT and each.verb.lower() in counts:
            counts[each.verb.lower()] += 1
    if recording.session.server.tls and not counts["starttls"]:  # which mailproxy may have said itself
        return {verb: number for verb, number in counts.items() if verb not in {"ehlo", "helo", "starttls"}}
    return counts


def _refusal(each: Exchange) -> str:
    """A refusal as a log repeats it."""
    reply = each.reply
    text = reply.text.split("\n")[0].strip() if reply and not reply.positive else ""
    return text if len(text) > 9 else ""


def _local(user: str) -> str:
    return user.lower().partition("@")[0]


def _translated(address: str, addresses: set[str]) -> bool:
    """Whether a router on the way may have put another address for ours."""
    own = ip_address(address)
    return own.is_private and not own.is_loopback and any(ip_address(other).is_global for other in addresses)
