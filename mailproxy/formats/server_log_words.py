"""What lines of a server's log say about a failure, in plain words.

The texts are those of Postfix, Dovecot, Exim, Sendmail and OpenSSL. The first that is found counts.
"""

import re
from typing import Final

_TEXTS: Final = (
    # What became of a message.
    (r"status=sent|stat=Sent|: saved mail to |Saved\)",
     "The message reached the mailbox, or the next server."),
    (r"status=bounced|stat=(?:User unknown|Service unavailable)",
     "The message was accepted, and came back later as undeliverable."),
    (r"status=deferred|stat=Deferred",
     "The message waits in the server's queue: the next server did not take it yet."),
    # Logins.
    (r"Invalid authentication mechanism|Unsupported authentication mechanism|no mechanism available"
     r"|mechanism not supported",
     "The server's authentication does not know the mechanism that the client chose, or it is switched off there."),
    (r"Connection lost to authentication server|authentication server.*(?:timed? ?out|refused|not available)"
     r"|Temporary authentication failure|Internal (?:login|auth(?:entication)?) failure|auth.*internal failure"
     r"|cannot connect to saslauthd|connect to .*auth.*failed",
     "The server could not ask whether the password is right: its authentication is out of order. "
     "The password may well be right."),
    (r"user disabled|account (?:is )?(?:disabled|locked|expired)|User is disabled",
     "The server knows this user, and the account is switched off."),
    (r"^(?!.*(?:\bRCPT\b|\b5\.1\.1\b|\bto=<)).*(?:unknown user|user not found|no such user)",
     "The server's authentication does not know this user name."),
    (r"password mismatch|Incorrect authentication data|authentication failed: authentication failure|checkpass failed"
     r"|Password verification failed",
     "The server found the password wrong for this user."),
    (r"plaintext authentication disallowed|cleartext authentication disallowed"
     r"|tried to use (?:disallowed )?plaintext auth|tried to use disabled plaintext auth",
     "The server takes a password in clear under TLS only; the client sent it without."),
    # TLS.
    (r"alert unknown ca|tlsv1 alert unknown ca|alert number 48",
     "The client broke TLS off, as it does not trust who signed the certificate it was shown."),
    (r"alert bad certificate|alert number 42|alert certificate unknown|alert number 46",
     "The client broke TLS off over the certificate it was shown: the name in it, or something else about it."),
    (r"alert certificate expired|alert number 45",
     "The client broke TLS off, as the certificate it was shown has expired."),
    (r"wrong version number|unknown protocol|http request|record overflow|input=\"\\026\\003",
     "One side spoke TLS where the other spoke in clear: port and security setting do not go together."),
    (r"unsupported protocol|alert protocol version|alert number 70|version too low",
     "Client and server have no version of TLS in common."),
    (r"no shared cipher|alert handshake failure|alert number 40|no suitable signature|dh key too small",
     "Client and server have no way of encryption in common."),
    (r"SSL_accept.*(?:lost connection|Connection reset|unexpected eof)"
     r"|TLS handshaking: (?:Disconnected|Connection closed)",
     "The client left in the middle of the TLS handshake."),
    (r"SSL_accept|accept failed=|TLS error on connection|TLS handshake failed",
     "The TLS handshake with the client failed."),
    (r"Must issue a STARTTLS command first",
     "The server wants STARTTLS before this command."),
    (r"auth failed, [0-9]+ attempts|SASL \S+ authentication failed|authenticator failed|AUTH failure",
     "The server refused the login."),
    # Messages and recipients.
    (r"synchronization error|improper command pipelining|rejecting.*pre-?greeting|PREGREET",
     "The client spoke before it was its turn, and the server took it for a sender of spam."),
    (r"greylist|Greylist|postgrey",
     "The server puts unknown senders off for some minutes: the same mail is taken when it is sent again."),
    (r"Relay access denied|relay not permitted|Relaying denied|relaying denied",
     "The server relays for this client only after a login."),
    (r"not owned by user|Sender address rejected: not (?:owned|logged)",
     "The user who logged in may not use this sender address."),
    (r"blocked using|listed (?:at|by|in) |DNSBL|dnsbl|\brbl\b",
     "The client's address is on a block list that the server asks."),
    (r"Helo command rejected|rejected (?:EHLO|HELO)|syntactically invalid argument|need fully-qualified hostname",
     "The server does not like the name that the client calls itself in EHLO."),
    (r"over quota|[Qq]uota exceeded|mailbox is full|Mailbox full|\b552 5\.2\.2 ",
     "The recipient's mailbox is full."),
    (r"User unknown|unknown in (?:virtual|local|relay)|Unrouteable address|Unknown user|No such (?:user|person)"
     r"|\b550 5\.1\.1 ",
     "The server knows no such recipient."),
    (r"Domain not found|Sender address rejected|sender verify fail|Domain of sender address",
     "The server does not take this sender address."),
    (r"milter-reject|Milter: .*reject|rejected after DATA"
     r"|(?:as|is|be|looks like) spam\b|spam (?:message|content|score)",
     "A filter of the server refused the message."),
    (r"message size exceeds|Message too (?:large|big)|message file too big|exceeds (?:fixed|maximum|size) ",
     "The message is larger than the server takes."),
    (r"insufficient system storage|No space left|not enough free space",
     "The server's disk is full."),
    (r"too many connections|Connection (?:rate|concurrency) limit|load average|Maximum number of connections"
     r"|concurrency limit|rate limit",
     "The server takes no more connections from this client for now, or from anybody."),
    (r"too many errors|too many unrecognized commands|too many syntax or protocol errors|too many bad commands",
     "The client made too many errors in a row, and the server hung up."),
    # Mailboxes.
    (r"[Mm]ailbox (?:is )?locked|Timeout while waiting for lock|locked by another|IN-USE|Couldn't lock",
     "The mailbox is in use by another session."),
    (r"Namespace '[^']*'.*(?:denied|No such)|Permission denied|chown\(|mkdir\(.*failed|Mailbox init failed",
     "The server cannot open the mailbox: its own rights or folders are wrong."),
    # Endings.
    (r"Inactivity|timeout after|Disconnected for inactivity|command timeout|data timeout|timeout waiting for input",
     "The client said nothing for so long that the server hung up."),
    (r"no auth attempts",
     "The client left without having tried to log in."),
    (r"lost connection|lost input channel|unexpected disconnection|Connection closed|Connection reset",
     "The client hung up without QUIT, as the server sees it."),
    (r"Server shutting down|shutting down|terminating on signal",
     "The server was shut down."),
    (r"\breject: |\breject=|\brejected\b|\brefused\b",
     "The server refused this."),
)  # fmt: skip
_MEANINGS: Final = tuple((re.compile(pattern, re.IGNORECASE), means) for pattern, means in _TEXTS)


def meaning(text: str) -> str:
    """What a line says about a failure, or what became of the message; empty where it says neither."""
    return next((means for pattern, means in _MEANINGS if pattern.search(text)), "")
