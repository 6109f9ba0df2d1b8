"""Dialogs of Thunderbird's that name their cause by themselves, as its English files have them (version 153.7.0esr).

Those that mislead are in the tables of behaviours, with what was seen to lead to them.
"""

from typing import Final, NamedTuple


class Dialog(NamedTuple):
    """A dialog: its key in Thunderbird's files, how its text begins (as in `pattern`), and what it means.

    `note` is how the note of trouble begins that a recorded session has then, `reply` how the reply's code does; both
    are empty where nothing of it goes over the wire.
    """

    key: str
    text: str
    protocol: str
    means: str
    note: str = ""
    reply: str = ""


PASSWORD: Final = "The way of logging in that is set is none of those that the server offers."
TICKET: Final = "The server did not take the Kerberos ticket."

DIALOGS: Final = (
    Dialog(
        "smtpSendFailedUnknownServer",
        "An error occurred while sending mail: Outgoing server (SMTP) {server} is unknown.",
        "smtp",
        "The server's name was not found.",
        "no such host",
    ),
    Dialog(
        "smtpSendRequestRefused",
        "The message could not be sent because connecting to Outgoing server (SMTP) {server} failed.",
        "smtp",
        "Nobody listens at this address and port, or a firewall refuses the connection.",
        "connection",
    ),
    Dialog(
        "smtpSendInterrupted",
        "The message could not be sent because the connection to Outgoing server (SMTP) {server} was lost",
        "smtp",
        "The connection broke in the middle.",
        "closed by the server",
    ),
    Dialog(
        "smtpSendTimeout",
        "The message could not be sent because the connection to Outgoing server (SMTP) {server} timed out.",
        "smtp",
        "The server did not answer in time: a firewall that drops packets, TLS expected by one side only, or large "
        "packets that do not come through.",
        "timed out",
    ),
    Dialog(
        "smtpHintAuthEncryptToPlainNoSsl",
        "The Outgoing server (SMTP) {server} does not seem to support encrypted passwords. If you just set up the "
        "account, try changing the 'Authentication method' in 'Account Settings | Outgoing server (SMTP)' to "
        "'Password, transmitted insecurely'.",
        "smtp",
        PASSWORD,
    ),
    Dialog(
        "smtpHintAuthEncryptToPlainSsl",
        "The Outgoing server (SMTP) {server} does not seem to support encrypted passwords.",
        "smtp",
        PASSWORD,
    ),
    Dialog(
        "smtpAuthFailure",
        "Unable to authenticate to Outgoing server (SMTP) {server}. Please check the password",
        "smtp",
        "The login failed. Where the dialog should name the server it may show the server's reply instead.",
        reply="5",
    ),
    Dialog(
        "smtpAuthGssapi",
        "The Kerberos/GSSAPI ticket was not accepted by the Outgoing server (SMTP) {server}.",
        "smtp",
        TICKET,
        reply="5",
    ),
    Dialog(
        "errorIllegalLocalPart2",
        "There are non-ASCII characters in the local part of the recipient address {recipient} and your server does "
        "not support SMTPUTF8.",
        "smtp",
        "The address has letters beyond ASCII before its @, and EHLO did not offer SMTPUTF8 (RFC 6531), so nothing "
        "was sent.",
    ),
    Dialog("noRecipients", "No recipients were specified.", "smtp", "No recipient was given, so nothing was sent."),
    Dialog(
        "unknownHostError",
        "Failed to connect to server {server}.",
        "pop3",
        "The server's name was not found.",
        "no such host",
    ),
    Dialog(
        "connectionRefusedError",
        "Could not connect to server {server}; the connection was refused.",
        "pop3",
        "Nobody listens at this address and port, or a firewall refuses the connection.",
        "connection",
    ),
    Dialog(
        "netTimeoutError",
        "Connection to server {server} timed out.",
        "pop3",
        "The server did not answer in time, or what it said had no end that Thunderbird finds.",
        "timed out",
    ),
    Dialog(
        "netInterruptError",
        "Connection to server {server} was interrupted.",
        "pop3",
        "The connection broke in the middle.",
        "closed by the server",
    ),
    Dialog(
        "oAuth2Error",
        "Authentication failure while connecting to server {server}.",
        "pop3",
        "The server refused the login by OAuth2: log in again, and allow Thunderbird.",
        reply="-ERR",
    ),
    Dialog(
        "pop3ServerBusy",
        "The account {account} is being processed.",
        "pop3",
        "Thunderbird fetches this account already. Nothing went over the wire.",
    ),
    Dialog(
        "pop3PasswordFailed",
        "Sending of password for user {user} did not succeed.",
        "pop3",
        "The server refused the login.",
        reply="-ERR",
    ),
    Dialog(
        "pop3ServerDoesNotSupportUidlEtc",
        "The POP3 mail server ({server}) does not support UIDL or XTND XLST,",
        "pop3",
        "The server refused UIDL and does not offer it, and messages cannot be left on it without.",
        reply="-ERR",
    ),
    Dialog(
        "pop3ServerDoesNotSupportTopCommand",
        "The POP3 mail server ({server}) does not support the TOP command.",
        "pop3",
        "The server refused TOP, so messages are fetched whole.",
        reply="-ERR",
    ),
    Dialog(
        "pop3MessageWriteError",
        "Unable to write the email to the mailbox.",
        "pop3",
        "The message came, and could not be written to the disk.",
    ),
    Dialog(
        "pop3TmpDownloadError",
        "There was an error downloading the following message:",
        "pop3",
        "A message could not be written; a virus scanner may hold it.",
    ),
    Dialog(
        "pop3AuthChangeEncryptToPlainNoSSL",
        "This POP3 server does not seem to support encrypted passwords.",
        "pop3",
        PASSWORD,
    ),
    Dialog("pop3AuthChangePlainToEncrypt", "This POP3 server does not allow plaintext passwords.", "pop3", PASSWORD),
    Dialog(
        "pop3AuthMechNotSupported", "The server does not support the selected authentication method.", "pop3", PASSWORD
    ),
    Dialog(
        "pop3GssapiFailure",
        "The Kerberos/GSSAPI ticket was not accepted by the POP server.",
        "pop3",
        TICKET,
        reply="-ERR",
    ),
)
