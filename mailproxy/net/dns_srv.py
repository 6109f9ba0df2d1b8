"""SRV records, asked of the system's DNS servers."""

from collections.abc import Sequence
from typing import Final

import dns.asyncresolver
import dns.exception
import dns.resolver
from dns.rdtypes.IN.SRV import SRV

__all__ = ["SRV", "Resolver", "records", "resolver"]

Resolver = dns.asyncresolver.Resolver
LIFETIME: Final = 5.0
"""Seconds that one question may take."""


def resolver() -> Resolver | None:
    """The system's; None where it has none."""
    try:
        return Resolver()
    except (dns.resolver.NoResolverConfiguration, OSError):
        return None


async def records(name: str, resolver: Resolver) -> Sequence[SRV] | str:
    """The records of a name, or why there is no answer. Raises nothing that DNS can bring about."""
    try:
        answer = await resolver.resolve(name, "SRV", lifetime=LIFETIME, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return ()
    except dns.exception.Timeout:
        return "no answer in time"
    except (dns.exception.DNSException, OSError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    return [record for record in answer if isinstance(record, SRV)]
