"""What the error codes of Outlook (Outlook Express and Windows Mail have the same) mean on the wire."""

from typing import Final, NamedTuple

SOURCE: Final = "Microsoft's list of mail status codes (tthosting.dk/MSOutlookErrorCodes.htm)"


class OutlookCode(NamedTuple):
    """An error code: the end of its name in Microsoft's headers, and what happened, in plain words.

    `protocol` is empty where it is of any. `reply` is how the codes of replies begin that lead to it, `note` how a note
    of trouble does; where all three are empty, nothing of it goes over the wire.
    """

    number: int
    name: str
    protocol: str
    means: str
    reply: str = ""
    note: str = ""


def _any(number: int, name: str, means: str, note: str = "") -> OutlookCode:
    return OutlookCode(0x800CCC00 + number, name, "", means, note=note)


def _smtp(number: int, name: str, means: str, reply: str = "") -> OutlookCode:
    return OutlookCode(0x800CCC00 + number, name, "smtp", means, reply)


def _pop3(number: int, name: str, means: str, reply: str = "") -> OutlookCode:
    return OutlookCode(0x800CCC00 + number, name, "pop3", means, reply)


CODES: Final = (
    _any(
        0x01, "INVALID_CERT_CN", "The certificate is of another name than the server that was asked for.", "TLS failed"
    ),
    _any(0x02, "INVALID_CERT_DATE", "The certificate has expired, or is not valid yet.", "TLS failed"),
    _any(0x03, "ALREADY_CONNECTED", "The account is connected already."),
    _any(0x05, "NOT_CONNECTED", "There was no connection with the server any more.", "closed by the server"),
    _any(0x0A, "INCOMPLETE", "A message broke off before its end.", "closed by the server"),
    _any(
        0x0B,
        "BUSY",
        "The server or the mailbox was busy: often another program, or a session that was cut, has it locked.",
    ),
    _any(0x0D, "CANT_FIND_HOST", "The server's name was not found.", "no such host"),
    _any(
        0x0E,
        "FAILED_TO_CONNECT",
        "No connection came about: wrong server or port, a firewall, or a server that is down.",
        "connection",
    ),
    _any(
        0x0F,
        "CONNECTION_DROPPED",
        "The connection was closed or reset in the middle: by the server, or by a firewall or a virus scanner on the "
        "way.",
        "closed by the server",
    ),
    _any(0x10, "INVALID_ADDRESS", "The server does not know an address."),
    _any(0x11, "INVALID_ADDRESS_LIST", "The server does not know a mailing list."),
    _any(0x12, "SOCKET_READ_ERROR", "Reading from the connection failed.", "reset by the server"),
    _any(0x13, "SOCKET_WRITE_ERROR", "Writing to the connection failed.", "reset by the server"),
    _any(0x14, "SOCKET_INIT_ERROR", "Windows gave no socket."),
    _any(0x15, "SOCKET_CONNECT_ERROR", "No connection came about.", "connection"),
    _any(0x16, "INVALID_ACCOUNT", "The server does not know the account."),
    _any(0x17, "USER_CANCEL", "The user cancelled it."),
    _any(
        0x18,
        "SICILY_LOGON_FAILED",
        "A login by Secure Password Authentication (NTLM) failed: few servers take it; leave it off.",
    ),
    _any(
        0x19,
        "TIMEOUT",
        "The server did not answer in time, or one side waits for the other: TLS on the wrong port looks so.",
        "timed out",
    ),
    _any(
        0x1A,
        "SECURE_CONNECT_FAILED",
        "TLS did not come about: often TLS from the start on a port with STARTTLS, or the reverse, or versions that "
        "do not meet.",
        "TLS failed",
    ),
    _smtp(0x60, "SMTP_RESPONSE_ERROR", "The server's reply made no sense to it."),
    _smtp(0x61, "SMTP_UNKNOWN_RESPONSE_CODE", "The server's reply had a code that it does not know."),
    _smtp(0x62, "SMTP_500_SYNTAX_ERROR", "The server did not understand a command.", "500"),
    _smtp(0x63, "SMTP_501_PARAM_SYNTAX", "The server did not understand what stood behind a command.", "501"),
    _smtp(0x64, "SMTP_502_COMMAND_NOTIMPL", "The server does not have a command.", "502"),
    _smtp(0x65, "SMTP_503_COMMAND_SEQ", "A command came out of order; often a login was missing.", "503"),
    _smtp(0x66, "SMTP_504_COMMAND_PARAM_NOTIMPL", "The server does not have what stood behind a command.", "504"),
    _smtp(
        0x67,
        "SMTP_421_NOT_AVAILABLE",
        "The server closed for now: too busy, too many connections, or shutting down.",
        "421",
    ),
    _smtp(0x68, "SMTP_450_MAILBOX_BUSY", "The server refused a recipient for now.", "450"),
    _smtp(
        0x69,
        "SMTP_550_MAILBOX_NOT_FOUND",
        "The server refused a recipient or the message: no such mailbox, or no access.",
        "550",
    ),
    _smtp(0x6A, "SMTP_451_ERROR_PROCESSING", "The server failed at it for now; greylisting looks so too.", "451"),
    _smtp(0x6B, "SMTP_551_USER_NOT_LOCAL", "The recipient is not at this server.", "551"),
    _smtp(0x6C, "SMTP_452_NO_SYSTEM_STORAGE", "The server or a mailbox has no room for now.", "452"),
    _smtp(0x6D, "SMTP_552_STORAGE_OVERFLOW", "The message or the mailbox is too large.", "552"),
    _smtp(
        0x6E,
        "SMTP_553_MAILBOX_NAME_SYNTAX",
        "The server does not allow an address; often the sender's is not the account's.",
        "553",
    ),
    _smtp(0x6F, "SMTP_554_TRANSACT_FAILED", "The server refused it: policy, spam, or no right to relay.", "554"),
    _smtp(
        0x78,
        "SMTP_REJECTED_SENDER",
        "The server refused the sender; often a login was missing (My server requires authentication).",
        "5",
    ),
    _smtp(
        0x79,
        "SMTP_REJECTED_RECIPIENTS",
        "The server refused recipients; often a login was missing, and it does not relay.",
        "5",
    ),
    _smtp(0x7A, "SMTP_NO_SENDER", "No sender was given."),
    _smtp(0x7B, "SMTP_NO_RECIPIENTS", "No recipient was given."),
    _pop3(0x90, "POP3_RESPONSE_ERROR", "The server said -ERR; its words stand beside the code.", "-ERR"),
    _pop3(0x91, "POP3_INVALID_USER_NAME", "The server refused the user name.", "-ERR"),
    _pop3(
        0x92,
        "POP3_INVALID_PASSWORD",
        "The server refused the login. It need not be the password: a mailbox that is locked (lock busy, [IN-USE]) "
        "is shown so too.",
        "-ERR",
    ),
    _pop3(0x93, "POP3_PARSE_FAILURE", "The server's reply made no sense to it."),
    _pop3(0x94, "POP3_NEED_STAT", "STAT was needed first."),
    _pop3(0x95, "POP3_NO_MESSAGES", "There is no message in the mailbox."),
    _pop3(0x96, "POP3_NO_MARKED_MESSAGES", "No message was marked to be fetched."),
    _pop3(0x97, "POP3_POPID_OUT_OF_RANGE", "A message of this number is not there any more."),
)


def code(number: int) -> OutlookCode | None:
    """What a code means; None where it is not known."""
    return next((each for each in CODES if each.number == number), None)
