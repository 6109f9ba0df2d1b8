"""`mailproxy practice`: mail servers to practise on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailproxy.cli.config import FaultConfig
from mailproxy.cli.faults import Fault, here
from mailproxy.cli.render import paint, say

if TYPE_CHECKING:
    from mailproxy.app.practice import Addresses


def practice(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    smtp: Annotated[int, typer.Option(min=0, max=65535, help="Port of SMTP; 0 is any free one.")] = 3525,
    lmtp: Annotated[int, typer.Option(min=0, max=65535, help="Port of LMTP.")] = 3524,
    pop3: Annotated[int, typer.Option(min=0, max=65535, help="Port of POP3.")] = 3110,
    pop2: Annotated[int, typer.Option(min=0, max=65535, help="Port of POP2.")] = 3109,
    fault: Fault = None,
    config: FaultConfig = None,
    public: Annotated[bool, typer.Option("--public", help="Allow addresses that other computers can reach.")] = False,
    ready_file: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Have the real addresses in this file, in JSON, once all listen; removed at the end."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the addresses and the accounts in JSON.")] = False,
) -> None:
    """Run mail servers to practise on.

    They speak SMTP, LMTP, POP3 and POP2 for the domain example.org. What is sent to an account over SMTP or LMTP is
    there over POP3 and POP2; what an account sends elsewhere is kept and goes nowhere. The mail is in memory and gone
    at the end. Every account's password is "practice". Ctrl-C ends it.

    By hand, in another terminal:

    \b
    telnet 127.0.0.1 3110
    USER alice
    PASS practice
    RETR 2

    Through the recorder, to see what a mail program says:

    \b
    mailproxy record 2525=smtp://127.0.0.1:3525 2110=pop3://127.0.0.1:3110

    Then send mail to full@example.org, grey@example.org or drop@example.org, or fetch it as busy or miscount: the
    table that is printed at the start says what each account does.
    """
    import trio

    from mailproxy.app.practice import Ports
    from mailproxy.app.practice import practice as run
    from mailproxy.app.routes import is_private

    if not (public or is_private(host)):
        raise typer.BadParameter(f"others could reach {host}: add --public if they shall", param_hint="--host")
    ports = Ports(smtp, lmtp, pop3, pop2)
    faults = here(fault, config, [(protocol, False) for protocol in ports._fields])
    trio.run(run, host, ports, _show_json if as_json else _show, ready_file, faults)


def _show(addresses: "Addresses") -> None:
    from mailproxy.app.practice import ACCOUNT_TABLE, PASSWORD

    for name, address in addresses._asdict().items():
        say(f"  {name.upper()}  server {paint(address.host, bold=True)}  port {paint(str(address.port), bold=True)}")
    say(f"\nThe accounts, each with the password {PASSWORD}:\n")
    width = max(len(address) for address, _ in ACCOUNT_TABLE)
    for address, does in ACCOUNT_TABLE:
        say(f"  {address:<{width}}  {does}")
    say("\nCtrl-C ends it.")


def _show_json(addresses: "Addresses") -> None:
    import json

    from mailproxy.app.practice import ACCOUNT_TABLE, PASSWORD

    accounts = [{"address": address, "password": PASSWORD, "does": does} for address, does in ACCOUNT_TABLE]
    say(json.dumps({**addresses.listeners(), "accounts": accounts}, indent=2))
