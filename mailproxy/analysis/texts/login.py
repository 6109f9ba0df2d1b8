"""Refusals of logins."""

from typing import Final

from mailproxy.analysis.others import CONFIG, CREDENTIALS, FAULT, MAILBOX, POLICY, PROGRAM
from mailproxy.analysis.texts.row import LOGIN, Text

ROWS: Final = (
    Text(
        "token-malformed", "AUTH", r"5..|-ERR",
        r"invalid (?:xoauth2|oauthbearer|sasl|auth data)|5\.5\.124",
        PROGRAM, (CREDENTIALS, CONFIG),
        "The server cannot read the token of the login.",
        "Update the mail program, and let it fetch a new token.", "Microsoft 365",
    ),
    Text(
        "tls-first", "*", r"5..|4..|-ERR",
        r"must issue a starttls|starttls (?:is )?required"
        r"|require[sd]? (?:\S+ ){0,5}(?:tls|ssl|encrypt\w*|secur\w*|transport)\b"
        r"|encryption (?:is )?required"
        r"|plain-?text (?:authentication|login|password)s? (?:is |are )?(?:disallowed|not allowed|disabled"
        r"|not permitted)|clear-?text (?:login|password|auth)\S* (?:is |are )?(?:disallowed|not|disabled)"
        r"|use (?:ssl|tls|starttls)|tls (?:is )?required"
        r"|(?:ssl|tls|encrypted|secure) connection (?:is )?(?:required|only)|non-secure"
        r"|only (?:over|with|via) (?:ssl|tls)|issue starttls",
        CONFIG, (POLICY,),
        "The server takes no login and no mail before the connection is secured.",
        "Set the connection security to STARTTLS, or to SSL/TLS with port 465 or 995.",
        "Dovecot, Gmail, Postfix smtpd_tls_auth_only, RFC 3207 section 4, RFC 8314",
    ),
    Text(
        "app-password", LOGIN, r"5..|-ERR",
        r"application-specific password|app(?:lication)?[- ]password|5\.7\.9|authorization code"
        r"|auth(?:entication)? code|client password|授权码",
        CREDENTIALS, (POLICY, CONFIG),
        "The provider wants a password made for this program, not that of the account.",
        "Make an app password (or authorization code) in the account's settings on the web, and enter it in the "
        "mail program.",
        "Gmail InvalidSecondFactor, QQ and 163 authorization codes, Yahoo, iCloud",
    ),
    Text(
        "basic-login-off", LOGIN, r"5..|-ERR",
        r"basic authentication is disabled|5\.7\.139(?!.*incorrect)|smtpclientauth(?:entication)? is disabled"
        r"|authentication unsuccessful.*disabled|username and password not accepted.*less secure|less secure app"
        r"|5\.7\.30|(?:only|use|requires?|through|with) (?:\S+ )?oauth|oauth2? (?:is )?required|modern auth"
        r"|5\.7\.3\d .*criteria|did not meet the criteria",
        POLICY, (CONFIG, CREDENTIALS),
        "The provider no longer lets programs log in with name and password.",
        "Choose OAuth2 as authentication method, or have the administrator allow SMTP AUTH for the mailbox.",
        "Microsoft 365, Gmail",
    ),
    Text(
        "web-login-first", LOGIN, r"5..|-ERR",
        r"web ?browser|log ?in (?:via|with|through) .{0,20}(?:web|browser)|web login"
        r"|verify your (?:account|identity)|unusual (?:login|activity|sign)|suspicious"
        r"|accept .{0,30}(?:terms|conditions)|confirm your",
        POLICY, (CREDENTIALS,),
        "The provider holds this login back until its owner confirms it on the web.",
        "Log in to the provider's web page once, confirm what it asks, and try again.",
        "Gmail WebLoginRequired, GMX, Yahoo",
    ),
    Text(
        "mailbox-in-use", "*", r"-ERR|4..",
        r"^(?!.*too many).*(?:\[in-use\]|in use\b|already (?:locked|open|in use|logged)"
        r"|mailbox .{0,20}lock|maildrop .{0,20}lock"
        r"|(?:cannot|could ?n[o']t) lock|lock busy"
        r"|(?<!account )(?<!user )is locked|lock (?:the )?(?:mailbox|maildrop|file)|unable to lock|can'?t lock"
        r"|another (?:session|process|client|pop3?))",
        MAILBOX, (POLICY, FAULT),
        "Another session has the mailbox locked.",
        "Close other programs that fetch from this mailbox, or wait some minutes until the server gives up their "
        "session.",
        "RFC 2449 section 8.1.2, Dovecot, Courier, UW ipop3d",
    ),
    Text(
        "access-off", LOGIN, r"5..|-ERR",
        r"(?:pop3?|smtp|imap|protocol)\W{0,3}(?:access |service |client )?(?:is |are |has been )?(?:disabled"
        r"|not (?:enabled|allowed|activated|permitted)|deactivated|off)|not enabled for (?:pop|smtp|imap)"
        r"|(?:account|user|access) (?:is |has been |was )?(?:temporarily )?(?:disabled|suspended|blocked"
        r"|locked|deactivated|inactive|expired|restricted)|(?:user|account) not (?:permitted|allowed)|no permission"
        r"|(?:account|access|service) (?:\S+ ){0,4}not (?:activated|enabled)"
        r"|mailbox (?:is |has been )?(?:disabled|suspended|deactivated|inactive|expired|restricted)"
        r"|service(?:s)? (?:is |not )(?:disabled|allowed|enabled)|not authori[sz]ed for (?:pop|smtp)",
        POLICY, (CONFIG, CREDENTIALS),
        "The account may not be used in this way: it is blocked, or the service is switched off for it.",
        "Switch POP or SMTP on in the account's settings on the web, or ask the provider why the account is "
        "blocked.",
        "GMX, WEB.DE, Gmail, Microsoft 365, QQ",
    ),
    Text(
        "login-backend", LOGIN, r"4..|-ERR",
        r"\[sys/temp\](?!.*too many)|temporary (?:system|internal|server)|system problem|server unavailable",
        FAULT, (POLICY, MAILBOX),
        "The server could not check the login, or could not open the mailbox: that is its own trouble.",
        "Try again later; if it stays so, send the provider this line and the time.",
        "RFC 3206 section 4",
    ),
    Text(
        "login-throttled", LOGIN, r"4..|5..|-ERR",
        r"^(?!.*\b(?:disk|storage)\b).*"
        r"(?:too many (?:\S+ ){0,3}(?:login|attempt|fail|auth|bad|connection|invalid|try|tries)|rate.?limit|throttl"
        r"|temporarily (?:blocked|locked|banned|unavailable|denied)|try again (?:later|in)|login.delay"
        r"|too (?:frequent|often)|exceeded.{0,30}(?:limit|attempt|bandwidth|quota)|please wait|nur alle"
        r"|(?:limit|credits?|quota|attempts) (?:has been |have been |is |was )?(?:exceeded|reached)|only every"
        r"|wait .{0,20}(?:minute|second))",
        POLICY, (CREDENTIALS, FAULT),
        "The server lets nobody log in for a while: there were too many attempts.",
        "Wait, let fewer programs poll the account, and check the password in all of them.",
        "Dovecot auth penalties, Yahoo, Microsoft 365, RFC 2449 LOGIN-DELAY",
    ),
    Text(
        "login-backend", LOGIN, r"4..|5..|-ERR",
        r"\[sys/(?:temp|perm)\]|internal (?:server )?(?:error|authentication)"
        r"|temporary (?:authentication )?(?:failure|problem|error)"
        r"|auth(?:entication)? (?:service|server|backend|daemon|mechanism).{0,20}(?:unavailable|fail|down|error)"
        r"|unable to (?:open|access|connect|contact|read|process)|cannot (?:open|access|connect|read|chdir)"
        r"|can'?t (?:open|connect|chdir|get)|server (?:error|busy|fail)|database|backend|ldap"
        r"|system (?:error|problem|resources)|(?:failed|error) (?:to )?(?:open|access|fetch|read|connect|initiali)"
        r"|out of memory|no such file|permission denied|maildir|failed to fetch|internal"
        r"|no (?:worthy )?mech(?:anism)?s? |generic failure|corrupt",
        FAULT, (MAILBOX,),
        "The server could not check the login, or could not open the mailbox: that is its own trouble.",
        "Try again later; if it stays so, send the provider this line and the time.",
        "RFC 3206 SYS/TEMP and SYS/PERM, Dovecot, Courier, RFC 4954 section 6 (454)",
    ),
    Text(
        "state-wants-tls", "USER", r"-ERR",
        r"not valid in this state",
        CONFIG, (PROGRAM, POLICY),
        "The server takes no name and password here before the connection is secured.",
        "Set the connection security to STARTTLS, or to SSL/TLS with port 995.", "Exchange SecureLogin",
    ),
    Text(
        "bad-credentials", LOGIN, r"5..|4..|-ERR",
        r"\[auth\]|5\.7\.8|authentication (?:failed|failure|unsuccessful|rejected|denied|credentials? invalid)"
        r"|invalid (?:login|user|password|credential|auth|account|pass)"
        r"|(?:incorrect|bad|wrong) (?:\S+ ){0,3}(?:password|login|user|auth|credential)"
        r"|(?:password|login|user ?name|credentials?|logon|log ?in) (?:\S+ ){0,4}(?:incorrect|wrong|invalid|fail"
        r"|failed|failure|unknown|rejected|not accepted|not correct|mismatch|error|denied)|logon failure|login fail"
        r"|not accepted|badcredentials|(?:unknown|no such) (?:user|account|login)|sorry.{0,20}(?:password|login)"
        r"|access denied|denied|authorization fail|authentifizierung|fehlgeschlagen|permission"
        r"|passwor[td] (?:\S+ )?falsch|mot de passe|contrase[nñ]a|credenciales|密码|验证失败",
        CREDENTIALS, (CONFIG, POLICY),
        "The server does not accept the user name or the password.",
        "Check the user name (often the whole address) and type the password anew; some providers want an app "
        "password.",
        "RFC 4954 section 6, RFC 3206 AUTH, Postfix, Dovecot, Exim, Exchange, Gmail",
    ),
)  # fmt: skip
