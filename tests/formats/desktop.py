"""Mail programs that need a screen: Claws Mail and Sylpheed, each in a home of its own, run until its log ends."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tests.whole.loopback import Address
from tests.whole.need import program
from tests.whole.proxy import LIMIT, until

FOLDERS: Final = ("inbox", "sent", "draft", "queue", "trash")
FOLDER_LIST: Final = (
    '<?xml version="1.0"?>\n<folderlist><folder type="mh" name="Mailbox" path="Mail">'
    '<folderitem type="normal" name="Mailbox">{}</folderitem></folder></folderlist>\n'
)


class Desktop(NamedTuple):
    """A mail program: its settings' folder, its log's name, and what ends the head of a message in its queue."""

    name: str
    settings: str
    log: str
    head: str


DESKTOPS: Final = {
    "claws-mail": Desktop("claws-mail", ".claws-mail", "claws.log", "MAID:1\nX-Claws-End-Special-Headers: 1\n"),
    "sylpheed": Desktop("sylpheed", ".sylpheed-2.0", "sylpheed.log", "AID:1\n\n"),
}


class Account(NamedTuple):
    """Whose mail is fetched and sent, and where."""

    address: str
    password: str
    smtp: Address
    pop3: Address


@contextmanager
def screen() -> Iterator[str]:
    """A screen that nobody looks at. Yields its name, as `DISPLAY` has it."""
    readable, writable = os.pipe()
    with (
        os.fdopen(readable) as told,
        subprocess.Popen(
            [program("Xvfb"), "-displayfd", str(writable), "-nolisten", "tcp"],
            pass_fds=[writable],
            stderr=subprocess.DEVNULL,
        ) as xvfb,
    ):
        os.close(writable)
        try:
            yield ":" + told.readline().strip()
        finally:
            xvfb.terminate()


def transfer(desktop: Desktop, home: Path, account: Account, recipient: str) -> str:
    """Send one message and fetch all. Returns the log. Raises AssertionError where either does not come to its QUIT."""
    settings = home / desktop.settings
    settings.mkdir()
    _set_up(settings, account)
    _queue(home, desktop, account, recipient)
    log = settings / desktop.log
    with (
        screen() as display,
        subprocess.Popen(
            [program(desktop.name), "--send", "--receive-all"],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(home, display),
        ) as running,
    ):
        try:
            until(lambda: running.poll() is not None or _ended(log))
            assert _ended(log), f"{desktop.name} has ended: {running.poll()}"
            return log.read_text()
        finally:
            running.kill()
            running.wait(LIMIT)


def _ended(log: Path) -> bool:
    return log.exists() and len(re.findall(r"> QUIT\n.*\n", log.read_text())) == 2


def _environment(home: Path, display: str) -> dict[str, str]:
    """That of a user who has no desktop, and so no bus and no stored settings of one."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),  # where it looks for another one that runs, and hands its work over to that
        "DISPLAY": display,
        "LC_ALL": "C.UTF-8",
        "NO_AT_BRIDGE": "1",
        "GSETTINGS_BACKEND": "memory",
        "DBUS_SESSION_BUS_ADDRESS": "disabled:",
    }


def _set_up(settings: Path, account: Account) -> None:
    (settings / "accountrc").write_text(
        "[Account: 1]\naccount_name=alice\nis_default=1\nname=Alice\nprotocol=0\nremove_mail=0\nsignature_type=0\n"
        f"address={account.address}\nuser_id={account.address}\npassword={account.password}\ninbox=#mh/Mailbox/inbox\n"
        f"use_smtp_auth=1\nsmtp_user_id={account.address}\nsmtp_password={account.password}\n"
        f"smtp_server={account.smtp.host}\nset_smtpport=1\nsmtp_port={account.smtp.port}\n"
        f"receive_server={account.pop3.host}\nset_popport=1\npop_port={account.pop3.port}\n"
        "set_domain=1\ndomain=client.example\n"
    )
    (settings / "passwordstorerc").write_text(
        f"[config_version:0]\n[account:1]\nrecv {account.password}\nsend {account.password}\n"
    )
    items = "".join(f'<folderitem type="{_kind(name)}" name="{name}" path="{name}"/>' for name in FOLDERS)
    (settings / "folderlist.xml").write_text(FOLDER_LIST.format(items))


def _kind(folder: str) -> str:
    return "outbox" if folder == "sent" else folder


def _queue(home: Path, desktop: Desktop, account: Account, recipient: str) -> None:
    for name in FOLDERS:
        (home / "Mail" / name).mkdir(parents=True)
    (home / "Mail" / "queue" / "1").write_text(
        f"S:{account.address}\nSSV:{account.smtp.host}\nR:<{recipient}>\n{desktop.head}"
        f"From: {account.address}\nTo: {recipient}\nSubject: hello\n\nHello.\n.a dot\n"
    )
