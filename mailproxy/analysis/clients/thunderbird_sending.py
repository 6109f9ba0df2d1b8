"""What Thunderbird makes of an SMTP server's words."""

from typing import Final

from mailproxy.analysis.clients.behaviour import Behaviour, When
from mailproxy.model.exchange import Flag

VERSION: Final = "153.7.0esr"
LOGIN: Final = "Login to server {server} with username {user} failed."
ADDRESS: Final = (
    "An error occurred while sending mail. The mail server responded: {reply}. "
    "Please verify that your email address is correct in your account settings and try again."
)
RECIPIENT: Final = (
    "An error occurred while sending mail. The mail server responded: {reply}. "
    'Please check the message recipient "{recipient}" and try again.'
)
MESSAGE: Final = (
    "An error occurred while sending mail. The mail server responded: {reply}. Please check the message and try again."
)
SERVER: Final = "An error occurred while sending mail: Outgoing server (SMTP) error. The server responded: {reply}."
NO_TLS: Final = (
    "An error occurred while sending mail: Unable to establish a secure link with Outgoing server (SMTP) {server} "
    "using STARTTLS since it doesn't advertise that feature."
)
CODE_ONLY: Final = rb"(?:\A|\n)[0-9]{3}\r?\n\Z"


def _smtp(id: str, when: When, shows: str, means: str, remedy: str) -> Behaviour:
    return Behaviour(f"thunderbird-smtp-{id}", VERSION, "smtp", when, shows, means, remedy)


