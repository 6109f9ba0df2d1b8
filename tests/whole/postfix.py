"""A private Postfix: SMTP in, Dovecot's LMTP out, nothing of the system's own configuration or queue."""

import os
from pathlib import Path
from typing import NamedTuple

from . import need
from .certificate import Certificates
from .daemon import Daemon
from .loopback import Address, free

MAIN = """
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file = /dev/stdout
myhostname = mail.example.org
mydestination =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
disable_mime_output_conversion = yes
lmtp_line_length_limit = 0
smtp_line_length_limit = 0
virtual_mailbox_domains = example.org
virtual_mailbox_maps = regexp:{root}/mailboxes
virtual_transport = lmtp:inet:{lmtp}
transport_maps = regexp:{root}/transport
smtpd_recipient_restrictions = check_recipient_access regexp:{root}/recipients, permit_mynetworks, reject
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {auth}
smtpd_tls_security_level = may
smtpd_tls_chain_files = {good.key}, {good.chain}
"""

MASTER = """
postlog   unix-dgram n - n - 1 postlogd
{smtp} inet n - n - - smtpd
{smtp_required} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
{old} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
    -o smtpd_tls_mandatory_protocols=TLSv1.1 -o tls_medium_cipherlist=ALL:@SECLEVEL=0
{faulty}cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
lmtp      unix - - n - - lmtp
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
"""

FAULTY = """\
{smtp} inet n - n - - smtpd -o {{ smtpd_tls_chain_files = {certificate.key}, {certificate.chain} }}
{smtps} inet n - n - - smtpd -o {{ smtpd_tls_chain_files = {certificate.key}, {certificate.chain} }}
    -o smtpd_tls_wrappermode=yes
"""

RECIPIENTS = """
/^gone@/ 550 5.1.1 no such person here
/^full@/ 552 5.2.2 mailbox is full
/^space@/ 452 4.3.1 insufficient system storage
/^busy@/ 451 4.3.0 try again later
"""

TRANSPORT = """
/@lmtp.example$/ lmtp:inet:{lmtp_hop}
/@smtp.example$/ smtp:[{smtp_hop.host}]:{smtp_hop.port}
"""


class Twins(NamedTuple):
    """Two ports that differ in when TLS begins: after STARTTLS, or at once."""

    smtp: Address
    smtps: Address


class Postfix:
    """The server. It accepts mail for every mailbox whose name begins with `alice`.

    At `smtp` STARTTLS may be used, at `smtp_required` it must be; at `smtps` TLS comes first. `faulty` are ports whose
    certificate has the fault that is their key; `old` is as `smtps`, and knows TLS 1.1 only.
    Mail for lmtp.example and smtp.example is delivered to the address `lmtp_hop` or `smtp_hop`, where a test
    can put a proxy.
    """

    def __init__(self, root: Path, lmtp: Address, auth: Path, certificates: Certificates) -> None:
        need.root()
        self.smtp, self.lmtp_hop, self.smtp_hop = free(), free(), free()
        self.smtp_required, self.smtps, self.old = free(), free(), free()
        self.faulty = {fault: Twins(free(), free()) for fault in certificates.faulty}
        _make_folders(root)
        (root / "main.cf").write_text(MAIN.format(root=root, lmtp=lmtp, auth=auth, good=certificates.good))
        (root / "master.cf").write_text(self._services(certificates))
        (root / "mailboxes").write_text("/^alice/ ok\n")
        (root / "recipients").write_text(RECIPIENTS)
        (root / "transport").write_text(TRANSPORT.format(lmtp_hop=self.lmtp_hop, smtp_hop=self.smtp_hop))
        self.daemon = Daemon([need.program("master"), "-c", str(root), "-s"])
        self.daemon.wait_for("daemon started")

    def _services(self, certificates: Certificates) -> str:
        faulty = [
            FAULTY.format(smtp=twins.smtp, smtps=twins.smtps, certificate=certificates.faulty[fault])
            for fault, twins in self.faulty.items()
        ]
        return MASTER.format(
            smtp=self.smtp,
            smtp_required=self.smtp_required,
            smtps=self.smtps,
            old=self.old,
            faulty="".join(faulty),
        )

    def delivered(self, recipient: str) -> None:
        """Wait until a message to this address has been delivered."""
        self.daemon.wait_for(f"to=<{recipient}>", "status=sent")


def _make_folders(root: Path) -> None:
    """What post-install(8) would make. Some are Postfix's own, the others must be root's."""
    import grp
    import pwd

    owner, group = pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postdrop").gr_gid
    (root / "queue").mkdir()
    for name in ("pid", "etc", "lib"):
        (root / "queue" / name).mkdir()
    for name, mode in {"private": 0o700, "public": 0o710, "maildrop": 0o730}.items():
        _own(root / "queue" / name, mode, owner, group)
    for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "saved", "trace"):
        _own(root / "queue" / name, 0o700, owner, -1)
    _own(root / "data", 0o700, owner, -1)


def _own(folder: Path, mode: int, owner: int, group: int) -> None:
    folder.mkdir()
    os.chown(folder, owner, group)
    folder.chmod(mode)
