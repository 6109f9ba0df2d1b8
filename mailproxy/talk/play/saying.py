"""What the player of a recorded client says: what that said, or what its protocol wants said instead."""

import re
from dataclasses import replace
from itertools import chain
from typing import Final

from mailproxy.model.exchange import Exchange, Flag
from mailproxy.model.mask import MARK
from mailproxy.model.octets import Side, Span
from mailproxy.model.tls import Security
from mailproxy.protocols import challenges
from mailproxy.protocols.asking import Cue, said
from mailproxy.protocols.dialogue import command
from mailproxy.protocols.masking import USER
from mailproxy.protocols.turn import Line, text
from mailproxy.talk.play.asked import Asked
from mailproxy.talk.play.instead import instead, unfit, unrepeatable
from mailproxy.talk.play.login import CANCEL, MECHANISMS, Impossible, Login, Responses, tells
from mailproxy.talk.play.script import Part, Role
from mailproxy.talk.play.securing import Securing
from mailproxy.talk.play.spoken import Ready
from mailproxy.talk.typist import Send

_NOT_BASE64: Final = b", not base64, "
_LENGTH: Final = re.compile(rb"(\d{1,3}) character")


class Saying(Securing):
    """Says the parts of a script."""

    def _play(self, part: Part, at: int) -> bool:
        """Say a part of the script, if it is its turn. What is not due any more is passed over."""
        asked = self._played.get(part.exchange.number)
        if part.role is Role.COMMAND:
            return self._play_command(part)
        if asked is None or not asked.body or asked.exchange:
            self._next += 1
            return True
        if part.role is Role.RESPONSE or part.after.number == part.exchange.number:
            if not asked.may_go_on:
                return False
            if part.role is Role.RESPONSE:
                self._next += 1
                return self._respond(asked, at, self._words.line(part.span))
        self._next += 1
        self._message = self._words.cut(part.span) if self._acting.timing else self._words.chunks(part.span)
        return self._say_message(at)

    def _say_message(self, at: int) -> bool:
        """Say what is left of a message, with the pauses that the recorded client made in it."""
        for piece, pause in self._message:
            if pause and self._acting.timing:
                self._message = chain([(piece, 0)], self._message)
                self._rest(pause)
                return False
            if piece and not (self.over or self._closed):
                self._relayed(Side.CLIENT, piece, at)
        return not self.over

    def _say_in_vain(self, at: int) -> None:
        """Say what the recorded client said when the server had gone already."""
        while not self._leaving and self._next < len(self.script.parts) and self.script.parts[self._next].vain:
            self._play(self.script.parts[self._next], at)
            while self._ready and self._say_ready(at):
                pass

    def _play_command(self, part: Part) -> bool:
        """Make ready what is said in the place of a command."""
        self._next += 1
        exchange = part.exchange
        if part.gap and not self._numbers:
            self._remark(f"the record begins late: what is left out before {exchange.verb} is {part.gap}")
        elif part.gap and self._told_body:
            self._stop(f"the record leaves something out before {exchange.verb or 'what comes next'}: {part.gap}")
            return True
        if self._left_out(exchange):
            self.otherwise.add(exchange.number)
            return True
        line = self._words.line(part.span)
        cue = self._feasible(exchange, self._prompter.cue(exchange, line))
        if hindrance := self._hindrance(part, cue):
            self._stop(f"{exchange.verb}: {hindrance}")
            return True
        if cue.remark:
            self._remark(cue.remark)
            self.otherwise.add(exchange.number)
        self._told_body = cue.body
        last = len(cue.lines) - 1
        for at, each in enumerate(cue.lines):
            self._ready.append(Ready(each, exchange if at == last else None, cue, waits=at > 0 or cue.waits))
        return True

    def _feasible(self, exchange: Exchange, cue: Cue) -> Cue:
        """A login by another mechanism that the server offers, where the recorded one cannot be said again."""
        mechanism, login = cue.mechanism, self._login
        if mechanism == "EXTERNAL":
            self._remark(f"{exchange.verb} EXTERNAL: no certificate is shown, by which the server would know who it is")
        if not mechanism or login is None or not tells(_initial(cue.lines[-1]), self._said(exchange)):
            return cue
        if not (why := unrepeatable(mechanism, MECHANISMS)):
            return cue
        private = self._acting.clear_ok or (self._tls is not None and not self._tls.faults)
        if not (name := instead(cue.offered, private)):
            return replace(cue, impossible=f"{mechanism} {why}, and {unfit(cue.offered)}")
        line = said(cue.lines[-1], name)
        remark = f"{exchange.verb} {name} is said instead of {mechanism}, which {why}"
        return replace(cue, lines=(line,), mechanism=name, remark=remark)

    def _said(self, exchange: Exchange) -> list[bytes]:
        """The recorded responses of a SASL exchange, without line ends."""
        return [self._words.line(span).rstrip(b"\r\n") for span in exchange.extra]

    def _hindrance(self, part: Part, cue: Cue) -> str:
        """Why a command cannot be said."""
        if cue.impossible or (cue.against and not self._acting.keep_going):
            return cue.impossible or cue.against
        if cue.body and (gap := self._gap_behind(part.exchange)):
            return f"the record leaves something out of its message: {gap}"
        secret = bool(cue.mechanism) or Flag.SECRET in part.exchange.flags
        if not secret or self._acting.clear_ok:
            return ""
        if part.secure and not self._tls:
            return "it was said under TLS, and this connection is in clear (--insecure-login says it all the same)"
        if self._tls and self._tls.faults and not self.script.distrusted:
            faults = ", ".join(self._tls.faults)
            return f"the server's certificate is not trusted now: {faults} (--trust FILE or --insecure-login goes on)"
        return ""

    def _gap_behind(self, exchange: Exchange) -> str:
        """What the record leaves out of the message behind the command that was taken up last."""
        part = self.script.parts[self._next] if self._next < len(self.script.parts) else None
        return part.gap if part and part.exchange is exchange and part.role is Role.BODY else ""

    def _say_ready(self, at: int) -> bool:
        """Say the next line that is ready, if it is its turn."""
        ready = self._ready[0]
        if (ready.waits and not self._ledger.idle) or (ready.recorded is None and not self._dialogue.greeted):
            return False
        self._ready.popleft()
        try:
            responses = self._responses(ready)
        except Impossible as why:
            self._stop(f"{ready.recorded.verb if ready.recorded else ''}: {why}")
            return True
        encoded = responses and _NOT_BASE64 not in ready.line
        line = _begun(ready.line, responses) if responses and encoded else self._shown(ready.line)
        self._ask(line, ready.recorded, responses, ready.cue.body, at)
        return True

    def _ask(
        self, line: bytes, recorded: Exchange | None, responses: Responses | None, body: bool, at: int
    ) -> None:  # fmt: skip
        server = self._dialogue.server
        verb, _ = command(Line(line, Span(Side.CLIENT, 0, len(line)), False))
        asked = Asked(verb, line, recorded, server.position + len(server.buffer))
        asked.responses, asked.body = responses, body
        upgrading = self.protocol.upgrading
        if upgrading and verb == upgrading.verb and self._security is Security.STARTTLS:
            asked.essential = True
        if recorded:
            self._played[recorded.number] = asked
            self._numbers.append(recorded.number)
        self._ledger.say(asked)
        if self.script.stray and upgrading and verb == upgrading.verb and not self._tls:
            return self._stray(line, at)
        self._relayed(Side.CLIENT, line, at)

    def _stray(self, line: bytes, at: int) -> None:
        """Wish for TLS, and say something behind it in the same write, as the recorded client did."""
        self._relayed(Side.CLIENT, line + self.script.stray, at)
        self._actions.append(Send(self.script.stray))
        self._strayed = True

    def _responses(self, ready: Ready) -> Responses | None:
        """The responses of a SASL exchange, if one begins; raises Impossible."""
        mechanism, recorded = ready.cue.mechanism, ready.recorded
        if not mechanism or recorded is None:
            return None
        same = challenges.mechanism(recorded.argument) == mechanism
        words = self._said(recorded) if same else []
        place = f"{self.protocol.asking.service or self.protocol.name}/{self._host}"
        return Responses(mechanism, recorded, _initial(ready.line), words, self._login_named(ready.line, words), place)

    def _login_named(self, line: bytes, words: list[bytes]) -> Login | None:
        """Who logs in: with another name where the recorded client tried several, and they are not to be changed."""
        login = self._login
        named = next(filter(None, (USER.search(text(each)) for each in (line, *words))), None)
        if login is None or named is None or login.user not in self.script.users:
            return login
        return Login(named[1], login.password)

    def _shown(self, line: bytes) -> bytes:
        """A line; where a secret is masked in what is no login, as many letters stand for it."""
        if not (found := MARK.search(line)):
            return line
        self._remark("letters stand for a secret that was said where none belongs")
        return line[: found.start()] + _letters(found[0]) + line[found.end() :]

    def _answer_challenge(self, at: int) -> bool:
        """Answer a challenge that nobody recorded, if there is one; what cannot be answered ends the play."""
        asked = self._ledger.oldest
        if asked is None or not asked.may_go_on or (asked.turn and asked.turn.open):
            return False
        part = self.script.parts[self._next] if self._next < len(self.script.parts) else None
        if part and part.exchange is asked.recorded and part.role is not Role.COMMAND and not self._leaving:
            return False
        if not self._leaving and asked.recorded and _hangs(asked.recorded):
            return False  # the recorded client did not answer either
        if self._leaving or asked.responses is None:
            self._break_off(asked, at)
            return True
        return self._respond(asked, at)

    def _respond(self, asked: Asked, at: int, recorded: bytes = b"") -> bool:
        """Answer a challenge, to which the recorded client said this."""
        if asked.responses is None or asked.turn is None:
            return True
        try:
            answer = asked.responses.next(asked.turn.replies[-1].text)
        except Impossible as why:
            self._stop(f"{asked.verb}: {why}")
            self._relayed(Side.CLIENT, CANCEL, at)
            return True
        if _NOT_BASE64 in recorded:
            answer = self._shown(recorded).rstrip(b"\r\n")
        self._relayed(Side.CLIENT, answer + b"\r\n", at)
        return True

    def _break_off(self, asked: Asked, at: int) -> None:
        """The server waits for something that will not be said."""
        if asked.responses is not None:
            self._relayed(Side.CLIENT, CANCEL, at)
            return
        self._stop_short(f"{asked.verb}: the server waits for a message that is not in the record", always=True)
        self._close(at)


def _letters(secret: bytes) -> bytes:
    """What stands for a masked secret: as many letters, of base64 only where it was that."""
    length = _LENGTH.search(secret)
    return (b"-" if _NOT_BASE64 in secret else b"x") * int(length[1] if length else 8)


def _hangs(exchange: Exchange) -> bool:
    """Whether the record of it breaks off before the client answered what it was asked."""
    return exchange.reply is None or exchange.reply.code[:1] == "3" or exchange.reply.code == "+"


def _initial(line: bytes) -> bytes:
    """What stands behind the mechanism in a command, as it was recorded."""
    return line.rstrip(b"\r\n").split(None, 2)[2] if len(line.split(None, 2)) > 2 else b""


def _begun(line: bytes, responses: Responses) -> bytes:
    """A command that begins a SASL exchange, with an initial response where it had one."""
    words = line.split(None, 2)
    end = line[len(line.rstrip(b"\r\n")) :]
    return b" ".join([*words[:2], *filter(None, [responses.first()])]) + (end or b"\r\n")
