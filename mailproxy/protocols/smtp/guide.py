"""SMTP and LMTP for people who type them: commands, what replies mean, and common slips.

Commands: RFC 5321 section 4.1 and the RFCs named with each. Replies: RFC 5321 sections 4.2 and 4.3, RFC 4954
section 6, RFC 3207 section 4, RFC 1846, RFC 7504. Enhanced status codes: the IANA registry that RFC 5248 founded
on RFC 3463.
"""

from typing import Final

Row = tuple[str, str, str, str, str]

FIRST: Final = "first, and again after STARTTLS"
SESSION: Final = "any time after EHLO"
MESSAGE: Final = "between MAIL and the message"

HELLO: Final[tuple[Row, ...]] = (
    (
        "EHLO name",
        "says who you are and asks which extensions the server knows",
        "EHLO client.example.org",
        FIRST,
        "RFC 5321 section 4.1.1.1",
    ),
    (
        "HELO name",
        "says who you are, to a server too old for EHLO",
        "HELO client.example.org",
        FIRST,
        "RFC 5321 section 4.1.1.1",
    ),
)

LMTP_HELLO: Final[tuple[Row, ...]] = (
    (
        "LHLO name",
        "says who you are and asks for extensions; in LMTP it stands for EHLO and HELO",
        "LHLO client.example.org",
        "first",
        "RFC 2033 section 4.1",
    ),
)

MAIL: Final[tuple[Row, ...]] = (
    (
        "MAIL FROM:<address> [SIZE=n] [BODY=8BITMIME]",
        "begins a message and says where bounces go; <> is nobody",
        "MAIL FROM:<alice@example.org>",
        "after EHLO, while no message is begun",
        "RFC 5321 section 4.1.1.2",
    ),
    (
        "RCPT TO:<address>",
        "names one recipient; say it again for each",
        "RCPT TO:<bob@example.net>",
        "after MAIL",
        "RFC 5321 section 4.1.1.3",
    ),
    (
        "DATA",
        "after the reply 354 type the message: header, empty line, text; a line of one dot ends it",
        "DATA",
        "after RCPT",
        "RFC 5321 section 4.1.1.4",
    ),
    (
        "BDAT n [LAST]",
        "sends n octets of the message at once, without a final dot",
        "BDAT 86 LAST",
        "after RCPT",
        "RFC 3030 section 2",
    ),
    ("RSET", "forgets the message begun so far", "RSET", SESSION, "RFC 5321 section 4.1.1.5"),
    (
        "STARTTLS",
        "asks for encryption; after 220 comes a TLS handshake, which nobody can type",
        "STARTTLS",
        SESSION,
        "RFC 3207 section 4",
    ),
    (
        "AUTH mechanism [response]",
        "logs in; responses are base64, `*` gives up",
        "AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=",
        "after EHLO, while no message is begun",
        "RFC 4954 section 4",
    ),
    (
        "VRFY user",
        "asks whether there is such a mailbox; most servers will not say",
        "VRFY bob",
        SESSION,
        "RFC 5321 section 4.1.1.6",
    ),
    (
        "EXPN list",
        "asks who is on a mailing list; most servers will not say",
        "EXPN staff",
        SESSION,
        "RFC 5321 section 4.1.1.7",
    ),
    ("HELP [command]", "asks the server for help", "HELP", "any time", "RFC 5321 section 4.1.1.8"),
    ("NOOP", "does nothing and earns a reply", "NOOP", "any time", "RFC 5321 section 4.1.1.9"),
    ("QUIT", "ends the session", "QUIT", "any time", "RFC 5321 section 4.1.1.10"),
)

