"""tcpdump listens to what the proxy records: both know the same of each session, on either side of the proxy."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from mailproxy.app.library import read_file
from mailproxy.formats.error import FormatError

from . import need
from .client import Login
from .daemon import Daemon
from .dovecot import PASSWORD, Dovecot, Mailbox
from .fetchers import FETCHERS
from .loopback import Address
from .messages import message
from .postfix import Postfix
from .proxy import Proxy, Session, notes, said, until
from .senders import swaks

TIMES: Final = {"at", "latency"}


@contextmanager
def listening(path: Path, *ends: Address) -> Iterator[None]:
    """Have tcpdump capture all connections with these servers, until their ends are captured too."""
    need.root()
    wanted = " or ".join(f"tcp port {end.port}" for end in ends)
    tcpdump = Daemon(
        [need.program("tcpdump"), "-i", "lo", "-Z", "root", "-U", "--immediate-mode", "-w", str(path), wanted]
    )
    try:
        tcpdump.wait_for("listening on")
        yield
        until(lambda: whole(path, len(ends)))
    finally:
        tcpdump.stop()


def whole(path: Path, number: int) -> bool:
    """Whether so many sessions stand in a capture with their ends."""
    try:
        found = read_file(str(path))
    except FormatError:
        return False
    return len(found) == number and all(each.session.server.ending and each.session.client.ending for each in found)


def untimed(value: Any) -> Any:
    """The same without times, which two observers measure apart."""
    match value:
        case dict():
            return {key: untimed(each) for key, each in value.items() if key not in TIMES}
        case list():
            return [untimed(each) for each in value]
    return value


def octets(session: Session) -> dict[str, str]:
    """What each side said, as it is recorded."""
    spoken = [entry for entry in session["entries"] if entry.get("kind") in ("speech", "content")]
    return {
        side: "".join(entry["octets"] for entry in spoken if entry["side"] == side) for side in ("client", "server")
    }


def lasting(session: Session) -> list[str]:
    """The notes, but for the connection and for who closed it first, which two observers may see in another order."""
    return [note for note in notes(session)[1:] if not note.startswith(("*** closed by", "=== closed by"))]


def test_what_is_captured_is_what_was_recorded(
    postfix: Postfix, dovecot: Dovecot, mailbox: Mailbox, tmp_path: Path
) -> None:
    capture = tmp_path / "capture.pcap"
    mailbox.put(message("plain"))
    with Proxy(tmp_path / "proxy", f"0=smtp://{postfix.smtp}", f"0=pop3://{dovecot.pop3}") as proxy:
        smtp, pop3 = proxy.address("smtp"), proxy.address("pop3")
        with listening(capture, postfix.smtp, smtp, dovecot.pop3, pop3):
            login = Login(mailbox.name, PASSWORD, "PLAIN")
            assert swaks(smtp, mailbox.address, message("plain"), tmp_path, login).status == 0
            assert FETCHERS["mpop"](pop3, Login(mailbox.name, PASSWORD, "USER"), tmp_path)[1].status == 0
        proxy.stop()
        recorded = {session["protocol"]: session for session in proxy.sessions()}
        proxy.run("import", str(capture))
        captured = proxy.sessions()[len(recorded) :]
        assert proxy.keeps([PASSWORD.encode()]) == []
    assert sorted(each["protocol"] for each in captured) == ["pop3", "pop3", "smtp", "smtp"]
    for session in captured:
        record = recorded[session["protocol"]]
        assert said(session) == said(record)
        assert octets(session) == octets(record)
        assert untimed(session["exchanges"]) == untimed(record["exchanges"])
        assert lasting(session) == lasting(record)
        assert (session["outcome"], session["user"]) == (record["outcome"], record["user"])
