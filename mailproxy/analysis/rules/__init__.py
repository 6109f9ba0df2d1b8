"""The rules, one idea a file. `RULES` decide, `LINTS` only point something out."""

from mailproxy.analysis.cause import Rule
from mailproxy.analysis.lints import LINTS
from mailproxy.analysis.rules import (
    arguments,
    broken,
    capabilities,
    connection,
    envelope,
    hello,
    idle,
    leave,
    login,
    middlebox,
    minimum,
    not_mail,
    pop3,
    prompt,
    refusal,
    sasl,
    sequence,
    tls,
    transfer,
)  # fmt: skip

__all__ = ["LINTS", "RULES"]

RULES: tuple[Rule, ...] = (
    *connection.RULES, *tls.RULES, *middlebox.RULES,
    *not_mail.RULES, *hello.RULES, *capabilities.RULES, *leave.RULES, *sasl.RULES, *prompt.RULES, *login.RULES,
    *idle.RULES, *sequence.RULES, *arguments.RULES,
    *envelope.RULES, *transfer.RULES, *broken.RULES, *pop3.RULES, *minimum.RULES, *refusal.RULES,
)  # fmt: skip