RELAY: Final[tuple[Row, ...]] = (
    (
        "ETRN domain",
        "asks the server to send what waits for this domain",
        "ETRN example.org",
        SESSION,
        "RFC 1985 section 5",
    ),
    (
        "BURL url [LAST]",
        "sends a message that the server fetches by IMAP",
        "BURL imap://alice@imap.example.org/Drafts;UID=3 LAST",
        MESSAGE,
        "RFC 4468 section 3",
    ),
    (
        "XCLIENT NAME=value …",
        "pretends to be another client; only for those whom Postfix trusts",
        "XCLIENT ADDR=192.0.2.7",
        "while no message is begun",
        "Postfix XCLIENT_README",
    ),
    (
        "XFORWARD NAME=value …",
        "tells for the log where the message came from; only for those whom Postfix trusts",
        "XFORWARD NAME=client.example.org",
        "while no message is begun",
        "Postfix XFORWARD_README",
    ),
)

COMMANDS: Final[tuple[Row, ...]] = HELLO + MAIL + RELAY
LMTP_COMMANDS: Final[tuple[Row, ...]] = LMTP_HELLO + MAIL

REPLIES: Final = {
    "211": "here is the server's status, or its help",
    "214": "here is help",
    "220": "ready: speak first with EHLO; after STARTTLS: begin the TLS handshake now",
    "221": "goodbye, the server closes the connection",
    "235": "you are logged in",
    "250": "done",
    "251": "the recipient is elsewhere, and the server passes the message on",
    "252": "the server does not say whether there is such a mailbox, but would take mail for it",
    "334": "the login goes on: answer in base64, or `*` to give up",
    "354": "type the message now and end it with a line of one dot",
    "421": "the service is not available, the server closes the connection: too busy, too long idle, or shutting down",
    "422": "the recipient's mailbox is full",
    "431": "the server's disk is full or it has run out of memory",
    "432": "the password must be changed before this way of logging in works",
    "441": "the recipient's server does not answer",
    "442": "the connection broke off while the message was being sent",
    "446": "the message was passed on too often: a loop",
    "447": "the message was not delivered in time",
    "450": "the mailbox cannot be used now (busy, or greylisted): try again later",
    "451": "something went wrong at the server, or it wants to see you again later (greylisting)",
    "452": "the server has no room now, or there are too many recipients: try again later",
    "454": "not for the moment: TLS or login cannot be had now",
    "455": "the server cannot do with these parameters now",
    "458": "the server cannot queue messages for this host",
    "459": "the server does not let you ask for this queue",
    "500": "the server does not know this command, or the line is too long",
    "501": "the command is known, its argument is wrong",
    "502": "the command is known and not offered",
    "503": "the command is out of turn: something must come before it",
    "504": "the command is offered, but not with this parameter",
    "521": "this host takes no mail at all",
    "523": "the message is larger than this recipient may get",
    "524": "the server cannot do with this password any more",
    "530": "log in first, or say STARTTLS first",
    "534": "this way of logging in is too weak for the server",
    "535": "the login failed: user name or password is wrong, or the account may not log in so",
    "538": "this way of logging in needs encryption: say STARTTLS first",
    "541": "the message was refused as spam or by a rule",
    "550": "no: there is no such mailbox, or a rule is against you (relaying, sender, client's address)",
    "551": "the recipient is elsewhere, and the server does not pass the message on",
    "552": "the mailbox is full or the message is too large",
    "553": "the address is not written as an address, or you may not use it as a sender",
    "554": "the transaction failed, or there is no service here for you: often a blocklist or a suspect message",
    "555": "the server does not know a parameter of MAIL or RCPT",
    "556": "the recipient's domain takes no mail",
}

CLASSES: Final = {
    "1": "a preliminary reply, which SMTP does not use",
    "2": "yes, done",
    "3": "go on",
    "4": "not now: the same may work later",
    "5": "no: the same will not work later either",
}

SUBJECTS: Final = {
    "0": "no particular",
    "1": "about the address",
    "2": "about the mailbox",
    "3": "about the mail system",
    "4": "about the network or the routing",
    "5": "about the dialogue",
    "6": "about the content of the message",
    "7": "about security or policy",
}

