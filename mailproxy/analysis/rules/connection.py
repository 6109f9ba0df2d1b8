"""No connection came about."""

import re
from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.cause import Cause, Rule
from mailproxy.analysis.others import CONFIG, FAULT, NETWORK, others
from mailproxy.analysis.view import View
from mailproxy.model.finding import Blame, Evidence, Outcome, Stage

WAYS: Final = (
    ("no such host", CONFIG, (NETWORK,), "The server's name has no address.",
     "Check the server's name in the mail program for a slip of the finger, and that the machine is online."),
    ("connection refused", CONFIG, (FAULT, NETWORK), "Nobody listens at that address and port.",
     "Check port and server name; if they are right, the server is not running."),
    ("connection timed out", NETWORK, (CONFIG, FAULT), "Nothing at that address answers.",
     "Check port and server name; a firewall or the provider of the line may block the port (25 often is): "
     "try 587 or 465."),
    ("no route to host", NETWORK, (CONFIG,), "There is no way to that address.", "Check the network, IPv6 and VPN."),
    ("connection failed", NETWORK, (CONFIG,), "The connection did not come about.",
     "Check the network, and the server's name and port."),
    ("turned away", CONFIG, (), "The program did not speak SOCKS as it must.",
     "Enter mailproxy in the program as SOCKS v5 proxy."),
)  # fmt: skip


ENDINGS: Final = ("closed", "reset", "timed out waiting", "TLS failed")
UNSAID: Final = (
    (re.compile(r"getaddrinfo|name or service not known|nodename nor servname|enotfound|unknown host", re.I), 0),
    (re.compile(r"refused|econnrefused", re.I), 1),
    (re.compile(r"etimedout|timed out \(110\)|operation timed out|did not properly respond", re.I), 2),
    (re.compile(r"unreachable|ehostunreach|enetunreach", re.I), 3),
    (re.compile(r"(?:fail\w*|could not|cannot|can't|unable) to connect|could not connect|connect\(\) failed", re.I), 4),
)
"""How the libraries of others put the first five, where nothing was said at all."""


def look(view: View) -> Iterator[Cause]:
    """Say why."""
    for at, text in view.troubles:
        way = _way(text, bool(view.steps))
        for begins, blame, also, summary, remedy in WAYS:
            if begins == way:
                yield Cause(
                    0, 90, Stage.CONNECT, Blame(blame), summary, remedy, (Evidence(note=at),), others(also),
                    outcome=Outcome.FAILED,
                )  # fmt: skip
                return


def _way(text: str, heard: bool) -> str:
    told = next((way[0] for way in WAYS if text.startswith(way[0])), "")
    if told or heard or text.startswith(ENDINGS):
        return told
    return next((WAYS[index][0] for pattern, index in UNSAID if pattern.search(text)), "")


RULES: Final = (Rule("no-connection", "no connection to the server came about", look),)
