"""What servers mean by what they say: the texts of refusals, most special first.

Each row holds where it applies (verbs, parted by blanks; `*` is any), a pattern of codes, a pattern of texts, whose it
is, who else it may be, one sentence, what to do, and who says so. The first row that fits decides.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from mailproxy.model.finding import Blame, Confidence

CONFIG, PROGRAM, CREDENTIALS = Blame.CLIENT_CONFIG, Blame.CLIENT_PROGRAM, Blame.CREDENTIALS
POLICY, FAULT, NETWORK, MAILBOX = Blame.SERVER_POLICY, Blame.SERVER_FAULT, Blame.NETWORK, Blame.MAILBOX
UNKNOWN: Final = Blame.UNKNOWN
LOGIN: Final = "AUTH USER PASS APOP RPOP"
AUTH_TOO: Final = "AUTH USER PASS APOP RPOP CAPA STLS"
ENVELOPE: Final = "MAIL RCPT DATA BDAT"


class Text(NamedTuple):
    """A row of the table."""

    name: str
    verbs: str
    code: str
    pattern: str
    blame: Blame
    also: tuple[Blame, ...]
    summary: str
    remedy: str
    source: str
    confidence: Confidence = Confidence.HIGH


TEXTS: Final = (
    # How one logs in.
    Text("tls-first", f"* {LOGIN}", r"5..|4..|-ERR",
         r"must issue a starttls|starttls (?:is )?required|require[sd]? (?:a )?(?:tls|ssl|encrypt|secure)|encryption (?:is )?required"
         r"|plain-?text (?:authentication|login|password)s? (?:is |are )?(?:disallowed|not allowed|disabled|not permitted)"
         r"|clear-?text (?:login|password|auth)\S* (?:is |are )?(?:disallowed|not|disabled)|use (?:ssl|tls|starttls)|tls (?:is )?required"
         r"|(?:ssl|tls|encrypted|secure) connection (?:is )?(?:required|only)|non-secure|only (?:over|with|via) (?:ssl|tls)|issue starttls",
         CONFIG, (POLICY,), "The server takes no login and no mail before the connection is secured.",
         "Set the connection security to STARTTLS, or to SSL/TLS with port 465 or 995.",
         "Dovecot, Gmail, Postfix smtpd_tls_auth_only, RFC 3207 section 4, RFC 8314"),
    Text("app-password", LOGIN, r"5..|-ERR",
         r"application-specific password|app(?:lication)?[- ]password|5\.7\.9|authorization code|auth(?:entication)? code|client password|授权码",
         CREDENTIALS, (POLICY, CONFIG), "The provider wants a password made for this program, not that of the account.",
         "Make an app password (or authorization code) in the account's settings on the web, and enter it in the mail program.",
         "Gmail InvalidSecondFactor, QQ and 163 authorization codes, Yahoo, iCloud"),
    Text("basic-login-off", LOGIN, r"5..|-ERR",
         r"basic authentication is disabled|5\.7\.139|smtpclientauth(?:entication)? is disabled|authentication unsuccessful.*disabled"
         r"|username and password not accepted.*less secure|less secure app|5\.7\.30|oauth|modern auth",
         POLICY, (CONFIG, CREDENTIALS), "The provider no longer lets programs log in with name and password.",
         "Choose OAuth2 as authentication method, or have the administrator allow SMTP AUTH for the mailbox.",
         "Microsoft 365, Gmail"),
    Text("web-login-first", LOGIN, r"5..|-ERR",
         r"web ?browser|log ?in (?:via|with|through) .{0,20}(?:web|browser)|web login|verify your (?:account|identity)|unusual (?:login|activity|sign)"
         r"|suspicious|accept .{0,30}(?:terms|conditions)|confirm your",
         POLICY, (CREDENTIALS,), "The provider holds this login back until its owner confirms it on the web.",
         "Log in to the provider's web page once, confirm what it asks, and try again.", "Gmail WebLoginRequired, GMX, Yahoo"),
    Text("access-off", LOGIN, r"5..|-ERR",
         r"(?:pop3?|smtp|imap|protocol)\W{0,3}(?:access |service |client )?(?:is |are |has been )?(?:disabled|not (?:enabled|allowed|activated|permitted)|deactivated|off)"
         r"|not enabled for (?:pop|smtp|imap)|(?:account|user|mailbox|access) (?:is |has been |was )?(?:temporarily )?(?:disabled|suspended|blocked|locked|deactivated|inactive|expired|restricted)"
         r"|(?:user|account) not (?:permitted|allowed)|service(?:s)? (?:is |not )(?:disabled|allowed|enabled)|not authori[sz]ed for (?:pop|smtp)",
         POLICY, (CONFIG, CREDENTIALS), "The account may not be used in this way: it is blocked, or the service is switched off for it.",
         "Switch POP or SMTP on in the account's settings on the web, or ask the provider why the account is blocked.",
         "GMX, WEB.DE, Gmail, Microsoft 365, QQ"),
    Text("login-throttled", LOGIN, r"4..|5..|-ERR",
         r"too many (?:\S+ ){0,3}(?:login|attempt|fail|auth|bad|connection|invalid|try|tries)|rate.?limit|throttl|temporarily (?:blocked|locked|banned|unavailable|denied)|try again (?:later|in)"
         r"|login.delay|too (?:frequent|often)|exceeded.{0,30}(?:limit|attempt|bandwidth|quota)|please wait|wait .{0,20}(?:minute|second)",
         POLICY, (CREDENTIALS, FAULT), "The server lets nobody log in for a while: there were too many attempts.",
         "Wait, let fewer programs poll the account, and check the password in all of them.",
         "Dovecot auth penalties, Yahoo, Microsoft 365, RFC 2449 LOGIN-DELAY"),
    Text("mailbox-in-use", "*", r"-ERR|4..",
         r"\[in-use\]|in use\b|already (?:locked|open|in use|logged)|mailbox .{0,20}lock|maildrop .{0,20}lock|is locked|lock (?:the )?(?:mailbox|maildrop|file)|unable to lock|can'?t lock|another (?:session|process|client|pop3?)",
         MAILBOX, (POLICY, FAULT), "Another session has the mailbox locked.",
         "Close other programs that fetch from this mailbox, or wait some minutes until the server gives up their session.",
         "RFC 2449 section 8.1.2, Dovecot, Courier, UW ipop3d"),
    Text("login-backend", LOGIN, r"4..|5..|-ERR",
         r"\[sys/(?:temp|perm)\]|internal (?:server )?(?:error|authentication)|temporary (?:authentication )?(?:failure|problem|error)|auth(?:entication)? (?:service|server|backend|daemon|mechanism).{0,20}(?:unavailable|fail|down|error)"
         r"|unable to (?:open|access|connect|contact|read|process)|cannot (?:open|access|connect|read|chdir)|can'?t (?:open|connect|chdir|get)|server (?:error|busy|fail)|database|backend|ldap|system (?:error|problem|resources)"
         r"|(?:failed|error) (?:to )?(?:open|access|fetch|read|connect|initiali)|out of memory|no such file|permission denied|maildir|failed to fetch|internal",
         FAULT, (MAILBOX,), "The server could not check the login, or could not open the mailbox: that is its own trouble.",
         "Try again later; if it stays so, send the provider this line and the time.",
         "RFC 3206 SYS/TEMP and SYS/PERM, Dovecot, Courier, RFC 4954 section 6 (454)"),
    Text("bad-credentials", LOGIN, r"5..|4..|-ERR",
         r"\[auth\]|5\.7\.8|authentication (?:failed|failure|unsuccessful|rejected|denied|credentials? invalid)|invalid (?:login|user|password|credential|auth|account|pass)|(?:incorrect|bad|wrong) (?:\S+ ){0,3}(?:password|login|user|auth|credential)"
         r"|(?:password|login|user ?name|credentials?|logon|log ?in) (?:\S+ ){0,4}(?:incorrect|wrong|invalid|fail|failed|failure|unknown|rejected|not accepted|not correct|mismatch|error|denied)|logon failure|login fail|not accepted|badcredentials"
         r"|(?:unknown|no such) (?:user|account|login)|sorry.{0,20}(?:password|login)|access denied|denied|authorization fail|authentifizierung|fehlgeschlagen|permission",
         CREDENTIALS, (CONFIG, POLICY), "The server does not accept the user name or the password.",
         "Check the user name (often the whole address) and type the password anew; some providers want an app password.",
         "RFC 4954 section 6, RFC 3206 AUTH, Postfix, Dovecot, Exim, Exchange, Gmail"),
    # Who may call.
    Text("too-many-connections", "*", r"4..|5..|-ERR",
         r"too many (?:concurrent |simultaneous |open )?(?:\S+ )?(?:connections?|sessions?)|connection (?:rate|limit)|(?:maximum|max)\S* (?:number of )?(?:\S+ )?connections|connections? (?:exceeded|limit)",
         POLICY, (CONFIG,), "The server has too many connections from this address.",
         "Let the program open fewer connections at a time, and wait.", "Postfix anvil, Exim smtp_accept_max_per_host, GMX, RFC 5321 section 4.2.3"),
    Text("address-listed", "*", r"4..|5..",
         r"spamhaus|\bzen\.|dnsbl|\brbl\b|block ?list|black ?list|deny ?list|spamcop|barracuda|sorbs|\bpbl\b|listed (?:at|in|by|on)|poor reputation|bad reputation|\bbanned\b|dynamic (?:ip|address)|blocked (?:using|by|for|because|due)"
         r"|(?:ip|host|client)(?: address)? (?:\S+ ){0,4}(?:is |has been )?(?:blocked|blacklisted|listed|rejected)|reputation",
         POLICY, (NETWORK,), "The server refuses the address of this network: it is on a list.",
         "Send through your provider's submission server (587 or 465) with a login; else have the address taken off the list.",
         "Spamhaus, SpamCop, Postfix reject_rbl_client, Microsoft"),
    Text("no-reverse-name", "*", r"4..|5..",
         r"reverse (?:dns|lookup|hostname|name|record)|\bptr\b|\brdns\b|cannot find your (?:reverse )?hostname|no (?:valid )?(?:rdns|ptr)|client host rejected: cannot",
         POLICY, (NETWORK, CONFIG), "The server wants the client's address to have a name in DNS.",
         "Send through your provider's submission server with a login; a mail server needs a PTR record that fits.",
         "Postfix reject_unknown_client_hostname, Gmail 5.7.25"),
    Text("hello-name", "*", r"4..|5..",
         r"helo command rejected|(?:helo|ehlo)\b.{0,60}(?:invalid|reject|require|fully|fqdn|syntax|not (?:valid|accept|allow)|bogus|must|bad|denied|forged|misconf)|(?:invalid|bad|bogus|forged|rejected) (?:\S+ )?(?:helo|ehlo|hostname)|need fully.qualified hostname|use your real (?:host ?)?name",
         CONFIG, (PROGRAM, POLICY), "The server does not like the name by which the client greeted (EHLO).",
         "Give the program (or its machine) a full host name for its greeting; submission ports should not ask for it.",
         "Postfix reject_invalid_helo_hostname, Exim"),
    # Who may send what to whom.
    Text("auth-wanted", "*", r"5..|4..|-ERR",
         r"authenti(?:cation|cate|cated) (?:is |are )?(?:required|needed|first|necessary)|(?:must|need|please|have to|required? to) (?:\S+ ){0,4}(?:authenticate|auth\b|log ?in|login)|not authenticated|unauthenticated|auth(?:entication)? (?:required|first|needed)|smtp auth|login (?:is )?required|wantautherror|authorization required|log in first|client was not authenticated",
         CONFIG, (POLICY, PROGRAM), "The server wants a login before it takes mail, and the client sent none.",
         "Set an authentication method (password) and a user name for the outgoing server.",
         "RFC 4954 section 6 (530), Gmail, QQ, Exchange 5.7.57"),
    Text("relay-denied", "*", r"4..|5..",
         r"relay(?:ing)?\b.{0,40}(?:denied|prohibit|not (?:permitted|allowed|authorized)|reject|refus|disallow|block|unable)|(?:unable|not permitted|not allowed|cannot|can't|do(?:es)? not|won't|unauthori[sz]ed|no|deny|denied) (?:to )?relay|relaying (?:is )?den|relay access|not a relay|not local.{0,40}(?:relay|gateway)|rcpthosts|we don'?t (?:handle|relay)",
         POLICY, (CONFIG,), "The server passes no mail on to other domains for this client.",
         "Log in (authentication method: password), or use the outgoing server of the provider that the account is with.",
         "Postfix, Exim, Sendmail, Exchange 5.7.54, qmail rcpthosts"),
    Text("sender-not-owned", ENVELOPE, r"4..|5..",
         r"not owned by|(?:send(?:er)?|from)\b.{0,60}(?:must|does ?n[o']t|not|mismatch).{0,40}(?:match|equal|same|authori[sz]ed|allow|permit|own)|send ?as|local user is not allowed|not (?:allowed|permitted|authori[sz]ed) to (?:send|use)|authori[sz]ed (?:user|sender)|sender (?:address )?(?:is )?(?:not allowed|rejected|denied|unauthori[sz]ed|verify)|5\.7\.60|unauthori[sz]ed sender|sender denied|identity|alias",
         POLICY, (CONFIG,), "This account may not send under that sender's address.",
         "Use the address of the account as sender, or register the other one with the provider.",
         "Postfix reject_sender_login_mismatch, Exchange 5.7.60, 163, GMX"),
    Text("address-syntax", ENVELOPE, r"5..",
         r"(?:address|sender|recipient|path|mailbox)\S* syntax|syntax error|malformed|5\.1\.[37] bad|unbalanced|illegal|domain missing|not a valid address",
         PROGRAM, (CONFIG,), "The address was not written as SMTP wants it.", "Check the address for blanks and other slips of the finger.",
         "RFC 5321 section 4.1.2, Postfix, Exim"),
    Text("sender-domain", ENVELOPE, r"4..|5..",
         r"domain (?:of sender|not found|does not (?:exist|resolve)|doesn'?t exist)|sender (?:\S+ ){0,4}(?:domain|does not exist|unknown|verify fail|verification)|invalid sender|bad sender|5\.1\.[78]\b|no (?:mx|dns) (?:record|entry)|nullmx|5\.1\.10",
         CONFIG, (POLICY, MAILBOX), "The domain or the address of the sender does not exist, as the server sees it.",
         "Check the sender's address for a slip of the finger, and that its domain has DNS records.",
         "Postfix reject_unknown_sender_domain, Sendmail, RFC 7505"),
    Text("mailbox-full", "*", r"4..|5..|-ERR",
         r"over.?quota|quota (?:is )?(?:exceeded|full)|exceed\w* .{0,20}quota|mailbox (?:is |size |has )?(?:full|over|exceeded|limit)|(?:inbox|account|user|recipient|maildrop) (?:is |has )?(?:full|over)|out of (?:storage|space)|storage (?:allocation|exceeded|limit)|[45]\.2\.2",
         MAILBOX, (), "The mailbox of the recipient is full.", "Tell the recipient by other means, and send again later.",
         "RFC 3463 X.2.2, Dovecot, Cyrus, Gmail OverQuota"),
    Text("unknown-recipient", "RCPT DATA BDAT", r"4..|5..",
         r"5\.1\.[0126]\b|5\.1\.5|5\.2\.1|user (?:is )?unknown|unknown (?:\S+ )?(?:user|recipient|mailbox|account|address)|no such (?:\S+ )?(?:user|mailbox|recipient|person|address|account)|no (?:mailbox|account|user) (?:here|by that|with|found)|(?:mailbox|recipient|user|address|account|alias|email|e-mail|rcpt)\b.{0,40}(?:unavailable|not (?:found|exist|valid|known|local|active|available)|does(?:n'?t| not) exist|unknown|invalid|disabled|inactive|unrouteable|reserved)|(?:invalid|bad|unknown|unrouteable|undeliverable) (?:recipient|mailbox|address|user)|not a (?:valid|known) (?:user|mailbox|recipient)|that you tried to reach|recipient (?:address )?rejected: (?:user|undeliverable|unknown)|not our customer|5\.4\.1|recipientnotfound|local user",
         MAILBOX, (CONFIG, FAULT), "There is no such recipient.", "Check the recipient's address for a slip of the finger.",
         "RFC 3463 X.1.1, Postfix, Exim, Sendmail, Exchange, Gmail, Yahoo"),
    Text("greylisted", "*", r"4..",
         r"gr[ae]y ?list|try again (?:later|in|after)|please (?:retry|try)|deferred|come back later|not yet authori[sz]ed|temporarily (?:deferred|rejected|blocked)|retry (?:later|in|time)",
         POLICY, (), "The server puts strangers off for some minutes (greylisting), and takes the same message later.",
         "Wait some minutes and send again; programs that log in should be exempt: ask the provider.",
         "postgrey, rspamd, RFC 6647"),
    Text("too-much", "*", r"4..|5..",
         r"rate.?limit|too many (?:\S+ )?(?:messages?|e?mails?|recipients?|errors?|commands?|invalid|bad|rcpt)|(?:exceed|over|reach)\w* .{0,40}(?:limit|rate|maximum|quota|number|allow)|(?:limit|rate|maximum|quota) .{0,40}(?:exceed|reach|per)|throttl|per (?:hour|day|minute|session|connection)|maximum number|sending (?:limit|quota)|4\.5\.3|5\.5\.3|message rate|unusual rate|[45]\.4\.5",
         POLICY, (PROGRAM, CONFIG), "The server takes only so many messages or recipients at a time from this client.",
         "Send fewer at a time, over more connections or hours; the server says how many.",
         "Postfix anvil, Gmail 4.2.1, Microsoft 5.2.2 and 5.1.90, Stalwart"),
    Text("too-large", ENVELOPE, r"4..|5..",
         r"5\.3\.4|5\.2\.3|message (?:\S+ ){0,3}size|size (?:\S+ ){0,4}(?:limit|exceed|too)|too (?:large|big|long)|exceed\w* .{0,30}(?:size|length|maximum)|larger than",
         POLICY, (PROGRAM,), "The message is larger than the server takes.", "Send it in parts, smaller, or as a link.",
         "RFC 1870, RFC 3463 X.3.4"),
    Text("bad-lines", "*", r"4..|5..",
         r"bare (?:<?lf>?|line ?feed|newline|cr)|line too long|lines? longer|smuggl|8.?bit|(?:null|nul) (?:character|byte)|improper use of smtp|synchroni[sz]ation error|improper command pipelining|before .{0,20}greeting|pipelining",
         PROGRAM, (POLICY, NETWORK), "The client sent octets that RFC 5321 does not allow, or did not wait where it must.",
         "Update the mail program; switch off antivirus and other add-ons that change messages.",
         "Postfix smtpd_forbid_bare_newline, Exim, RFC 5321 sections 2.3.8 and 4.5.3.1"),
    Text("server-config", "*", r"4..|5..|-ERR",
         r"(?:server|local|system|service) (?:configuration|error)|configuration (?:error|problem)|internal|local (?:error|problem|delivery fail)|temporary (?:lookup )?(?:failure|error|problem)|database|queue file|no space|insufficient (?:system )?(?:storage|resources|disk)|cannot (?:open|write|create|connect)|unable to (?:open|write|create|connect|process|verify|queue)|backend|milter|out of memory|(?:requested )?action aborted|resources? (?:temporarily )?(?:unavailable|exceed)|too busy|system (?:not|busy)|i/o error|[45]\.3\.[0125]\b|4\.4\.\d|fail(?:ed|ure) to|could not",
         FAULT, (POLICY,), "The server is out of order, or wrong in its configuration; it says so itself.",
         "Try again later; if it stays so, send the provider this line and the time.",
         "RFC 3463 X.3.X, Postfix, Exim, Dovecot"),
    Text("content-refused", "DATA BDAT", r"4..|5..",
         r"spam|virus|malware|content|phish|policy|dmarc|dkim|\bspf\b|suspicious|reject|refus|blocked|denied|unsolicited|not accepted|bulk|header|rfc ?5322|5\.6\.\d|5\.7\.\d|transaction failed|from:|date:|attachment",
         POLICY, (PROGRAM, UNKNOWN), "The server refuses the message for what is in it.",
         "Look at what the reply names (links, attachments, headers, signatures); ask the provider which rule it was.",
         "Postfix, rspamd, SpamAssassin, Gmail 5.7.1, Yahoo"),
    Text("access-denied", "*", r"4..|5..",
         r"access denied|client host rejected|denied|prohibited|not (?:allowed|permitted|authori[sz]ed|accepted)|rejected|refused|administrative|policy|unauthori[sz]ed|blocked|forbidden|we do not accept|unwelcome|[45]\.7\.\d",
         POLICY, (CONFIG,), "The server refuses this client or this envelope, and means it.",
         "Use the provider's submission server with a login; ask its administrator which rule it was.",
         "Postfix access maps, RFC 3463 X.7.X"),
    # What was said wrongly.
    Text("message-gone", "RETR TOP LIST DELE UIDL *", r"-ERR", r"expunged|no such message|(?:message|msg) (?:\S+ ){0,3}(?:deleted|not exist|not found|gone|removed)|invalid message|(?:doesn'?t|does not) exist|there'?s? (?:is )?no (?:such )?message|not available|unknown message",
         MAILBOX, (PROGRAM, CONFIG), "The message is not there any more: another program took it away, or it never was.",
         "Let one program at a time fetch from this mailbox.", "Dovecot, RFC 1939 section 5"),
    Text("protocol-error", "AUTH", r"-ERR|5..", r"protocol error|invalid (?:base64|response|argument|command|parameter)|base64|malformed|decode|syntax|unexpected|too long|cancel",
         PROGRAM, (FAULT, POLICY), "The server does not understand how the client logs in.",
         "Choose another authentication method, or update the mail program.", "RFC 4954 section 4, RFC 5034, Microsoft 365"),
    Text("not-understood", "*", r"50[0-5]|55\d|-ERR",
         r"(?:command|syntax|parameter|argument|verb|option)\S* (?:\S+ ){0,3}(?:not |un|error|invalid|wrong|bad|missing|disabled)|(?:unknown|unrecogni[sz]ed|invalid|bad|unimplemented|unsupported|illegal) (?:\S+ )?(?:command|syntax|parameter|argument|option|sequence|state)|syntax|bad sequence|not (?:implemented|understood|recogni[sz]ed|supported|valid in this state)|out of sequence|nested mail|first\b|5\.5\.\d",
         PROGRAM, (FAULT, UNKNOWN), "The server did not understand a command, or not at this place.",
         "Look at the command in the transcript; if the mail program sent it so, update it.", "RFC 5321 section 4.2.2", Confidence.MEDIUM),
)  # fmt: skip


QUOTED: Final = re.compile(r"<[^<>\s]*@[^<>\s]*>|[^\s<>]+@[^\s<>]+")


@lru_cache(512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I | re.S)


def find(verb: str, code: str, text: str) -> Text | None:
    """The first row that fits a refusal; addresses and names that it quotes say nothing."""
    text = QUOTED.sub(" ", text)
    for row in TEXTS:
        verbs = row.verbs.split()
        if not ("*" in verbs or verb in verbs):
            continue
        if _compiled(row.code).fullmatch(code) and _compiled(row.pattern).search(text):
            return row
    return None