DETAILS: Final = {
    "0.0": "nothing more is said",
    "1.0": "something about an address",
    "1.1": "there is no such mailbox",
    "1.2": "there is no such domain",
    "1.3": "the recipient's address is not written as an address",
    "1.4": "the recipient's address is ambiguous",
    "1.5": "the recipient's address is good",
    "1.6": "the mailbox has moved and left no new address",
    "1.7": "the sender's address is not written as an address",
    "1.8": "the sender's domain does not exist or takes no mail",
    "1.9": "passed on to a system that knows no delivery notices",
    "1.10": "the recipient's domain says that it takes no mail",
    "2.0": "something about the mailbox",
    "2.1": "the mailbox is disabled",
    "2.2": "the mailbox is full",
    "2.3": "the message is larger than this mailbox takes",
    "2.4": "the mailing list could not be expanded",
    "3.0": "something about the mail system",
    "3.1": "the mail system's disk is full",
    "3.2": "the system takes no messages now",
    "3.3": "the system lacks a feature that was asked for",
    "3.4": "the message is larger than the system takes",
    "3.5": "the system is set up wrongly",
    "3.6": "the message is taken, though its priority was changed",
    "4.0": "something about the network",
    "4.1": "the next host does not answer",
    "4.2": "the connection to the next host is bad",
    "4.3": "a name server failed",
    "4.4": "no way to the next host is known",
    "4.5": "the mail system is congested",
    "4.6": "the message runs in a loop",
    "4.7": "the message was not delivered in time",
    "5.0": "something about the dialogue",
    "5.1": "the command is unknown or out of turn",
    "5.2": "the command is not written as it should be",
    "5.3": "too many recipients",
    "5.4": "an argument is wrong",
    "5.5": "the protocol versions do not fit",
    "5.6": "an AUTH line is too long",
    "6.0": "something about the content",
    "6.1": "the kind of content is not taken",
    "6.2": "the content would have to be converted, and may not be",
    "6.3": "the content would have to be converted, and cannot be",
    "6.4": "the content was converted with losses",
    "6.5": "the conversion failed",
    "6.6": "the content is not at hand",
    "6.7": "addresses that are not ASCII are not taken",
    "6.8": "a reply in UTF-8 is needed and was not asked for",
    "6.9": "a header in UTF-8 cannot be passed on",
    "7.0": "something about security or policy",
    "7.1": "you may not send to this recipient: a policy or a filter refuses the message",
    "7.2": "you may not write to this mailing list",
    "7.3": "a conversion for security was needed and impossible",
    "7.4": "a security feature is not supported",
    "7.5": "cryptography failed",
    "7.6": "the cryptographic algorithm is not supported",
    "7.7": "the message was altered",
    "7.8": "user name or password is wrong",
    "7.9": "this way of logging in is too weak",
    "7.10": "encryption is needed",
    "7.11": "this way of logging in needs encryption",
    "7.12": "the password must be changed first",
    "7.13": "the account is disabled",
    "7.14": "the server needs to know more of who sends",
    "7.15": "the priority is too low for now",
    "7.16": "the message is too large for its priority",
    "7.17": "the mailbox has changed hands",
    "7.18": "the domain has changed hands",
    "7.19": "whether the mailbox has changed hands cannot be told",
    "7.20": "no DKIM signature passed",
    "7.21": "no DKIM signature of an acceptable domain passed",
    "7.22": "no DKIM signature of the author's domain passed",
    "7.23": "SPF: this host may not send for the sender's domain",
    "7.24": "SPF could not be checked",
    "7.25": "the client's address has no name, or not one that leads back to it",
    "7.26": "neither SPF nor DKIM nor any other check of the sender passed (DMARC)",
    "7.27": "the sender's domain takes no mail",
    "7.28": "too much mail in too short a time",
    "7.29": "the ARC chain does not verify",
    "7.30": "the recipient requires TLS all the way",
}

