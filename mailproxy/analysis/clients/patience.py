"""How long programs wait for an answer of the server before they give up, and where that is set.

The times are those that hold where nothing is set; each row says who says so. A client that leaves after such a time
was not cut off by anything: it gave up by itself.
"""

import re
from typing import Final, NamedTuple

from mailproxy.analysis.clients.recognise import recognise
from mailproxy.analysis.step import evidence
from mailproxy.analysis.view import View
from mailproxy.model.exchange import Exchange
from mailproxy.model.finding import Evidence
from mailproxy.model.octets import Frame

SECOND: Final = 1_000_000  # microseconds
SHORT: Final = 10  # seconds after which a client that leaves may have left for another reason
NEAR: Final = 0.05  # of its time, by which a program may be late
LATE: Final = 2.0  # seconds, the same for short times
LEFT: Final = re.compile(r"(?:closed|reset) by the client")


class Patience(NamedTuple):
    """How many seconds a program waits (none: for ever), the setting, and who says so."""

    program: str
    seconds: tuple[int, ...]
    setting: str
    source: str


PATIENCE: Final = (
    Patience("Thunderbird", (100, 110), "mailnews.tcptimeout (Config Editor)", "mailnews.js of Thunderbird 153"),
    Patience("Outlook", (60,), "Server Timeouts (More Settings, Advanced)", "Microsoft's help on error 0x8004210A"),
    Patience("fetchmail", (300,), "timeout (--timeout)", "fetchmail(1)"),
    Patience("getmail", (180,), "timeout (in [retriever])", "getmail's documentation of retrievers"),
    Patience("mpop", (180,), "timeout (--timeout)", "mpop(1)"),
    Patience("msmtp", (), "timeout (--timeout)", "msmtp(1)"),
    Patience("swaks", (30,), "--timeout", "swaks(1)"),
    Patience("curl", (120, 60), "--max-time", "CURLOPT_SERVER_RESPONSE_TIMEOUT(3): 60 s from curl 8.17 on"),
    Patience("Python smtplib", (), "timeout= of SMTP()", "the library reference of Python, smtplib"),
    Patience("PHPMailer", (300,), "$mail->Timeout", "PHPMailer's SMTP class"),
    Patience("nodemailer", (600,), "socketTimeout", "nodemailer.com/smtp"),
    Patience("JavaMail", (), "mail.smtp.timeout", "the package com.sun.mail.smtp"),
    Patience("mutt", (), "$connect_timeout, which is for connecting alone", "the mutt manual"),
    Patience("exim", (300, 600), "command_timeout and final_timeout", "Exim's specification, the smtp transport"),
    Patience("Postfix", (300, 600, 120), "smtp_mail_timeout and the like", "postconf(5)"),
)


class GaveUp(NamedTuple):
    """A client that waited so many seconds for an answer and left; `limit` is the time of its program that fits."""

    patience: Patience
    seconds: float
    limit: int | None
    exchange: Exchange
    evidence: tuple[Evidence, ...]

    @property
    def summary(self) -> str:
        """What it did, and by which setting."""
        program, seconds, setting, _ = self.patience
        did = f"{program} waited {self.seconds:.0f} s for the answer to {self.exchange.verb} and left"
        if seconds:
            return f"{did}: that is its own timeout, {setting}: {self.limit} s."
        return f"{did}: it waits for ever unless {setting} is set."

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return f"Raise {self.patience.setting} in {self.patience.program}, and find out why the server takes so long."


def gave_up(view: View) -> GaveUp | None:
    """Whether the client left because its own time was up; None where it did not, or nobody knows the program."""
    end = next(((at, note) for at, note in view.notes if LEFT.match(note.text)), None)
    waiting = view.steps[-1] if view.steps and _waits(view, view.steps[-1]) else None
    if end is None or waiting is None:
        return None
    at, note = end
    last = max((entry.at for entry in view.recording.entries[:at] if isinstance(entry, Frame)), default=0)
    seconds = (note.at - last) / SECOND
    patience = _of(recognise(view.recording)) if seconds > SHORT else None
    if patience is None:
        return None
    limit = next((each for each in patience.seconds if abs(seconds - each) <= max(LATE, NEAR * each)), None)
    if limit is None and patience.seconds:
        return None
    return GaveUp(patience, seconds, limit, waiting, (*evidence(waiting), Evidence(note=at)))


def _of(program: str) -> Patience | None:
    return next((each for each in PATIENCE if each.program == program), None)


def _waits(view: View, each: Exchange) -> bool:
    """Whether the client waits for the server, in this step."""
    if each.command is None or each.verb == "QUIT":
        return False
    if each.content and view.smtp:
        return each.content.ended and len(each.replies) < (1 if each.verb == "BDAT" else 2)
    return not each.replies or (each.content is not None and not each.content.ended)