SENDING: Final = (
    _smtp(
        "code-only-login",
        When(verb="AUTH", code="235", octets=CODE_ONLY),
        LOGIN,
        "The login succeeded, but the server sent its code alone, with no blank behind it, and Thunderbird takes such "
        "a line for a refusal (RFC 5321 section 4.2 allows it).",
        "The password is right. Have the server send a text behind its codes.",
    ),
    _smtp(
        "code-only",
        When(verb="|EHLO|HELO|MAIL|RCPT|DATA", code="2..|354", octets=CODE_ONLY),
        "An {kind}error occurred while sending mail{place} responded: {code}.",
        "The server agreed, but sent its code alone, with no blank behind it, and Thunderbird takes such a line for a "
        "refusal (RFC 5321 section 4.2 allows it). After the message this means that it was taken all the same.",
        "Have the server send a text behind its codes, as in 250 OK. Before you send again, see if it has arrived.",
    ),
    _smtp(
        "login-prompt",
        When(
            verb="AUTH", argument="LOGIN.*", code="334", last=True,
            text=r"\A(?!(?-i:VXNlcm5hbWU6|UGFzc3dvcmQ6|cGFzc3dvcmQ6)\Z)",
        ),
        "Unable to authenticate to Outgoing server (SMTP) {prompt}. Please check the password",
        "Nothing is wrong with the password, which was never sent: Thunderbird wants AUTH LOGIN to ask Username: to "
        "the letter (VXNlcm5hbWU6 in base64), then Password: or password:, and hangs up at any other prompt. Where its "
        "dialog should name the server, it shows the prompt.",
        "Have the server ask Username: and Password:, or offer AUTH PLAIN.",
    ),
    _smtp(
        "login-temporary",
        When(verb="AUTH", code="4.."),
        LOGIN,
        "The server could not check the login just now; Thunderbird shows it as a wrong password.",
        "Keep the password, wait, and try again; ask the provider when it lasts.",
    ),
    _smtp(
        "login-closed",
        When(verb="AUTH", code="", last=True, note="closed by the server"),
        LOGIN,
        "The server closed the connection in the middle of the login; Thunderbird shows it as a wrong password.",
        "Some servers refuse a login so, others turn away a client that has tried too often: wait, then look at "
        "the user name and the password.",
    ),
    _smtp(
        "login-refused",
        When(verb="AUTH", code="5.."),
        LOGIN,
        "The server refused the login. Thunderbird does not show in which words.",
        "Read the server's reply: it tells whether the password, the kind of login or the account is meant.",
    ),
    _smtp(
        "mail-too-many",
        When(verb="MAIL", code="45[12]"),
        "The message was not sent due to exceeding the allowed number of recipients. The server responded: {reply}.",
        "The number of recipients has nothing to do with it: the server refused the sender for now (greylisting, too "
        "little space, a rate limit). Thunderbird tried once more on a new connection, unseen, and shows any second "
        "451 or 452 to MAIL so.",
        "Wait some minutes and send again.",
    ),
    _smtp(
        "mail-temporary",
        When(verb="MAIL", code="4(?!5[12]).."),
        ADDRESS,
        "The server refused for now. Thunderbird tried once more on a new connection, unseen, and blames your address.",
        "Wait some minutes and send again.",
    ),
    _smtp(
        "mail-size",
        When(verb="MAIL", code="552"),
        "The size of the message you are trying to send exceeds the global size limit of the server.",
        "The server takes no message of the size that MAIL announced, or has no room for it.",
        "Send less at once, or a link to a large file.",
    ),
    _smtp(
        "no-login",
        When(verb="MAIL|RCPT", code="5..", text="auth|log ?in|relay", never="AUTH"),
        "An error occurred while sending mail. The mail server responded: {reply}. Please {check} and try again.",
        "Nobody logged in: where EHLO offers no AUTH (AUTH=LOGIN does not count), Thunderbird goes on without, "
        "and blames an address when the server refuses.",
        "Use the port for mail programs (587 with STARTTLS, 465 with TLS), and choose a way to log in.",
    ),
    _smtp(
        "mail-refused",
        When(verb="MAIL", code="5.."),
        ADDRESS,
        "The server refused the sender, or wants something done before; Thunderbird always blames your address.",
        "Read the server's reply.",
    ),
    _smtp(
        "recipient-temporary",
        When(verb="RCPT", code="4.."),
        RECIPIENT,
        "The server refused a recipient for now. Thunderbird tried once more on a new connection, unseen, and sent the "
        "message to nobody.",
        "Wait some minutes and send again.",
    ),
    _smtp(
        "recipient-refused",
        When(verb="RCPT", code="5.."),
        RECIPIENT,
        "The server refused this recipient, so the message went to none of them.",
        "Read the server's reply: it tells whether the address is wrong or the server does not relay for you.",
    ),
    _smtp(
        "hello-refused",
        When(verb="EHLO", code="(?!500|502)[45].."),
        SERVER,
        "The server refused EHLO. Thunderbird gives its address there, EHLO [192.0.2.7]; some servers want a name.",
        "Set mail.smtpserver.default.hello_argument to a name of your machine, or have the server accept an address.",
    ),
    _smtp(
        "greeting-refused",
        When(verb="", code="[45]..", flags=frozenset({Flag.GREETING})),
        SERVER,
        "The server turned the client away at once.",
        "Wait and try again with fewer connections; ask the provider when it lasts.",
    ),
    _smtp(
        "starttls-refused",
        When(verb="STARTTLS", code="[45].."),
        SERVER,
        "The server offered STARTTLS and refused it. Thunderbird sends nothing in clear then.",
        "Try again later, or use the port with TLS from the start (465).",
    ),
    _smtp(
        "starttls-missing",
        When(verb="EHLO", code="250|50[02]", text=r"\A(?![\s\S]*^STARTTLS\b)(?![\s\S]*^AUTH )", last=True),
        NO_TLS,
        "Thunderbird is set to STARTTLS, and the server does not offer it, or something on the way hides it.",
        "Use the port with TLS from the start (465); look whether a virus scanner or a firewall changes EHLO.",
    ),
    _smtp(
        "mechanism-cram",
        When(verb="EHLO", code="250", text=r"^AUTH (?!.*\b(?:PLAIN|LOGIN)\b).*\bCRAM-MD5\b", never="AUTH", last=True),
        "The Outgoing server (SMTP) {server} does not allow plaintext passwords.",
        "Thunderbird is set to a password, and the server offers no AUTH that sends one.",
        "Set the authentication method to Encrypted password.",
    ),
    _smtp(
        "mechanism",
        When(verb="EHLO", code="250", text=r"^AUTH (?!.*\b(?:PLAIN|LOGIN)\b)", never="AUTH", last=True),
        "The Outgoing server (SMTP) {server} does not support the selected authentication method.",
        "The server offers no AUTH of the kind that Thunderbird is set to.",
        "Choose another authentication method: OAuth2 where the server offers XOAUTH2.",
    ),
    _smtp(
        "data-refused",
        When(verb="DATA", code="[45]..", replies=1),
        "An Outgoing server (SMTP) error occurred while sending mail. The server responded: {reply}.",
        "The server refused the message before it came; its words stand in the dialog.",
        "Read the server's reply.",
    ),
    _smtp(
        "message-refused",
        When(verb="DATA", code="[45]..", replies=2),
        MESSAGE,
        "The server had the whole message and refused it; its words stand in the dialog. Thunderbird does not try "
        "again, not even after a 4xx.",
        "Read the server's reply; after a 4xx wait some minutes and send again.",
    ),
    _smtp(
        "idle-421",
        When(verb="", code="421", flags=frozenset({Flag.UNASKED})),
        "",
        "The server ended a connection that nobody used; Thunderbird keeps one for some seconds. That is no failure.",
        "Nothing is to be done.",
    ),
    _smtp(
        "closed",
        When(verb="(?!AUTH|QUIT).+", code="|354", last=True, note="closed by the server"),
        "",
        "The server closed the connection instead of replying, and Thunderbird does not notice: it shows nothing, and "
        "goes on sending for ever.",
        "Cancel, and try again; the cause is at the server or on the way to it.",
    ),
    _smtp(
        "reset",
        When(code="|354", last=True, note="reset by the server"),
        "The message could not be sent because the connection to Outgoing server (SMTP) {server} timed out. Try again.",
        "The connection was reset, which takes no time; Thunderbird says that it timed out.",
        "Look for a firewall or a virus scanner on the way; ask the provider when it lasts.",
    ),
)  # fmt: skip
