"""What Thunderbird makes of a POP3 server's words."""

from typing import Final

from mailproxy.analysis.clients.behaviour import Behaviour, When
from mailproxy.model.exchange import Flag

VERSION: Final = "153.7.0esr"
LOGIN: Final = "Login to server {server} with username {user} failed."
TIMED_OUT: Final = "Connection to server {server} timed out."
USERNAME: Final = "Sending of username did not succeed. Mail server {server} responded: {reply}"
LISTINGS: Final = "CAPA|LIST|UIDL|RETR|TOP"


def _pop3(id: str, when: When, shows: str, means: str, remedy: str) -> Behaviour:
    return Behaviour(f"thunderbird-pop3-{id}", VERSION, "pop3", when, shows, means, remedy)


def _refused(verb: str, does: str) -> Behaviour:
    return _pop3(
        f"{verb.lower()}-refused",
        When(verb=verb, code="-ERR"),
        f"The {verb} command did not succeed. {does} Mail server {{server}} responded: {{reply}}",
        f"The server refused {verb}. Thunderbird goes no further; what was fetched is kept, what was not will be.",
        "Read the server's reply, and check for mail again.",
    )


FETCHING: Final = (
    _pop3(
        "greeting-lf",
        When(verb="", flags=frozenset({Flag.GREETING}), octets=rb"\A\+OK[^\r\n]*\n\Z"),
        "An error occurred with the POP3 mail server.",
        "The server's greeting ends in LF alone, and Thunderbird reads no line without CRLF (RFC 1939 section 3).",
        "Have the server end its lines in CRLF.",
    ),
    _pop3(
        "greeting-refused",
        When(verb="", code="-ERR", flags=frozenset({Flag.GREETING})),
        "An error occurred with the POP3 mail server. Mail server {server} responded: {reply}",
        "The server turned the client away at once; its words stand in the dialog.",
        "Wait and check again; ask the provider when it lasts.",
    ),
    _pop3(
        "login-lf",
        When(verb="PASS|AUTH|APOP", code=r"\+OK", octets=rb"\A\+OK[^\r\n]*\n\Z"),
        LOGIN,
        "The login succeeded, but the server's line ends in LF alone, which Thunderbird takes for a refusal.",
        "The password is right. Have the server end its lines in CRLF.",
    ),
    _pop3(
        "login-not-the-password",
        When(verb="PASS|AUTH|APOP", code="-ERR", text=r"\A\[(?:IN-USE|SYS/|LOGIN-DELAY)"),
        LOGIN,
        "Nothing is wrong with the password: the mailbox is in use, the server is out of order, or you check too "
        "often, as the code in brackets says (RFC 2449 section 8.1.1, RFC 3206). Thunderbird shows it as a wrong "
        "password, and not the server's words.",
        "Keep the password. Close what else has the mailbox open, check less often, or wait.",
    ),
    _pop3(
        "username-never-sent",
        When(verb="AUTH", code="-ERR", replies=1, never="USER|PASS|APOP"),
        USERNAME,
        "No user name was sent: the server refused AUTH itself, which Thunderbird tells so.",
        "Choose another authentication method; where the server offers none, ask the provider.",
    ),
    _pop3(
        "username",
        When(verb="USER", code="-ERR"),
        USERNAME,
        "The server refused the user name, or USER itself.",
        "Look at the user name; some servers want the whole address, some allow USER under TLS only.",
    ),
    _pop3(
        "login-refused",
        When(verb="PASS|AUTH|APOP", code="-ERR"),
        LOGIN,
        "The server refused the login. Thunderbird does not show in which words.",
        "Read the server's reply: it tells whether the password or the account is meant.",
    ),
    _pop3(
        "login-closed",
        When(verb="PASS|AUTH|APOP", code="|\\+", last=True, note="closed by the server"),
        LOGIN,
        "The server closed the connection in the middle of the login; Thunderbird shows it as a wrong password.",
        "Some servers refuse a login so, others turn away a client that has tried too often: wait, then look at "
        "the user name and the password.",
    ),
    _refused("STAT", "Error getting message number and sizes."),
    _refused("LIST", "Error getting the ID and size of a message."),
    _refused("RETR", "Error retrieving a message."),
    _refused("DELE", "Error marking a message as deleted."),
    _pop3(
        "uidl-refused",
        When(verb="UIDL", code="-ERR", offered=r"^UIDL\b"),
        "Temporary error from {server} while retrieving new messages.",
        "The server refused UIDL though CAPA offered it. Thunderbird fetches nothing then.",
        "Check again; where it lasts, the server is at fault.",
    ),
    _pop3(
        "uidl-line",
        When(verb="UIDL", content=rb"(?m)^[0-9]+ ?\r\n"),
        TIMED_OUT,
        "A line of the server's UIDL has a number and no name of the message, and Thunderbird fails at it without a "
        "word: it waits until its timeout (mailnews.tcptimeout, 100 s).",
        "The server is at fault (RFC 1939 section 7).",
    ),
    _pop3(
        "octets-behind-end",
        When(verb=LISTINGS, code=r"\+OK", then=Flag.UNPARSED),
        TIMED_OUT,
        "More octets followed the dot that ends a message or a listing. Thunderbird looks for the end at the end of "
        "what it has read, never finds it, and waits until its timeout (mailnews.tcptimeout, 100 s).",
        "The server is at fault (RFC 1939 section 3).",
    ),
    _pop3(
        "end-without-lf",
        When(verb=LISTINGS, content=rb"\r\n\.\r?\Z"),
        TIMED_OUT,
        "The dot that ends a message or a listing lacks its CRLF, and Thunderbird waits for it until its timeout "
        "(mailnews.tcptimeout, 100 s).",
        "The server is at fault (RFC 1939 section 3).",
    ),
    _pop3(
        "reset",
        When(note="reset by the server"),
        "Connection to server {server} was reset.",
        "The connection was reset. Thunderbird tells it in a notification, and keeps nothing of the message that was "
        "on its way.",
        "Look for a firewall or a virus scanner on the way; ask the provider when it lasts.",
    ),
    _pop3(
        "stls-missing",
        When(
            verb="CAPA",
            code=r"\+OK|-ERR",
            offered=r"\A(?![\s\S]*^STLS\b)",
            never="STLS|USER|PASS|AUTH|APOP|STAT",
        ),
        "Unable to establish TLS connection to POP3 server.",
        "Thunderbird is set to STARTTLS, and the server does not offer it (CAPA has no STLS).",
        "Use the port with TLS from the start (995).",
    ),
    _pop3(
        "stls-refused",
        When(verb="STLS", code="-ERR"),
        "",
        "The server offered STLS and refused it. Thunderbird gives up and says nothing.",
        "Try again later, or use the port with TLS from the start (995).",
    ),
    _pop3(
        "closed",
        When(verb="(?!PASS|AUTH|APOP|QUIT).+", last=True, note="closed by the server"),
        "",
        "The server closed the connection before it was done, and Thunderbird says nothing: it looks as if there were "
        "no more mail. What was not fetched will be at the next check.",
        "Check again; where it lasts, look for a timeout of the server or of something on the way.",
    ),
)  # fmt: skip
