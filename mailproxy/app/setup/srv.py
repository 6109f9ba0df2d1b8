"""Servers as a domain's SRV records name them (RFC 6186, RFC 8314 section 5.1)."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import trio

from mailproxy.app.setup.server import IMAP, POP3, SMTP, Server, is_host
from mailproxy.model.tls import Security
from mailproxy.net.dns_srv import SRV, Resolver, records

SERVICES: Final = {
    "_submissions": (SMTP, Security.TLS),
    "_submission": (SMTP, Security.STARTTLS),
    "_pop3s": (POP3, Security.TLS),
    "_pop3": (POP3, Security.STARTTLS),
    "_imaps": (IMAP, Security.TLS),
    "_imap": (IMAP, Security.STARTTLS),
}
Chance = Callable[[int], int]
"""A number from 0 to the one given, both included."""


@dataclass(frozen=True, slots=True)
class Told:
    """What DNS tells of a domain, the best server of each protocol first.

    `not_offered` are the protocols that the domain says it has not (a target of "."); `trouble` is what kept DNS from
    answering, empty where it answered.
    """

    servers: tuple[Server, ...] = ()
    not_offered: frozenset[str] = frozenset()
    trouble: str = ""


def _chance(most: int) -> int:
    return random.randint(0, most)


async def ask(domain: str, resolver: Resolver, chance: Chance = _chance) -> Told:
    """Ask for all services at once. Raises nothing that DNS can bring about."""
    answers: dict[str, Sequence[SRV] | str] = {}

    async def one(service: str) -> None:
        answers[service] = await records(f"{service}._tcp.{domain}.", resolver)

    async with trio.open_nursery() as nursery:
        for service in SERVICES:
            nursery.start_soon(one, service)
    return _told(domain, answers, chance)


def _told(domain: str, answers: dict[str, Sequence[SRV] | str], chance: Chance) -> Told:
    ranked: list[tuple[int, int, Server]] = []
    refused: set[str] = set()
    trouble = ""
    for place, (service, (protocol, security)) in enumerate(SERVICES.items()):
        match answers[service]:
            case str(reason):
                trouble = reason
            case records:
                for record in by_weight(records, chance):
                    host = record.target.to_text(omit_final_dot=True).lower()
                    if not host or record.target.to_text() == ".":
                        refused.add(protocol)
                    elif is_host(host) and record.port:
                        source = f"SRV record {service}._tcp.{domain}"
                        server = Server(protocol, host, record.port, security, source, note=_note(domain, host))
                        ranked.append((record.priority, place, server))
    servers = tuple(server for _, _, server in sorted(ranked, key=lambda each: each[:2]))
    return Told(servers, frozenset(refused - {server.protocol for server in servers}), trouble)


def _note(domain: str, host: str) -> str:
    """Records are seldom signed, so that a server elsewhere is to be confirmed (RFC 6186 section 6)."""
    return "" if host == domain or host.endswith(f".{domain}") else f"is not in {domain}: make sure that it is right"


def by_weight(records: Sequence[SRV], chance: Chance) -> list[SRV]:
    """The records by priority, and by a draw among those of the same one (RFC 2782, "Weight")."""
    drawn: list[SRV] = []
    for priority in sorted({record.priority for record in records}):
        left = sorted((record for record in records if record.priority == priority), key=lambda record: record.weight)
        while left:
            lot = chance(sum(record.weight for record in left))
            for record in left:
                lot -= record.weight
                if lot <= 0:
                    break
            left.remove(record)
            drawn.append(record)
    return drawn
