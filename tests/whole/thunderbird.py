"""Thunderbird as its user has it, but for the screen: it has an account, sends and fetches, and shows dialogs."""

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from . import need
from . import thunderbird_scripts as scripts
from .loopback import Address, free
from .marionette import ALERT_OPEN, Marionette, Refusal
from .proxy import until
from .way import PLAIN, Layer, Way

Preference = bool | int | str

# Else it calls home, opens pages of its own, or asks something before any mail is sent.
QUIET: Final[dict[str, Preference]] = {
    "app.donation.eoy.version.viewed": 999,
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "app.update.enabled": False,
    "browser.cache.disk.enable": False,
    "calendar.timezone.local": "UTC",
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.push.connection.enabled": False,
    "extensions.autoDisableScopes": 15,
    "extensions.blocklist.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.update.enabled": False,
    "mail.biff.show_alert": False,
    "mail.biff.play_sound": False,
    "mail.inappnotifications.enabled": False,
    "mail.instrumentation.postUrl": "",
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.rights.version": 1,
    "mail.shell.checkDefaultClient": False,
    "mail.spotlight.firstRunDone": True,
    "mail.winsearch.firstRunDone": True,
    "mailnews.start_page.enabled": False,
    "mailnews.start_page_override.mstone": "ignore",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.trr.mode": 5,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.server": "data:,",
}

ALONE: Final = ("--headless", "--no-remote", "--marionette", "--remote-allow-system-access")
LIMIT: Final = 20.0  # seconds after which it is held to be stuck

SECURITY: Final = {Layer.CLEAR: 0, Layer.STARTTLS: 2, Layer.IMPLICIT: 3}  # nsMsgSocketType


class Told(NamedTuple):
    """How it ended (0 is well, else an nsresult), and what the user was told: dialogs, then notifications."""

    status: int = 0
    alerts: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def succeeded(self) -> None:
        """Raises AssertionError when the user was told of a failure."""
        assert self == Told(), self


class Thunderbird:
    """One that runs until the end of the `with`. All that it keeps is in `folder`, where another may go on with it.

    It trusts the roots of `way`, takes its SOCKS server, and has its account under its layer. Raises AssertionError
    when it does not start, with the last that it complained about.
    """

    def __init__(self, folder: Path, way: Way = PLAIN, preferences: Mapping[str, Preference] = {}) -> None:
        self._program = need.program("thunderbird")
        self._profile = folder / "profile"
        self._profile.mkdir(parents=True, exist_ok=True)
        self._errors = folder / "errors"
        self._way = way
        self._marionette = free()
        chosen = {**QUIET, **_tunnel(way.socks), **preferences, "marionette.port": self._marionette.port}
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in chosen.items())
        (self._profile / "user.js").write_text("".join(lines))
        if way.root:
            self._trust(way.root)

    def __enter__(self) -> Self:
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [self._program, *ALONE, "--profile", self._profile],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that its children can be ended with it
                env={"PATH": os.environ["PATH"], "HOME": str(self._profile.parent), "LC_ALL": "C.UTF-8"},
            )
        try:
            until(self._listens)
            self._tell = Marionette(self._marionette)
            self._run(scripts.READY)
        except BaseException as failure:
            self._end()
            failure.add_note(self.complaints)
            raise
        return self

    def __exit__(self, kind: object, failure: BaseException | None, trace: object) -> None:
        self._tell.close()
        self._end()
        if failure:
            failure.add_note(self.complaints)

    @property
    def complaints(self) -> str:
        """The last that it wrote to its standard error, but for what it misses of a screen."""
        lines = self._errors.read_text(errors="replace").splitlines()
        return "\n".join([line for line in lines if line and "GDK_" not in line and "GTK_" not in line][-20:])

    @property
    def alert(self) -> str | None:
        """The text of the dialog that its user sees now, or None."""
        return self._tell.alert

    def account(self, smtp: Address, pop3: Address, user: str, password: str, address: str) -> None:
        """Set up the one account that it has: both servers have the same user, and the password is remembered."""
        security = {"security": SECURITY[self._way.layer]}
        servers = [{**server._asdict(), **security} for server in (smtp, pop3)]
        self._run(scripts.ACCOUNT, *servers, user, password, address)

    def send(self, recipient: str, subject: str, body: str) -> Told:
        """Send a message of plain text, cancel what is asked, and say goodbye to the server."""
        self._run(scripts.SEND, recipient, subject, body)
        told = self._told()
        self._run(scripts.HANG_UP)
        return told

    def fetch(self) -> Told:
        """Get new messages, and cancel what is asked."""
        self._run(scripts.FETCH)
        return self._told()

    def messages(self) -> list[bytes]:
        """What is in its Inbox, with CRLF, without the fields that it put in front."""
        (inbox,) = self._profile.glob("Mail/*/Inbox")
        return unpacked(inbox.read_bytes())

    def _told(self) -> Told:
        alerts: list[str] = []
        ended: tuple[int, list[str]] | None = None

        def happened() -> bool:
            nonlocal ended
            if (alert := self.alert) is not None:
                alerts.append(alert)
                self._tell.tell("WebDriver:DismissAlert")
            ended = self._ended()
            return ended is not None

        until(happened)
        assert ended is not None
        status, notices = ended
        return Told(status, tuple(alerts), tuple(notices))

    def _ended(self) -> tuple[int, list[str]] | None:
        try:
            ended: tuple[int, list[str]] | None = self._run(scripts.ENDED)
        except Refusal as refusal:
            if refusal.error == ALERT_OPEN:
                return None
            raise
        return ended

    def _run(self, script: str, *arguments: object) -> Any:
        return self._tell.run(scripts.SERVICES + script, *arguments)

    def _listens(self) -> bool:
        assert self._process.poll() is None, "Thunderbird has ended"
        with socket.socket() as probe:
            return probe.connect_ex(self._marionette) == 0

    def _trust(self, root: Path) -> None:
        certutil, store = need.program("certutil"), f"sql:{self._profile}"
        for words in (["-N", "--empty-password"], ["-A", "-n", "root", "-t", "C,,", "-i", root]):
            subprocess.run([certutil, *words, "-d", store], check=True, capture_output=True, timeout=LIMIT)

    def _end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(LIMIT)


_OWN: Final = re.compile(rb"\A(?:X-(?:Account-Key|UIDL|Mozilla-[A-Za-z0-9]+):.*\n)+")
_QUOTED: Final = re.compile(rb"^>(>*From )", re.MULTILINE)


def unpacked(mbox: bytes) -> list[bytes]:
    """The messages of an mbox file (RFC 4155) of Thunderbird's, as they came."""
    whole = b"\n" + mbox.replace(b"\r\n", b"\n").removesuffix(b"\n")  # which is before each but the first
    _, *parts = re.split(rb"\nFrom - .*\n", whole)
    return [_QUOTED.sub(rb"\1", _OWN.sub(b"", part)).replace(b"\n", b"\r\n") for part in parts]


def _tunnel(socks: Address | None) -> dict[str, Preference]:
    if not socks:
        return {}
    return {
        "network.proxy.type": 1,
        "network.proxy.socks": socks.host,
        "network.proxy.socks_port": socks.port,
        "network.proxy.socks_version": 5,
        "network.proxy.socks_remote_dns": True,
        "network.proxy.allow_hijacking_localhost": True,
    }
