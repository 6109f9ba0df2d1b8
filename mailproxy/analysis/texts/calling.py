"""Refusals of those who call: of their addresses, names and numbers."""

from typing import Final

from mailproxy.analysis.others import CONFIG, CREDENTIALS, FAULT, MAILBOX, NETWORK, POLICY, PROGRAM
from mailproxy.analysis.texts.row import Text

ROWS: Final = (
    Text(
        "sender-unproved", "*", r"4..|5..",
        r"[45]\.7\.2[0-46-79]\b|\bspf\b|\bdkim\b|\bdmarc\b|sender is unauthenticated",
        POLICY, (CONFIG,),
        "The server wants proof that the sender's domain lets this machine send (SPF, DKIM, DMARC).",
        "Send through the outgoing server of the sender's domain, or have its DNS records set.",
        "Gmail 5.7.26, RFC 7208, RFC 7489, RFC 7372",
    ),
    Text(
        "too-many-connections", "*", r"4..|5..|-ERR",
        r"too many (?:concurrent |simultaneous |open )?(?:\S+ )?(?:connections?|sessions?)"
        r"|connection (?:rate|limit)|(?:maximum|max)\S* (?:number of )?(?:\S+ )?connections"
        r"|connections? (?:exceeded|limit)|trop de connexions",
        POLICY, (CONFIG,),
        "The server has too many connections from this address.",
        "Let the program open fewer connections at a time, and wait.",
        "Postfix anvil, Exim smtp_accept_max_per_host, GMX, RFC 5321 section 4.2.3",
    ),
    Text(
        "no-reverse-name", "*", r"4..|5..",
        r"reverse (?:dns|lookup|hostname|name|record)|\bptr\b|\brdns\b|cannot find your (?:reverse )?hostname"
        r"|no (?:valid )?(?:rdns|ptr)|client host rejected: cannot",
        POLICY, (NETWORK, CONFIG),
        "The server wants the client's address to have a name in DNS.",
        "Send through your provider's submission server with a login; a mail server needs a PTR record that fits.",
        "Postfix reject_unknown_client_hostname, Gmail 5.7.25",
    ),
    Text(
        "sender-barred", "*", r"4..|5..",
        r"bad outbound sender|5\.1\.90\b|(?:blocked|barred|banned|restricted|suspended) from sending"
        r"|unregistered domain",
        POLICY, (CREDENTIALS, CONFIG),
        "The provider lets this account or domain send no more, as it does after spam.",
        "Change the password, look what was sent, and ask the provider to open the account again.",
        "Microsoft 365 5.1.8, 5.1.90 and 5.7.750",
    ),
    Text(
        "sender-domain", "MAIL RCPT DATA BDAT", r"4..|5..",
        r"^(?=.*(?:sender verif|verification failed for)).*(?:unrouteable|no such (?:user|address)|user unknown"
        r"|(?<!may )not exist|unknown user|does not recogni[sz]e)",
        CONFIG, (POLICY, MAILBOX),
        "The domain or the address of the sender does not exist, as the server sees it.",
        "Check the sender's address for a slip of the finger, and that its domain has DNS records.",
        "Exim's sender verification",
    ),
    Text(
        "sender-callback", "*", r"4..|5..",
        r"call(?:back|out)\b|verif\w+ failed for|sender verif\w+",
        POLICY, (CONFIG, FAULT),
        "The server asked the sender's own server whether that address exists, and got no good answer.",
        "Use a sender's address that exists and takes mail; its server must answer MAIL FROM:<> and RCPT.",
        "Exim's sender verification with callouts, Postfix reject_unverified_sender",
    ),
    Text(
        "hello-name", "*", r"4..|5..",
        r"helo\W+host ?name mismatch|correct (?:the |your )?helo",
        CONFIG, (PROGRAM, POLICY),
        "The server does not like the name by which the client greeted (EHLO).",
        "Give the program (or its machine) a full host name for its greeting; submission ports should not ask "
        "for it.",
        "policyd-weight",
    ),
    Text(
        "address-listed", "*", r"4..|5..",
        r"spamhaus|\bzen\.|dnsbl|\brbl\b|block ?list|black ?list|deny ?list|spamcop|barracuda|sorbs|\bpbl\b"
        r"|(?<!not )listed (?:at|in|by|on)|poor reputation|bad reputation|\bbanned\b|dynamic (?:ip|address)"
        r"|blocked (?:using|by|for|because|due)"
        r"|(?:ip|host|client)(?: address)? (?:\S+ ){0,4}(?:is |has been )?(?:blocked|blacklisted|listed|rejected)"
        r"|reputation|spam (?:source|blocked)",
        POLICY, (NETWORK,),
        "The server refuses the address of this network: it is on a list.",
        "Send through your provider's submission server (587 or 465) with a login; else have the address taken "
        "off the list.",
        "Spamhaus, SpamCop, Postfix reject_rbl_client, Microsoft",
    ),
    Text(
        "hello-name", "*", r"4..|5..",
        r"helo command rejected"
        r"|(?:helo|ehlo)\b.{0,60}(?:invalid|reject|require|fully|fqdn|syntax|not (?:valid|accept|allow)|bogus|must"
        r"|bad|denied|forged|misconf)|(?:invalid|bad|bogus|forged|rejected) (?:\S+ )?(?:helo|ehlo|hostname)"
        r"|need fully.qualified hostname|use your real (?:host ?)?name|you are not me",
        CONFIG, (PROGRAM, POLICY),
        "The server does not like the name by which the client greeted (EHLO).",
        "Give the program (or its machine) a full host name for its greeting; submission ports should not ask "
        "for it.",
        "Postfix reject_invalid_helo_hostname, Exim",
    ),
    Text(
        "hello-name", "EHLO HELO LHLO", r"501|504|55.",
        r"invalid|domain name|not a valid",
        CONFIG, (PROGRAM, POLICY),
        "The server does not like the name by which the client greeted (EHLO).",
        "Give the program (or its machine) a full host name for its greeting: letters, digits, hyphens and dots.",
        "Exchange 5.5.4, Exim, RFC 5321 section 4.1.1.1",
    ),
    Text(
        "tls-again", "STARTTLS STLS", r"4..|5..|-ERR",
        r"(?:tls|ssl|encrypt\w*) (?:\S+ )?(?:already|active)|already (?:\S+ ){0,3}(?:tls|ssl|secure|encrypted)",
        PROGRAM, (CONFIG,),
        "The client asks for TLS on a connection that is secured already.",
        "Set the connection security to SSL/TLS alone for this port, or update the mail program.",
        "RFC 3207 section 4.2",
    ),
    Text(
        "tls-unavailable", "STARTTLS STLS", r"4..|5..|-ERR",
        r"tls .{0,20}(?:not|un)\W?(?:available|configured|enabled|possible)|temporar"
        r"|no (?:certificate|private key)|internal",
        FAULT, (CONFIG,),
        "The server offers TLS and cannot begin it.",
        "Tell the provider: its TLS seems not to be set up; try SSL/TLS on port 465 or 995 meanwhile.",
        "RFC 3207 section 4 (454), Postfix, Dovecot",
    ),
)  # fmt: skip
