"""A private Dovecot: POP3, LMTP, and the authentication that Postfix asks."""

import os
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from . import need
from .certificate import ADDRESSES, Certificates
from .daemon import Daemon
from .loopback import Address, free

PASSWORD: Final = "Zwiebel-41-kuchen"  # of every mailbox
MAILBOXES: Final = 1000

CONFIG = """
base_dir = {root}/run
state_dir = {root}/state
log_path = /dev/stderr
protocols = pop3 lmtp
listen = {addresses}
auth_mechanisms = {mechanisms}
auth_username_format = %Ln
auth_failure_delay = 0
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{good.chain}
ssl_key = <{good.key}
mail_location = maildir:~/Maildir
mail_max_userip_connections = 100
first_valid_uid = 1
first_valid_gid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%n {root}/users
}}
userdb {{
  driver = static
  args = uid={owner.user} gid={owner.group} home={root}/homes/%n
}}
protocol lmtp {{
  postmaster_address = postmaster@example.org
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3.port}
  }}
  inet_listener pop3s {{
    port = {pop3s.port}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp.port}
  }}
}}
service auth {{
  unix_listener {auth} {{
    mode = 0666
  }}
}}
# Else the second wrong password from one address is made to wait.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""

REQUIRED = """
local {host} {{
  ssl = required
}}
"""

FAULTY = """
local {host} {{
  ssl_cert = <{certificate.chain}
  ssl_key = <{certificate.key}
}}
"""


class Owner(NamedTuple):
    """Who all mail belongs to on the disk: numbers of a user and a group without rights."""

    user: int
    group: int


class Mailbox:
    """A user's mail, seen from the disk."""

    def __init__(self, name: str, home: Path, owner: Owner) -> None:
        self.name = name
        self.address = f"{name}@example.org"
        self._home = home
        self._owner = owner
        self._numbers = count()
        for folder in ("", "Maildir", "Maildir/new", "Maildir/cur", "Maildir/tmp"):
            (home / folder).mkdir()
            os.chown(home / folder, *owner)

    def put(self, message: bytes) -> None:
        """A message has arrived. It is kept with LF for CRLF, as Dovecot does."""
        path = self._home / f"Maildir/new/{next(self._numbers)}.whole.localhost"
        path.write_bytes(message.replace(b"\r\n", b"\n"))
        os.chown(path, *self._owner)

    @property
    def messages(self) -> list[bytes]:
        """What has arrived and was not deleted, in wire form but for the dots."""
        files = sorted(path for folder in ("new", "cur") for path in (self._home / "Maildir" / folder).iterdir())
        return [path.read_bytes().replace(b"\n", b"\r\n") for path in files]


class Twins(NamedTuple):
    """Two ports that differ in when TLS begins: after STLS, or at once."""

    pop3: Address
    pop3s: Address


class Dovecot:
    """The server. `auth` is the socket at which a private Postfix asks about passwords.

    At `pop3` STLS may be used, at `pop3_required` it must be; at `pop3s` TLS comes first. `faulty` are ports whose
    certificate has the fault that is their key. `mechanisms` are those of SASL; `apop` is one. `more` are settings.
    """

    def __init__(
        self, root: Path, certificates: Certificates, mechanisms: str = "plain login cram-md5", more: str = ""
    ) -> None:
        need.root()
        import pwd  # which only systems that know root have

        self.auth = root / "auth"
        self.pop3, self.pop3s, self.lmtp = free(), free(), free()
        required, *others = ADDRESSES[1:]
        self.pop3_required = self.pop3._replace(host=required)
        twins = (Twins(self.pop3._replace(host=host), self.pop3s._replace(host=host)) for host in others)
        self.faulty = dict(zip(certificates.faulty, twins, strict=True))
        self._root = root
        self._mechanisms = mechanisms
        self._owner = Owner(*pwd.getpwnam("nobody")[2:4])
        self._numbers = count(1)
        (root / "homes").mkdir()
        # All of them at once: Dovecot notices a change of the file only in the next second.
        (root / "users").write_text("".join(f"alice{number}:{PASSWORD}\n" for number in range(MAILBOXES)))
        config = root / "dovecot.conf"
        config.write_text(self._settings(certificates) + more)
        self.daemon = Daemon([need.program("dovecot"), "-F", "-c", str(config)])
        self.daemon.wait_for("starting up")

    def _settings(self, certificates: Certificates) -> str:
        settings = CONFIG.format(
            root=self._root,
            auth=self.auth,
            mechanisms=self._mechanisms,
            addresses=", ".join(ADDRESSES),
            good=certificates.good,
            owner=self._owner,
            pop3=self.pop3,
            pop3s=self.pop3s,
            lmtp=self.lmtp,
        )
        faulty = [
            FAULTY.format(host=twins.pop3.host, certificate=certificates.faulty[fault])
            for fault, twins in self.faulty.items()
        ]
        return settings + REQUIRED.format(host=self.pop3_required.host) + "".join(faulty)

    def mailbox(self) -> Mailbox:
        """A new, empty mailbox, whose password is PASSWORD."""
        name = f"alice{next(self._numbers)}"
        return Mailbox(name, self._root / "homes" / name, self._owner)
