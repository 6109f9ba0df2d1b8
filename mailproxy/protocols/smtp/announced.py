"""What an SMTP server has announced (RFC 5321 section 4.1.1.1)."""

from collections.abc import Iterable

from mailproxy.model.exchange import Exchange


def announced(exchanges: Iterable[Exchange]) -> dict[str, str]:
    """The keywords of all answers to EHLO and LHLO, in capitals, with their parameters. `AUTH=` is AUTH too."""
    lines = (
        line.replace("=", " ", 1) if line.upper().startswith("AUTH=") else line
        for exchange in exchanges
        if exchange.verb in {"EHLO", "LHLO"}
        for reply in exchange.replies[:1]
        if reply.positive
        for line in reply.text.split("\n")[1:]
    )
    return {keyword.upper(): parameters.strip() for keyword, _, parameters in (line.partition(" ") for line in lines)}