# What is typed (in any case of letters), and what was probably meant. Groups of the pattern stand in the text.
SLIPS: Final[tuple[tuple[str, str], ...]] = (
    (r"\s+\S.*", "a blank stands before the command; servers take it for a part of it"),
    (r"MAIL\s+TO\b.*", "MAIL TO is no command: RCPT TO:<address> names a recipient, MAIL FROM:<address> the sender"),
    (
        r"RCPT\s+FROM\b.*",
        "RCPT FROM is no command: MAIL FROM:<address> names the sender, RCPT TO:<address> a recipient",
    ),
    (r"(FROM|TO|SUBJECT|CC|DATE)\s*:.*", "{0}: is a line of a message's header, which is typed after DATA"),
    (r"MAIL(\s+FROM)?:?\s*", "the sender is missing: MAIL FROM:<address>, or MAIL FROM:<> for none"),
    (r"RCPT(\s+TO)?:?\s*", "the recipient is missing: RCPT TO:<address>"),
    (r"RCPT\s+TO:\s*<>.*", "a recipient cannot be empty; only MAIL FROM:<> may be"),
    (r"(MAIL|RCPT)\s+(?!FROM|TO)\S.*", "{0} wants {0} FROM:<address> of a sender, RCPT TO:<address> of a recipient"),
    (r"(MAIL FROM|RCPT TO)\s+:.*", "a blank stands before the colon, where none belongs: {0}:<address>"),
    (r"(MAIL FROM|RCPT TO)\s*(?!:).*", "the colon is missing: {0}:<address>"),
    (r"(MAIL FROM|RCPT TO):\s*[^<\s].*", "the address stands without angle brackets: {0}:<address>"),
    (r"(MAIL FROM|RCPT TO):\s*<[^>]*", "the angle bracket is not closed: {0}:<address>"),
    (r"(RCPT TO):\s*<[^>]*>\s*[,;<].*", "one recipient to a command: say RCPT TO:<address> again for the next"),
    (r"(MAIL FROM|RCPT TO):\s+<.*", "a blank stands before the path, where none belongs: {0}:<address>"),
    (r"(HELO|EHLO|LHLO)\s*", "the name is missing: {0} client.example.org, or {0} [192.0.2.7]"),
    (r"(HELLO|ELHO|EHELO|HLEO|EHLLO|OLEH)\b.*", "{0} is no command: say EHLO name, or HELO name to an old server"),
    (r"(DATA|RSET|QUIT|STARTTLS)\s+\S.*", "{0} takes no argument"),
    (r"BDAT(\s+LAST|\s*)", "BDAT wants the number of octets: BDAT 86 LAST"),
    (r"AUTH\s*", "the mechanism is missing: AUTH PLAIN or AUTH LOGIN"),
    (r"AUTH\s+\S+\s+\S+\s+\S.*", "the response to AUTH is one word of base64, with no blank in it"),
    (r"(START\s+TLS|STARTSSL|STLS|TLS)\s*", "{0} is no SMTP command: say STARTTLS"),
    (r"(USER|PASS|APOP|STAT|RETR|LIST|DELE|UIDL|CAPA)\b.*", "{0} is a command of POP3; this is {protocol}"),
    (r"(EXIT|BYE|LOGOUT|LOGOFF|CLOSE|Q)\s*", "{0} is no command: QUIT ends the session"),
    (r"(GET|POST|HEAD)\s+/.*", "{0} is HTTP; this is {protocol}"),
    (r"\.", "a single dot ends a message only after DATA was answered with 354"),
)

SMTP_SLIPS: Final[tuple[tuple[str, str], ...]] = (
    (r"LHLO\s+\S.*", "LHLO is a command of LMTP: say EHLO name in SMTP"),
    *SLIPS,
)
LMTP_SLIPS: Final[tuple[tuple[str, str], ...]] = (
    (r"(HELO|EHLO)\s+\S.*", "{0} is a command of SMTP: say LHLO name in LMTP"),
    *SLIPS,
)
