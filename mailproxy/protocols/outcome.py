"""What came of a session, in one line.

It counts messages and remembers the refusal that nothing made good. Where a refusal is harmless (HELO after
a refused EHLO, CAPA, VRFY) or a later try of the same succeeds, it is none.
"""

from mailproxy.model.escape import escape_text
from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.octets import Mark, Note
from mailproxy.protocols.blind import PASSED

HARMLESS = frozenset(
    {"VRFY", "EXPN", "HELP", "NOOP", "CAPA", "LAST", "UTF8", "LANG", "RSET", "QUIT", "ETRN", "XCLIENT"}
)
LOGINS = frozenset({"AUTH", "PASS", "APOP", "USER", "RPOP"})
MESSAGES = frozenset({"DATA", "BDAT", "RETR", "TOP"})
HELLOS = frozenset({"EHLO", "HELO", "LHLO"})
BROKEN = (
    "closed by the server",
    "reset by",
    "timed out",
    "no such host",
    "connection",
    "no route",
    "TLS failed",
    "turned away",
)
NEVER = ("no such host", "connection", "no route", "TLS failed", "turned away")
TURNED_AWAY = "turned away"
SHOWN = "TLS with the client: "
DISTRUST = "the server's certificate is not trusted: "
DROPPED = "dropped "
BY_US = "; ended by mailproxy"
OURS = ("cut off", "the proxy was killed")
LONGEST = 160


class Tally:
    """Counts what a session achieves and what was refused in it."""

    __slots__ = (
        "_asked_at", "_blind", "_broken", "_distrust", "_hidden", "_refusals", "_shown_at", "_trouble",
        "exchanges", "fetched", "sent",
    )  # fmt: skip

    def __init__(self) -> None:
        self.exchanges = 0
        self.sent = 0
        self.fetched = 0
        self._refusals: dict[str, Exchange] = {}
        self._trouble = ""
        self._hidden = False
        self._blind = ""
        self._broken = ""
        self._distrust = ""  # why the server's certificate is not trusted
        self._shown_at = 0  # when the client was shown a certificate
        self._asked_at = 0  # when it said its last command

    def hear(self, exchange: Exchange) -> None:
        """Count an exchange."""
        self.exchanges += 1
        if exchange.command:
            self._asked_at = max(self._asked_at, exchange.at)
        kin = _kin(exchange.verb)
        if breaking := _broken_off(exchange):
            self._broken = self._broken or f"{exchange.verb}: {breaking}"
        elif exchange.reply is None:
            self._count(exchange, exchange.verb == "RETR" and _whole(exchange))
        elif exchange.reply.positive:
            self._refusals.pop(kin, None)
            self._count(exchange, Flag.UNFINISHED not in exchange.flags)
        elif exchange.verb not in HARMLESS and Flag.UNPARSED not in exchange.flags:
            self._refusals.setdefault(kin, exchange)

    def note(self, note: Note) -> None:
        """Hear of trouble, and of what tells how it came about."""
        if note.mark is Mark.TROUBLE and not self._trouble and not note.text.startswith(DROPPED):
            self._trouble = note.text
        if note.mark is Mark.FACT and note.text.startswith(SHOWN):
            self._shown_at = note.at
        if note.mark is Mark.FACT and note.text.startswith(DISTRUST):
            self._distrust = escape_text(note.text.removeprefix(DISTRUST))
        self._hidden = self._hidden or note.text.startswith("TLS passes through")
        if note.mark is Mark.FACT and note.text.startswith(PASSED):
            self._blind = escape_text(note.text)

    def conclude(self, quit: bool) -> tuple[bool, str]:
        """Whether the session failed, and its outcome as one line; `quit` where the client took its leave."""
        if self._refusals:
            refusal = _refusal(next(iter(self._refusals.values())))
            return (
                True,
                f"partial: {self._achieved()}, {refusal}" if self.sent or self.fetched else f"failed: {refusal}",
            )
        if self._trouble.startswith(OURS) and not quit:
            return False, f"unfinished: {self._achieved()}, {escape_text(self._trouble)}"
        if self._broken:
            return True, f"failed: {self._broken}" + (f", {escape_text(self._trouble)}" if self._trouble else "")
        if self._hidden or self._blind:
            return self._conclude_hidden()
        if self._turned_back():
            why = self._distrust or "it does not trust mailproxy, it seems (see mailproxy ca install)"
            return True, f"failed: the client hung up when it was shown the certificate: {why}"
        achieved = self._achieved()
        broken = self._trouble.startswith(BROKEN) and not quit
        if broken and not (self.sent or self.fetched):
            return True, f"failed: {escape_text(self._trouble)}"
        ending = "" if quit or not self._trouble else f", {escape_text(self._trouble)}"
        return broken, f"{'partial' if broken else 'ok'}: {achieved}{ending}"

    def _turned_back(self) -> bool:
        """Whether the client said nothing more once it was shown a certificate, nor an alert: many do it so."""
        hung_up = self._trouble.startswith(("closed by the client", "reset by the client"))
        return hung_up and self._asked_at <= self._shown_at != 0

    def _conclude_hidden(self) -> tuple[bool, str]:
        """What was said under TLS or passed blind is not known, nor whether the client took its leave."""
        if self._trouble.startswith(NEVER):
            return True, f"failed: {escape_text(self._trouble)}"
        return False, f"ok: {self._blind or 'TLS passed through, what was said in it is not known'}"

    def _count(self, exchange: Exchange, success: bool) -> None:
        if not success:
            return
        if exchange.verb == "DATA" or (exchange.verb == "BDAT" and exchange.argument.upper().endswith("LAST")):
            self.sent += exchange.content is not None
        self.fetched += exchange.verb == "RETR"

    def _achieved(self) -> str:
        if self._blind:
            return self._blind
        counts = [(self.sent, "sent"), (self.fetched, "fetched")]
        done = [f"{n} message{'s' * (n != 1)} {what}" for n, what in counts if n]
        return ", ".join(done) or "no message"


def _kin(verb: str) -> str:
    """Verbs that make one another's refusals good."""
    if verb in LOGINS:
        return "login"
    return "hello" if verb in HELLOS else verb


def _broken_off(exchange: Exchange) -> str:
    """How a message did not come through, where no refusal says why."""
    if exchange.reply is not None and not exchange.reply.positive:
        return ""
    if exchange.content and {Flag.UNFINISHED, Flag.SHORT} & exchange.flags:
        return "the message broke off" if exchange.verb in MESSAGES else ""
    if exchange.verb == "DATA" and exchange.content and len(exchange.replies) < 2:
        return "the message was not answered"
    return ""


def _whole(exchange: Exchange) -> bool:
    return exchange.content is not None and exchange.content.ended


def _refusal(exchange: Exchange) -> str:
    assert exchange.reply is not None
    said = escape_text(exchange.reply.text.replace("\n", " "))
    said = f"{exchange.reply.code} {said}".strip()
    if len(said) > LONGEST:
        said = said[: LONGEST - 1] + "…"
    what = exchange.verb or ("greeting" if Flag.GREETING in exchange.flags else "server")
    return f"{what}: {said}"
