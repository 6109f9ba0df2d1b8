"""Refusals of what was said wrongly, or of what is not there any more."""

from typing import Final

from mailproxy.analysis.others import CONFIG, FAULT, MAILBOX, NETWORK, POLICY, PROGRAM, UNKNOWN
from mailproxy.analysis.texts.row import Text
from mailproxy.model.finding import Confidence

ROWS: Final = (
    Text(
        "fetch-throttled", "*", r"-ERR",
        r"login limit|exceed\w* .{0,30}limit|download exceed|reduce the frequency"
        r"|too (?:frequent|often|many)|rate limit",
        POLICY, (CONFIG,),
        "The server lets this account fetch only so often, or so much.",
        "Let the mail program look for mail less often, and wait.", "Hotmail, QQ, RFC 2449 LOGIN-DELAY",
    ),
    Text(
        "idle-ended", "*", r"-ERR",
        r"autologout|inactiv|timed? ?out|timer expired",
        PROGRAM, (NETWORK, CONFIG),
        "The client said nothing for too long, and the server hung up.",
        "Let the program fetch in one go, and close the session when it is done.", "RFC 1939 section 3",
    ),
    Text(
        "message-gone", "*", r"-ERR",
        r"expunged|no such message|(?:message|msg) (?:\S+ ){0,3}(?:deleted|not exist|not found|gone|removed)"
        r"|invalid message|(?:doesn'?t|does not) exist|there'?s? (?:is )?no (?:such )?message|not available"
        r"|unknown message",
        MAILBOX, (PROGRAM, CONFIG),
        "The message is not there any more: another program took it away, or it never was.",
        "Let one program at a time fetch from this mailbox.",
        "Dovecot, RFC 1939 section 5",
    ),
    Text(
        "protocol-error", "AUTH", r"-ERR|5..",
        r"protocol error|invalid (?:base64|response|argument|command|parameter)|base64|malformed|decode|syntax"
        r"|unexpected|too long|cancel",
        PROGRAM, (FAULT, POLICY),
        "The server does not understand how the client logs in.",
        "Choose another authentication method, or update the mail program.",
        "RFC 4954 section 4, RFC 5034, Microsoft 365",
    ),
    Text(
        "not-understood", "*", r"50[0-5]|55\d|-ERR",
        r"(?:command|syntax|parameter|argument|verb|option)\S* (?:\S+ ){0,3}(?:not |un|error|invalid|wrong|bad"
        r"|missing|disabled)"
        r"|(?:unknown|unrecogni[sz]ed|invalid|bad|unimplemented|unsupported|illegal) (?:\S+ )?(?:command|syntax"
        r"|parameter|argument|option|sequence|state)|syntax|bad sequence"
        r"|not (?:implemented|understood|recogni[sz]ed|supported|valid in this state)|out of sequence|nested mail"
        r"|first\b|non-?(?:integer|numeric)|5\.5\.\d",
        PROGRAM, (FAULT, UNKNOWN),
        "The server did not understand a command, or not at this place.",
        "Look at the command in the transcript; if the mail program sent it so, update it.",
        "RFC 5321 section 4.2.2", Confidence.MEDIUM,
    ),
)  # fmt: skip
