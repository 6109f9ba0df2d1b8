"""Refusals of senders, of recipients, and of the messages between them."""

from typing import Final

from mailproxy.analysis.others import CONFIG, CREDENTIALS, FAULT, MAILBOX, NETWORK, POLICY, PROGRAM, UNKNOWN
from mailproxy.analysis.texts.row import ENVELOPE, Text

DOMAIN: Final = (
    r"domain (?:of sender|(?:name )?must (?:resolve|exist)|(?<!recipient address rejected: domain )not found"
    r"|does not (?:exist|resolve)|doesn'?t exist)"
    r"|sender (?:\S+ ){0,4}(?:domain|does not exist|unknown|not valid)|(?:invalid|bad|unknown) sender(?! ip)"
    r"|[45]\.1\.[78]\b|no (?:mx|dns) (?:record|entry)|5\.7\.27\b"
    r"|need fully.qualified address|must contain a domain|domain (?:name )?required"
)
"""What is said of a sender's domain; at RCPT it may be of the recipient's."""
ROWS: Final = (
    Text(
        "sender-unknown-inside", "MAIL RCPT DATA BDAT", r"4..|5..",
        r"account is not available|outgoing server settings",
        PROGRAM, (CONFIG, CREDENTIALS),
        "The server does not know any more whose account sends.",
        "Let the program say EHLO once, before its login; and use the address of the account as sender.",
        "Proton Bridge",
    ),
    Text(
        "members-only", "RCPT DATA BDAT", r"5..",
        r"(?:local|internal|authori[sz]ed|known) (?:users?|senders?|members?) only"
        r"|only (?:\S+ ){0,3}(?:from|by|for) (?:local|internal|authenticated|authori[sz]ed|members|approved)"
        r"|not (?:allowed|permitted|authori[sz]ed|authenticated) (?:\S+ )?to (?:send|post|submit) (?:\S+ ){0,3}to"
        r"|5\.7\.1(?:24|33|34)\b|allowed.?senders.?list|delivery restriction",
        POLICY, (MAILBOX, CONFIG),
        "The recipient takes mail from some senders alone.",
        "Ask the recipient, or whoever keeps that mailbox or list, to let the sender in.",
        "Exchange RESOLVER.RST.AuthRequired, Coremail, Mailman",
    ),
    Text(
        "auth-wanted", "*", r"5..|4..|-ERR",
        r"authenti(?:cation|cate|cated) (?:is |are )?(?:required|needed|first|necessary)"
        r"|(?:must|need|please|have to|required? to) (?:\S+ ){0,4}(?:authenticate|auth\b|log ?in|login)"
        r"|requires? authentication|not authenticated|unauthenticated|smtp auth"
        r"|auth(?:entication)? (?:required|first|needed)"
        r"|login (?:is )?required|wantautherror|authorization required|log in first|client was not authenticated"
        r"|not logged in",
        CONFIG, (POLICY, PROGRAM),
        "The server wants a login before it takes mail, and the client sent none.",
        "Set an authentication method (password) and a user name for the outgoing server.",
        "RFC 4954 section 6 (530), Gmail, QQ, Exchange 5.7.57",
    ),
    Text(
        "relay-denied", "*", r"4..|5..",
        r"relay(?:ing)?\b.{0,40}(?:denied|prohibit|not (?:permitted|allowed|authorized)|reject|refus|disallow"
        r"|block|unable)"
        r"|(?:unable|not permitted|not allowed|cannot|can't|do(?:es)? not|won't|unauthori[sz]ed|no|deny"
        r"|denied) (?:to )?relay|relaying (?:is )?den|relay access|not a relay|not local.{0,40}(?:relay|gateway)"
        r"|rcpthosts?\b|we don'?t (?:handle|relay)|(?:as a|open|mail) relay\b|to relay (?:mail|through)"
        r"|non-local e?-?mail"
        r"|(?:cannot|can'?t|do(?:es)? not|don'?t|won'?t) (?:accept|deliver|handle|take) (?:e?-?mails?|messages?)"
        r" (?:for|to)\b",
        POLICY, (CONFIG,),
        "The server passes no mail on to other domains for this client.",
        "Log in (authentication method: password), or use the outgoing server of the provider that the account "
        "is with.",
        "Postfix, Exim, Sendmail, Exchange 5.7.54, qmail rcpthosts",
    ),
    Text(
        "address-syntax", ENVELOPE, r"5..",
        r"(?:address|sender|recipient|path|mailbox)\S* syntax|syntax error|malformed|5\.1\.[37] bad|unbalanced"
        r"|illegal|domain missing|not a valid address",
        PROGRAM, (CONFIG,),
        "The address was not written as SMTP wants it.",
        "Check the address for blanks and other slips of the finger.",
        "RFC 5321 section 4.1.2, Postfix, Exim",
    ),
    Text(
        "sender-domain", "MAIL DATA BDAT", r"4..|5..",
        DOMAIN,
        CONFIG, (POLICY, MAILBOX),
        "The domain or the address of the sender does not exist, as the server sees it.",
        "Check the sender's address for a slip of the finger, and that its domain has DNS records.",
        "Postfix reject_unknown_sender_domain, Sendmail, Exim verify, RFC 7505",
    ),
    Text(
        "sender-domain", "RCPT", r"4..|5..",
        r"^(?=.*(?:sender|from\b|[45]\.1\.[78]|5\.7\.27)).*(?:" + DOMAIN + ")",
        CONFIG, (POLICY, MAILBOX),
        "The domain or the address of the sender does not exist, as the server sees it.",
        "Check the sender's address for a slip of the finger, and that its domain has DNS records.",
        "Postfix reject_unknown_sender_domain, Sendmail, Exim verify, RFC 7505",
    ),
    Text(
        "sender-unregistered", ENVELOPE, r"4..|5..",
        r"unconfigured sending domain|not a verified|not verified|unverified|sender identity"
        r"|verify (?:your|the) (?:sender|domain|email)"
        r"|(?:domain|sender|address|from)\b.{0,40} not (?:registered|configured|set up|validated|verified)"
        r"|not (?:registered|configured|validated) (?:\S+ ){0,4}(?:domain|sender|address)|identities failed",
        POLICY, (CONFIG,),
        "The provider sends only for addresses and domains that were registered with it.",
        "Register the sender's domain or address in the provider's settings on the web, or use one that is.",
        "SparkPost, SendGrid, Amazon SES, Mailgun, Brevo",
    ),
    Text(
        "sender-differs", ENVELOPE, r"5..",
        r"must (?:be (?:the )?same|equal|match)|same as (?:the )?(?:auth|login|account)|not owned by auth user",
        CONFIG, (POLICY,),
        "The sender's address is not that of the account which logged in.",
        "Enter the address of the account as sender.", "QQ, 163, Yandex, Tencent Exmail",
    ),
    Text(
        "sender-not-owned", ENVELOPE, r"4..|5[1-9].",
        r"not owned by"
        r"|(?:send(?:er)?|from)\b.{0,60}(?:must|does ?n[o']t|not|mismatch).{0,40}(?:match|equal|same|authori[sz]ed"
        r"|allow|permit|own)|send ?as|local user is not allowed"
        r"|not (?:allowed|permitted|authori[sz]ed) to (?:send|use)|authori[sz]ed (?:user|sender)"
        r"|sender (?:address )?(?:is )?(?:not allowed|rejected|denied|unauthori[sz]ed|verify)|5\.7\.60"
        r"|unauthori[sz]ed sender|sender denied|identity|\balias\b(?! loop)",
        POLICY, (CONFIG,),
        "This account may not send under that sender's address.",
        "Use the address of the account as sender, or register the other one with the provider.",
        "Postfix reject_sender_login_mismatch, Exchange 5.7.60, 163, GMX",
    ),
    Text(
        "mailbox-full", "*", r"4..|5..|-ERR",
        r"^(?!.*(?:daily|sending|throttl|submission)).*"
        r"(?:over.?quota|quota (?:is )?(?:exceeded|full)|exceed\w* .{0,20}quota"
        r"|mailbox (?:is |size |has )?(?:full|over|exceeded|limit)"
        r"|(?:inbox|account|user|recipient|maildrop) (?:is |has )?(?:full|over)|out of (?:storage|space)"
        r"|storage (?:allocation|exceeded|limit)|[45]\.2\.2\b"
        r"|postfach (?:\S+ )?voll|bo[iî]te (?:\S+ ){0,3}pleine|buz[oó]n (?:\S+ )?lleno|已满"
        r"|(?:disk|mailbox|mail|storage|allowed) quota|quota (?:usage|violation)|over (?:\S+ ){1,2}quota"
        r"|exceed\w* (?:\S+ ){0,3}storage|too many messages on|enough (?:\S+ )?space (?:in|for)|space has been used)",
        MAILBOX, (),
        "The mailbox of the recipient is full.",
        "Tell the recipient by other means, and send again later.",
        "RFC 3463 X.2.2, Dovecot, Cyrus, Gmail OverQuota",
    ),
    Text(
        "mail-loop", "*", r"4..|5..",
        r"(?:too many|maximum|max|exceed\w*) (?:\S+ ){0,2}hops?\b|hop ?count|\bloops?\b",
        FAULT, (MAILBOX, CONFIG),
        "The message goes round in circles between servers.",
        "Have the administrators of the recipient look for forwards and domains that point at each other.",
        "RFC 5321 section 6.3, Sendmail, Postfix, Exchange 5.4.6",
    ),
    Text(
        "too-much", "*", r"4..|5..",
        r"(?:send|sending|mail|message|recipient)s? (?:\S+ )?(?:limit|quota)|unusual (?:sending|rate)|daily limit"
        r"|rate.?limit|5\.2\.12\d",
        POLICY, (PROGRAM, CONFIG),
        "The server takes only so many messages or recipients at a time from this client.",
        "Send fewer at a time, over more connections or hours; the server says how many.",
        "Zoho, IONOS, Gmail 5.4.5, Microsoft 5.1.90",
    ),
    Text(
        "put-off", "RCPT", r"5..",
        r"try (?:it |this )?again (?:later|in)|try later|retry later",
        POLICY, (MAILBOX, FAULT),
        "The server refuses this for now, though its code says for good: it holds the client off.",
        "Wait, send fewer at a time, and ask the provider which limit it was.",
        "GMX, IONOS",
    ),
    Text(
        "unknown-recipient", "RCPT DATA BDAT", r"4..|5..",
        r"5\.1\.(?:[0126]|10)\b|null ?mx|4\.1\.2\b|5\.1\.5|5\.2\.1|user (?:is )?unknown"
        r"|unknown (?:\S+ )?(?:user|recipient|mailbox|account|address)"
        r"|no such (?:\S+ )?(?:user|mailbox|recipient|person|address|account)"
        r"|no (?:mailbox|account|user) (?:here|by that|with|found)"
        r"|(?:mailbox|recipient|user|address|account|alias|email|e-mail|rcpt)\b.{0,40}(?:unavailable|not (?:found"
        r"|exist|valid|known|local|active|available|be found)|does(?:n'?t| not) exist|unknown|invalid|disabled|inactive"
        r"|unrouteable|reserved)"
        r"|(?:invalid|bad|unknown|unrouteable|undeliverable) (?:recipient|mailbox|address|user)"
        r"|not a (?:valid|known) (?:user|mailbox|recipient)|that you tried to reach"
        r"|recipient (?:address )?rejected: (?:user|undeliverable|unknown|domain)|not our customer|5\.4\.1"
        r"|recipientnotfound|local user|mailbox name not allowed"
        r"|domain (?:\S+ ){0,2}(?:does not exist|must exist|unknown|not reachable|not found)"
        r"|host unknown|no such domain"
        r"|unbekannt|existiert nicht|inconnue?\b|n'existe pas|no existe|desconocid[oa]|不存在",
        MAILBOX, (CONFIG, FAULT),
        "There is no such recipient.",
        "Check the recipient's address for a slip of the finger.",
        "RFC 3463 X.1.1, Postfix, Exim, Sendmail, Exchange, Gmail, Yahoo",
    ),
    Text(
        "server-config", "*", r"4..",
        r"unexpected (?:failure|error)|local problem|system problem|queue file|milter|space shortage|disk (?:is )?full"
        r"|service (?:is )?(?:temporarily )?unavailable(?!; (?:client|sender|helo))"
        r"|insufficient (?:system )?(?:storage|resources|disk)|lookup (?:failure|error)|shutting down"
        r"|server (?:configuration )?error",
        FAULT, (POLICY,),
        "The server is out of order, or wrong in its configuration; it says so itself.",
        "Try again later; if it stays so, send the provider this line and the time.",
        "Postfix, Exim 4.94 and newer, Exchange back pressure",
    ),
    Text(
        "greylisted", "*", r"4..",
        r"^(?!... 4\.3\.[015]).*(?:gr[ae]y ?list|4\.3\.2 service currently unavailable"
        r"|try again (?:later|in|after)|please (?:retry|try)|deferred|come back later"
        r"|not yet authori[sz]ed|temporarily (?:deferred|rejected|blocked)|retry (?:later|in|time))",
        POLICY, (FAULT,),
        "The server puts strangers off for some minutes (greylisting), and takes the same message later.",
        "Wait some minutes and send again; programs that log in should be exempt: ask the provider.",
        "postgrey, rspamd, RFC 6647",
    ),
    Text(
        "too-large", ENVELOPE, r"4..|5..",
        r"5\.3\.4|5\.2\.3|message (?:\S+ ){0,3}size|size (?:\S+ ){0,4}(?:limit|exceed|too)|too (?:large|big)"
        r"|(?<!line )too long"
        r"|exceed\w* .{0,30}(?:size|length)|larger than",
        POLICY, (PROGRAM,),
        "The message is larger than the server takes.",
        "Send it in parts, smaller, or as a link.",
        "RFC 1870, RFC 3463 X.3.4",
    ),
    Text(
        "too-much", "*", r"4..|5..",
        r"rate.?limit|too many (?:\S+ )?(?:messages?|e?mails?|recipients?|errors?|commands?|invalid|bad|rcpt)"
        r"|(?:exceed|over|reach)\w* .{0,40}(?:limit|rate|maximum|quota|number|allow)"
        r"|(?:limit|rate|maximum|quota) .{0,40}(?:exceed|reach|per)|throttl"
        r"|per (?:hour|day|minute|session|connection)|maximum number|sending (?:limit|quota)|4\.5\.3|5\.5\.3"
        r"|message rate|unusual rate|[45]\.4\.5",
        POLICY, (PROGRAM, CONFIG),
        "The server takes only so many messages or recipients at a time from this client.",
        "Send fewer at a time, over more connections or hours; the server says how many.",
        "Postfix anvil, Gmail 4.2.1, Microsoft 5.2.2 and 5.1.90, Stalwart",
    ),
    Text(
        "bad-lines", "*", r"4..|5..",
        r"bare (?:<?lf>?|line ?feed|newline|cr)|smtplf|lines? too long|lines? longer|line length|smuggl|8.?bit"
        r"|(?:null|nul) (?:character|byte)|improper use of smtp|synchroni[sz]ation error"
        r"|improper command pipelining|before .{0,20}greeting|pipelining",
        PROGRAM, (POLICY, NETWORK),
        "The client sent octets that RFC 5321 does not allow, or did not wait where it must.",
        "Update the mail program; switch off antivirus and other add-ons that change messages.",
        "Postfix smtpd_forbid_bare_newline, Exim, RFC 5321 sections 2.3.8 and 4.5.3.1",
    ),
    Text(
        "content-refused", "DATA BDAT", r"4..|5..",
        r"outboundspam|suspicion of spam"
        r"|(?:is|as|like|looks? like|contains?|considered) (?:\S+ )?(?:spam|unsolicited|bulk)"
        r"|spam (?:message|content|detected)|virus|malware|infected|phish",
        POLICY, (PROGRAM, UNKNOWN),
        "The server refuses the message for what is in it.",
        "Look at its links, attachments and headers; ask the provider which rule it was.",
        "rspamd, SpamAssassin, ClamAV, Yandex, Microsoft",
    ),
    Text(
        "header-wrong", "DATA BDAT", r"5..",
        r"(?:header|field)\W? (?:is |are )?(?:missing|invalid|not|required|malformed|duplicate)"
        r"|\bmime\b(?!.{0,40}(?:virus|attachment|blocked))|boundary|charset|content-(?:type|transfer-encoding)|base64"
        r"|(?:missing|multiple|duplicate|invalid|malformed|no|bad|illegal) (?:\S+ ){0,2}header|header error"
        r"|not rfc ?\d+ compliant|malformed|corrupt|[45]\.6\.\d",
        PROGRAM, (POLICY, CONFIG),
        "A header of the message is missing, or not as it must be.",
        "Look at the header that the reply names (From, Date, Message-ID, To); update the mail program.",
        "RFC 5322 section 3.6, Gmail, QQ",
    ),
    Text(
        "server-config", "*", r"4..|5..|-ERR",
        r"(?:server|local|system|service) (?:configuration|error)|configuration (?:error|problem)|internal"
        r"|local (?:error|problem|delivery fail)|temporary (?:lookup )?(?:failure|error|problem)|database"
        r"|queue file|no space|insufficient (?:system )?(?:storage|resources|disk)"
        r"|cannot (?:open|write|create|connect)|unable to (?:open|write|create|connect|process|verify|queue)"
        r"|backend|milter|out of memory|(?:requested )?action aborted"
        r"|resources? (?:temporarily )?(?:unavailable|exceed)|too busy|system (?:not|busy)|i/o error"
        r"|can'?t (?:open|write|create|connect)|system call|error while|misconfigured|config error"
        r"|read-only file|no such file|broken pipe|too many open files|i/o timeout|panic"
        r"|[45]\.3\.[0125]\b|4\.4\.\d|fail(?:ed|ure) to|could not|too many hops|\bloops?\b|5\.4\.[06]\b",
        FAULT, (POLICY,),
        "The server is out of order, or wrong in its configuration; it says so itself.",
        "Try again later; if it stays so, send the provider this line and the time.",
        "RFC 3463 X.3.X, Postfix, Exim, Dovecot",
    ),
    Text(
        "content-refused", "DATA BDAT", r"4..|5..",
        r"spam|virus|malware|content|phish|policy|dmarc|dkim|\bspf\b|suspicious|reject|refus|blocked|denied"
        r"|unsolicited|not accepted|bulk|header|rfc ?5322|5\.6\.\d|5\.7\.\d|transaction failed|from:|date:"
        r"|attachment",
        POLICY, (PROGRAM, UNKNOWN),
        "The server refuses the message for what is in it.",
        "Look at what the reply names (links, attachments, headers, signatures); ask the provider which rule it "
        "was.",
        "Postfix, rspamd, SpamAssassin, Gmail 5.7.1, Yahoo",
    ),
    Text(
        "access-denied", "*", r"4..|5..",
        r"access denied|client host rejected|denied|prohibited|not (?:allowed|permitted|authori[sz]ed|accepted)"
        r"|rejected|refused|administrative|policy|unauthori[sz]ed|blocked|forbidden|we do not accept|unwelcome"
        r"|[45]\.7\.\d",
        POLICY, (CONFIG,),
        "The server refuses this client or this envelope, and means it.",
        "Use the provider's submission server with a login; ask its administrator which rule it was.",
        "Postfix access maps, RFC 3463 X.7.X",
    ),
)  # fmt: skip
