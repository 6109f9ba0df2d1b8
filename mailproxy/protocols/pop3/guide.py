"""POP3 for people who type it: commands, what replies mean, and common slips.

Commands: RFC 1939 sections 4 to 7 and the RFCs named with each. Response codes: RFC 2449 section 8, RFC 3206
section 4, RFC 6856 section 3; the sign of a SASL challenge: RFC 5034 section 4.
"""

from typing import Final

Row = tuple[str, str, str, str, str]

LOGIN: Final = "before the login"
MAILBOX: Final = "after the login"

COMMANDS: Final[tuple[Row, ...]] = (
    ("CAPA", "asks what the server can do; ends with a dot", "CAPA", "any time", "RFC 2449 section 5"),
    ("USER name", "says whose mailbox it is; PASS follows", "USER alice", LOGIN, "RFC 1939 section 7"),
    ("PASS password", "gives the password, blanks in it included", "PASS wonderland", LOGIN, "RFC 1939 section 7"),
    (
        "APOP name digest",
        "logs in with the MD5 digest of the greeting's <…> and the password",
        "APOP alice c4c9334bac560ecc979e58001b3e22fb",
        LOGIN,
        "RFC 1939 section 7",
    ),
    (
        "AUTH [mechanism [response]]",
        "logs in with SASL: responses are base64, `*` gives up; alone it lists the mechanisms",
        "AUTH PLAIN",
        LOGIN,
        "RFC 5034 section 4",
    ),
    (
        "STLS",
        "asks for encryption; after +OK comes a TLS handshake, which nobody can type",
        "STLS",
        LOGIN,
        "RFC 2595 section 4",
    ),
    ("STAT", "asks for the number of messages and their octets", "STAT", MAILBOX, "RFC 1939 section 5"),
    ("LIST [n]", "lists the size of each message, or of one", "LIST", MAILBOX, "RFC 1939 section 5"),
    ("UIDL [n]", "lists a lasting name of each message, or of one", "UIDL", MAILBOX, "RFC 1939 section 7"),
    ("RETR n", "fetches a message; ends with a dot", "RETR 1", MAILBOX, "RFC 1939 section 5"),
    ("TOP n lines", "fetches a header and so many lines of the text", "TOP 1 0", MAILBOX, "RFC 1939 section 7"),
    ("DELE n", "marks a message for deletion; QUIT deletes it", "DELE 1", MAILBOX, "RFC 1939 section 5"),
    ("RSET", "takes all marks for deletion back", "RSET", MAILBOX, "RFC 1939 section 5"),
    ("NOOP", "does nothing and earns a reply", "NOOP", MAILBOX, "RFC 1939 section 5"),
    ("LAST", "asks for the highest message fetched; historic", "LAST", MAILBOX, "RFC 1460 section 5"),
    ("UTF8", "asks for headers in UTF-8", "UTF8", LOGIN, "RFC 6856 section 2"),
    ("LANG [tag]", "lists the languages of replies, or chooses one", "LANG de", "any time", "RFC 6856 section 3"),
    (
        "QUIT",
        "ends the session; after the login it carries deletions out",
        "QUIT",
        "any time",
        "RFC 1939 sections 4 and 6",
    ),
)

REPLIES: Final = {
    "+OK": "yes",
    "-ERR": "no; the text says why",
    "+": "the login goes on: answer in base64, or `*` to give up",
}

RESPONSES: Final = {
    "AUTH": "user name or password is wrong, or the login is not allowed so",
    "IN-USE": "another session has the mailbox open: close that program, or wait until its session times out",
    "LOGIN-DELAY": "this mailbox was asked too short a time ago: wait",
    "SYS/TEMP": "the server has trouble that will pass: try again later",
    "SYS/PERM": "the server has trouble that will stay until somebody mends it",
    "UTF8": "the mailbox needs UTF8, which must be said first",
}

SLIPS: Final[tuple[tuple[str, str], ...]] = (
    (r"\s+\S.*", "a blank stands before the command; servers take it for a part of it"),
    (r"USER\s*", "the name is missing: USER alice"),
    (r"PASS\s*", "the password is missing: PASS and the password in one line"),
    (r"PASS\s\s+.*|PASS\s.*\s", "a blank at an end of the password counts as a part of it"),
    (r"USER\s+\S+\s+\S.*", "USER takes the name alone: the password follows with PASS in a line of its own"),
    (r"LOGIN\b.*", "LOGIN is a command of IMAP: say USER name, then PASS password"),
    (
        r"(?:[A-Z]\d*|[A-Z]?\d+)\s+(LOGIN|CAPABILITY|SELECT|LOGOUT|NOOP)\b.*",
        "that is IMAP; this is POP3, whose commands have no tag",
    ),
    (r"(RETR|DELE)\s*", "the number of the message is missing: {0} 1"),
    (r"(RETR|DELE)\s+(?!\d+\s*$).*", "{0} takes the number of one message: {0} 1"),
    (r"TOP(\s+\d+)?\s*", "TOP takes a message and a number of lines: TOP 1 0"),
    (r"(LIST|UIDL)\s+(?!\d+\s*$)\S.*", "{0} takes the number of one message, or nothing"),
    (r"(RETR|DELE|TOP|LIST|UIDL)\s+0+\b.*", "messages are counted from 1"),
    (r"APOP(\s+\S+)?\s*", "APOP takes a name and the digest: APOP alice c4c9334b…"),
    (r"(STAT|NOOP|RSET|QUIT|CAPA|STLS|LAST)\s+\S.*", "{0} takes no argument"),
    (r"(START\s*TLS|TLS)\s*", "{0} is no POP3 command: say STLS"),
    (r"(GET|POST|HEAD)\s+/.*", "{0} is HTTP; this is POP3"),
    (r"(DEL|DELETE|RM)\b.*", "{0} is no command: DELE 1 marks message 1 for deletion"),
    (r"(READ|GET|FETCH|RETRIEVE|RET)\b.*", "{0} is no command of POP3: RETR 1 fetches message 1"),
    (r"(FOLD|ACKS|ACKD|NACK)\b.*", "{0} is a command of POP2; this is POP3"),
    (r"(HELO|EHLO|LHLO|MAIL|RCPT|DATA)\b.*", "{0} is a command of SMTP; this is POP3"),
    (r"(EXIT|BYE|LOGOUT|LOGOFF|CLOSE|Q)\s*", "{0} is no command: QUIT ends the session and carries deletions out"),
    (r"(USERNAME|PASSWORD|PASSWD)\b.*", "{0} is no command: say USER name, then PASS password"),
)
