"""The client's part of POP2 (RFC 937), as it is played again."""

from typing import Final

from mailproxy.model.exchange import Exchange, Reply
from mailproxy.protocols.asking import MASKED, Account, Asking, Cue, Leave, Recorded, masked, said


class Pop2Prompter:
    """Acknowledges messages that are to be deleted as such that are to be kept, unless there is leave."""

    def __init__(self, recorded: Recorded, leave: Leave, account: Account | None) -> None:
        self._leave = leave
        self._account = account

    def greeted(self, greeting: Reply) -> None:
        """A greeting tells nothing."""

    def cue(self, exchange: Exchange, line: bytes) -> Cue:
        """HELO logs in, ACKD deletes."""
        match exchange.verb:
            case "HELO" if self._account and exchange.argument:
                return Cue((said(line, self._account.user, self._account.password),))
            case "HELO" if masked(line):
                return Cue(impossible=MASKED)
            case "ACKD" if not self._leave.delete:
                return Cue((b"ACKS\r\n",), "ACKS is said in the place of ACKD: nothing is deleted")
            case _:
                return Cue((line,))

    def heard(self, recorded: Exchange | None, now: Exchange, listing: bytes) -> None:
        """Nothing is to be learnt."""

    def farewell(self) -> tuple[bytes, ...]:
        """QUIT deletes nothing by itself."""
        return (b"QUIT\r\n",)


def user(verb: str, argument: str) -> str:
    """HELO names the user."""
    return argument.split(" ")[0] if verb == "HELO" else ""


ASKING: Final = Asking(Pop2Prompter, user=user)
