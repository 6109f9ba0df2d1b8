"""Find the servers of an account: its domain's SRV records, its autoconfig file, and at last its ports."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mailproxy.app.setup import ask_ports, autoconfig, srv
from mailproxy.app.setup.address import Address
from mailproxy.app.setup.ask_ports import Door, Tell
from mailproxy.app.setup.server import IMAP, POP3, SMTP, Server
from mailproxy.net import dns_srv, fetch
from mailproxy.net.ask import Context
from mailproxy.net.dns_srv import Resolver

_WANTED = (SMTP, POP3)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for an account.

    `chosen` is one server of a protocol, or several where a profile has several; `others` were found besides.
    `profile` is the Thunderbird profile that it was found in.
    """

    chosen: tuple[Server, ...] = ()
    others: tuple[Server, ...] = ()
    notes: tuple[str, ...] = ()
    profile: Path | None = None


@dataclass(frozen=True, slots=True)
class World:
    """Whom to ask."""

    resolver: Callable[[], Resolver | None] = dns_srv.resolver
    urls: tuple[str, ...] = autoconfig.URLS
    doors: Callable[[str, Sequence[str]], Sequence[Door]] = lambda domain, wanted: [*ask_ports.doors(domain, wanted)]
    context: Context | None = None
    seconds: float = ask_ports.TIMEOUT


REAL = World()


async def lookup(address: Address, tell: Tell, world: World | None = None) -> Found:
    """Ask in order, and stop once there is a server to send through and one to fetch from."""
    world = world or REAL
    servers: list[Server] = []
    tell(f"asking DNS for the SRV records of {address.domain}")
    told = await _srv(address, world)
    servers += told.servers
    notes = [f"DNS could not be asked: {told.trouble}"] if told.trouble else []
    notes += [f"{address.domain} says that it offers no {each.upper()}" for each in sorted(told.not_offered - {IMAP})]
    if _missing(servers, told):
        servers += await _autoconfig(address, world, tell, notes)
    if missing := _missing(servers, told):
        if _only_imap(servers):
            missing = [each for each in missing if each != POP3]
        servers += await _ports(address, world, tell, missing)
    return choose(servers, notes, told.not_offered, address)


async def _srv(address: Address, world: World) -> srv.Told:
    resolver = world.resolver()
    if resolver is None:
        return srv.Told(trouble="this computer names no DNS server")
    return await srv.ask(address.domain, resolver)


async def _autoconfig(address: Address, world: World, tell: Tell, notes: list[str]) -> tuple[Server, ...]:
    """What the first autoconfig file that can be read names."""
    for url in autoconfig.urls(address, world.urls):
        bare = url.partition("?")[0]
        tell(f"asking {bare}")
        try:
            octets = await fetch.fetch(url, autoconfig.LIMIT, world.context, world.seconds)
            return autoconfig.read(octets, address, bare)
        except (fetch.FetchError, autoconfig.AutoconfigError) as error:
            if str(error):
                notes.append(f"{bare}: {error}")
    return ()


async def _ports(address: Address, world: World, tell: Tell, missing: Sequence[str]) -> tuple[Server, ...]:
    doors = world.doors(address.domain, missing)
    if not doors:
        return ()
    hosts = ", ".join(dict.fromkeys(door.host for door in doors))
    ports = ", ".join(str(port) for port in dict.fromkeys(door.port for door in doors))
    tell(f"asking {hosts} on the ports {ports}, for {world.seconds:g} seconds at most")
    return await ask_ports.ask(doors, tell, world.context, world.seconds)


def _missing(servers: Sequence[Server], told: srv.Told) -> list[str]:
    have = {server.protocol for server in servers} | told.not_offered
    return [each for each in _WANTED if each not in have]


def _only_imap(servers: Sequence[Server]) -> bool:
    have = {server.protocol for server in servers}
    return IMAP in have and POP3 not in have


def choose(servers: Sequence[Server], notes: Sequence[str], not_offered: frozenset[str], address: Address) -> Found:
    """The first server of each protocol, and what is to be said."""
    servers = [server if server.user else replace(server, user=str(address)) for server in servers]
    first = {server.protocol: server for server in reversed(servers)}
    chosen = tuple(first[each] for each in _WANTED if each in first)
    others = tuple(dict.fromkeys(server for server in servers if server not in chosen))
    notes = [*notes]
    if _only_imap(servers):
        notes.append(f"mail to {address} is fetched by IMAP only: mailproxy records POP3")
    elif POP3 not in {*first, *not_offered}:
        notes.append(f"no server was found to fetch mail to {address} from")
    if SMTP not in {*first, *not_offered}:
        notes.append(f"no server was found to send mail of {address} through")
    return Found(chosen, others, tuple(notes))
