"""POP2 for people who type it: commands, what the signs of replies mean, and common slips.

All of it: RFC 937, "Post Office Protocol: Version 2", the commands and the state diagrams.
"""

from typing import Final

Row = tuple[str, str, str, str, str]

SOURCE: Final = "RFC 937"
MAILBOX: Final = "after HELO or FOLD"
RECEIVED: Final = "after RETR, which must be acknowledged"

COMMANDS: Final[tuple[Row, ...]] = (
    (
        "HELO name password",
        "logs in; the answer is the number of messages in the default mailbox",
        "HELO alice wonderland",
        "first, once",
        SOURCE,
    ),
    ("FOLD mailbox", "opens another mailbox; #0 where there is none", "FOLD old-mail", MAILBOX, SOURCE),
    (
        "READ [n]",
        "asks for the length of message n, or of the current one; =0 where there is none",
        "READ 1",
        MAILBOX,
        SOURCE,
    ),
    ("RETR", "fetches the message that READ measured, its octets and nothing else", "RETR", "after READ", SOURCE),
    ("ACKS", "the message has come: keep it, and go to the next", "ACKS", RECEIVED, SOURCE),
    ("ACKD", "the message has come: delete it, and go to the next", "ACKD", RECEIVED, SOURCE),
    ("NACK", "the message has not come: keep it, and stay on it", "NACK", RECEIVED, SOURCE),
    ("QUIT", "ends the session; deletions take effect", "QUIT", "any time but after RETR", SOURCE),
)

REPLIES: Final = {
    "+": "ready, or goodbye",
    "-": "an error; the server closes the connection",
    "#": "so many messages are in the mailbox",
    "=": "so many octets has the message; RETR fetches it, =0 says that there is none",
}

SLIPS: Final[tuple[tuple[str, str], ...]] = (
    (r"\s+\S.*", "a blank stands before the command; servers take it for a part of it"),
    (r"(FOLDER|FLD|SELECT|CWD)\b.*", "{0} is no command: FOLD and the mailbox's name opens another one"),
    (r"FOLD\s*", "the mailbox is missing: FOLD old-mail"),
    (r"HELO(\s+\S+)?\s*", "HELO takes the name and the password: HELO alice wonderland"),
    (r"HELO\s+\S+\s+\S+\s+\S.*", "HELO takes a name and a password, and a blank parts them"),
    (r"(USER|PASS|APOP)\b.*", "{0} is a command of POP3: POP2 logs in with HELO name password"),
    (r"READ\s+(?!\d+\s*$)\S.*", "READ takes the number of one message, or nothing"),
    (r"RETR\s+\S.*", "RETR takes no argument: READ chooses the message, RETR fetches it"),
    (r"(QUIT|ACKS|ACKD|NACK)\s+\S.*", "{0} takes no argument"),
    (r"ACK\s*", "ACK is no command: ACKS keeps the message, ACKD deletes it"),
    (r"(NAK|NAKS|NACKS)\s*", "{0} is no command: NACK says that the message has not come"),
    (r"(DELE|DEL|DELETE)\b.*", "{0} is no command of POP2: ACKD after RETR deletes the message"),
    (r"(STAT|LIST|UIDL|TOP|CAPA|RSET|NOOP|STLS|LAST)\b.*", "{0} is a command of POP3; this is POP2"),
    (r"(EHLO|LHLO|MAIL|RCPT|DATA|STARTTLS)\b.*", "{0} is a command of SMTP; this is POP2"),
    (r"(EXIT|BYE|LOGOUT|LOGOFF|CLOSE|Q)\s*", "{0} is no command: QUIT ends the session"),
)
