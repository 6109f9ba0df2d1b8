"""Faults on wish as their user has them: `--fault` before real servers, in practice and before recorded ones."""

import json
import poplib
import smtplib
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import ClassVar, Self

import pytest
from typer import BadParameter

from mailproxy.cli.faults import wanted
from mailproxy.model.injected import injected
from mailproxy.talk.faults import FAULTS
from tests.cli.command import Mailproxy
from tests.whole.proxy import COMMAND, Proxy, Session, notes, said, until

LIMIT = 20
LOCAL = "127.0.0.1"
FREE = ("--smtp", "0", "--lmtp", "0", "--pop3", "0", "--pop2", "0")
CORPUS = Path(__file__).parents[2] / "replay"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")


class Practice:
    """`mailproxy practice` with these rules. `ports` are those of its servers."""

    def __init__(self, folder: Path, *rules: str) -> None:
        folder.mkdir()
        ready = folder / "ready.json"
        words = [*FREE, *(word for rule in rules for word in ("--fault", rule)), "--ready-file", str(ready)]
        self._process = subprocess.Popen([COMMAND, "practice", *words], stdout=subprocess.DEVNULL)
        until(ready.exists)
        self.ports = {each["protocol"]: each["port"] for each in json.loads(ready.read_text())["listeners"]}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._process.terminate()
        assert self._process.wait(LIMIT) == 0


class Replayed(Proxy):
    """`mailproxy replay server` with these arguments."""

    command: ClassVar[tuple[str, ...]] = ("replay", "server")


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """One practice server, as it is, behind all the recorders."""
    with Practice(tmp_path_factory.mktemp("practice") / "server") as server:
        yield server


@contextmanager
def recording(folder: Path, smtp: int, pop3: int, *rules: str, listen: str = "0") -> Iterator[Proxy]:
    """`mailproxy record` before servers on these ports, with these rules."""
    routes = [f"{listen}=smtp://{LOCAL}:{smtp}", f"0=pop3://{LOCAL}:{pop3}"]
    with Proxy(folder, *routes, *(word for rule in rules for word in ("--fault", rule))) as proxy:
        yield proxy
        proxy.stop()


def before(practice: Practice, folder: Path, *rules: str, listen: str = "0") -> AbstractContextManager[Proxy]:
    return recording(folder / "record", practice.ports["smtp"], practice.ports["pop3"], *rules, listen=listen)


def smtp(port: int) -> smtplib.SMTP:
    return smtplib.SMTP(LOCAL, port, local_hostname="client", timeout=LIMIT)


@contextmanager
def pop3(port: int) -> Iterator[poplib.POP3]:
    client = poplib.POP3(LOCAL, port, timeout=LIMIT)
    try:
        yield client
    finally:
        client.close()


def log_in(port: int, user: str = "alice") -> str:
    """What comes of a login: the server's last word."""
    with pop3(port) as client:
        client.user(user)
        try:
            return client.pass_("practice").decode()
        except poplib.error_proto as error:
            return _words(error)


def _words(error: poplib.error_proto) -> str:
    [said] = error.args
    return said.decode() if isinstance(said, bytes) else str(said)


def faults(session: Session) -> list[str]:
    """What the record says was done on wish."""
    return [told.did for each in notes(session) if (told := injected(each.removeprefix("=== ")))]


def own(session: Session) -> list[str]:
    """What mailproxy said in the server's place."""
    return [entry["octets"] for entry in session["entries"] if entry.get("origin") == "proxy"]


def ended(proxy: Proxy) -> list[Session]:
    """All sessions, once the recorder has ended."""
    proxy.stop()
    return proxy.sessions()


# Before a real server.


def test_a_recipient_is_refused_and_the_server_is_not_asked(tmp_path: Path, practice: Practice) -> None:
    rule = "at RCPT 2 answer 452 4.5.3 Too many recipients"
    with before(practice, tmp_path) as behind:
        ports = behind.address("smtp").port, behind.address("pop3").port
        with recording(tmp_path / "spoiled", *ports, rule) as proxy:
            with smtp(proxy.address("smtp").port) as client:
                refused = client.sendmail("a@example.org", ["bob@example.org", "alice@example.org"], "Subject: x\n\nx")
            assert refused == {"alice@example.org": (452, b"4.5.3 Too many recipients")}
            [session] = ended(proxy)
        [asked] = ended(behind)
    assert faults(session) == ["RCPT 2 answered 452 4.5.3 Too many recipients by mailproxy, the server was not asked"]
    assert own(session) == [r"452 4.5.3 Too many recipients\x0d\x0a"]
    assert [each for each in said(session) if each.startswith("RCPT")] == [
        "RCPT TO:<bob@example.org> 250", "RCPT TO:<alice@example.org> 452"
    ]  # fmt: skip
    assert [each for each in said(asked) if each.startswith("RCPT")] == ["RCPT TO:<bob@example.org> 250"]


def test_the_first_logins_fail(tmp_path: Path, practice: Practice) -> None:
    with before(practice, tmp_path, "at PASS answer -ERR [IN-USE] locked first 2") as proxy:
        words = [log_in(proxy.address("pop3").port) for _ in range(3)]
        sessions = ended(proxy)
    assert [word.split(",")[0] for word in words] == ["-ERR [IN-USE] locked"] * 2 + ["+OK Welcome"]
    assert [session["failed"] for session in sessions] == [True, True, False]
    told = "PASS 1 answered -ERR [IN-USE] locked by mailproxy, the server was not asked"
    assert [faults(session) for session in sessions] == [[told], [told], []]


def test_one_login_in_three_fails(tmp_path: Path, practice: Practice) -> None:
    with before(practice, tmp_path, "at PASS answer -ERR no one in 3") as proxy:
        assert [log_in(proxy.address("pop3").port)[:3] for _ in range(6)] == ["+OK", "+OK", "-ER"] * 2


def test_too_many_connections_at_once(tmp_path: Path, practice: Practice) -> None:
    rule = "at greeting answer 421 4.3.2 too many connections above 2 connections"
    with before(practice, tmp_path, rule) as proxy:
        port = proxy.address("smtp").port
        with smtp(port) as first, smtp(port) as second:
            with pytest.raises(smtplib.SMTPConnectError) as refused:
                smtp(port)
            assert refused.value.smtp_code == 421
            assert (first.noop()[0], second.noop()[0]) == (250, 250)
        sessions = ended(proxy)
    assert [faults(session) for session in sessions] == [
        [], [], ["the greeting answered 421 4.3.2 too many connections by mailproxy, the server had said 220"]
    ]  # fmt: skip
    assert own(sessions[2]) == [r"421 4.3.2 too many connections\x0d\x0a"]


def test_a_reset_within_a_message(tmp_path: Path, practice: Practice) -> None:
    with before(practice, tmp_path, "at content reset after 100 octets") as proxy:
        with pop3(proxy.address("pop3").port) as client:
            client.user("alice")
            client.pass_("practice")
            with pytest.raises(ConnectionResetError):
                client.retr(1)
        [session] = ended(proxy)
    [told] = faults(session)
    assert told.endswith("behind 100 octets of message 1")
    assert notes(session)[-1] == "*** reset by the server, by mailproxy in its place"


def test_a_hidden_capability(tmp_path: Path, practice: Practice) -> None:
    with before(practice, tmp_path, "hide AUTH") as proxy:
        with smtp(proxy.address("smtp").port) as client:
            client.ehlo()
            assert client.has_extn("SIZE")
            assert not client.has_extn("AUTH")
            with pytest.raises(smtplib.SMTPNotSupportedError):
                client.login("alice", "practice")
        [session] = ended(proxy)
    assert len(faults(session)) == 1


def test_a_server_that_is_not_there_counts_as_no_connection(tmp_path: Path, practice: Practice) -> None:
    with socket.socket() as nobody:
        nobody.bind((LOCAL, 0))
        unused = nobody.getsockname()[1]
        rule = "at PASS answer -ERR no above 1 connections"
        with recording(tmp_path / "record", unused, practice.ports["pop3"], rule) as proxy:
            for _ in range(3):
                with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
                    smtp(proxy.address("smtp").port)
            assert log_in(proxy.address("pop3").port).startswith("+OK")


def test_rules_in_the_settings(tmp_path: Path, practice: Practice) -> None:
    settings = tmp_path / "mailproxy.toml"
    settings.write_text('fault = ["at NOOP answer 450 not now", "at RSET answer 450 not now"]\n', encoding="utf-8")
    route = f"0=smtp://{LOCAL}:{practice.ports['smtp']}"
    with Proxy(tmp_path / "record", "--config", str(settings), route) as proxy:
        with smtp(proxy.address("smtp").port) as client:
            assert (client.noop(), client.rset()) == ((450, b"not now"), (450, b"not now"))
        proxy.stop()


# TLS with the client.

TLS = f"smtps://{LOCAL}:0"


def trusting(proxy: Proxy) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(proxy.root))


def shaken(proxy: Proxy) -> None:
    """A session under TLS, up to its greeting."""
    port = proxy.address("smtp").port
    smtplib.SMTP_SSL(LOCAL, port, local_hostname="client", context=trusting(proxy), timeout=LIMIT).close()


@pytest.mark.parametrize(
    ("rule", "reason", "alert"),
    [
        ("expired certificate first 1", "certificate has expired", "certificate_expired"),
        ("wrong name certificate first 1", "IP address mismatch", "bad_certificate"),
    ],
)
def test_a_certificate_that_is_not_to_be_trusted(
    tmp_path: Path, practice: Practice, rule: str, reason: str, alert: str
) -> None:
    with before(practice, tmp_path, rule, listen=TLS) as proxy:
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            shaken(proxy)
        shaken(proxy)
        failed, good = ended(proxy)
    assert len(faults(failed)) == 1
    assert faults(failed)[0].endswith("made so by mailproxy, in TLS with the client")
    assert notes(failed)[-1].startswith(f"*** TLS failed with the client: alert {alert} from the client")
    assert faults(good) == []


@pytest.mark.parametrize("name", ["handshake_failure", "unrecognized_name", "internal_error", "protocol_version"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_an_alert_answers_the_hello(tmp_path: Path, practice: Practice, name: str, version: ssl.TLSVersion) -> None:
    with before(practice, tmp_path, f"alert {name}", listen=TLS) as proxy:
        context = trusting(proxy)
        context.minimum_version = context.maximum_version = version
        port = proxy.address("smtp").port
        with socket.create_connection((LOCAL, port), LIMIT) as sock, pytest.raises(ssl.SSLError) as refused:
            context.wrap_socket(sock, server_hostname="localhost")
        assert name in (refused.value.reason or "").lower()
        [session] = ended(proxy)
    assert faults(session) == [f"alert {name} sent by mailproxy in TLS with the client"]
    told = f"*** TLS failed with the client: alert {name} from mailproxy: a fault that was asked for"
    assert notes(session)[-1] == told
    assert session["client"]["tls"]["server_name"] == "localhost"


def test_an_alert_behind_starttls(tmp_path: Path, practice: Practice) -> None:
    with before(practice, tmp_path, "alert handshake_failure", listen=f"smtp+starttls://{LOCAL}:0") as proxy:
        with smtp(proxy.address("smtp").port) as client, pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
            client.starttls(context=trusting(proxy))
        [session] = ended(proxy)
    assert faults(session) == ["alert handshake_failure sent by mailproxy in TLS with the client"]


# TLS with both: the server is a recorded one that is played.


@contextmanager
def through(folder: Path, session: str, listen: str, scheme: str, *rules: str) -> Iterator[Proxy]:
    """`mailproxy record` before a recorded server that it trusts, with these rules."""
    with replayed(folder, session) as server:
        name = next(iter(server.addresses))
        route = f"{listen}={scheme}://localhost:{name.port}"
        words = [word for rule in rules for word in ("--fault", rule)]
        with Proxy(folder / "record", route, "--trust", str(server.root), *words) as proxy:
            yield proxy
            proxy.stop()


def test_a_fault_behind_starttls_with_the_server(tmp_path: Path) -> None:
    rules = ("at EHLO 2 hide AUTH", "at RCPT answer 452 4.5.3 no", "after QUIT close")
    with through(tmp_path, "smtp-starttls-apart-good", "0", "smtp", *rules) as proxy:
        with smtp(proxy.address("smtp").port) as client:
            client.starttls(context=trusting(proxy))
            client.ehlo()
            assert not client.has_extn("AUTH")
            assert client.mail("bob@example.org")[0] == 250
            assert client.rcpt("alice@example.org") == (452, b"4.5.3 no")
        [session] = ended(proxy)
    assert own(session)[-1] == r"452 4.5.3 no\x0d\x0a"
    assert all(each["secure"] for each in session["entries"] if each.get("origin") == "proxy")
    assert session["server"]["tls"]["faults"] == []


def test_starttls_is_granted_and_the_connection_ends(tmp_path: Path) -> None:
    with through(tmp_path, "smtp-starttls-apart-good", "0", "smtp", "after STARTTLS close") as proxy:
        with smtp(proxy.address("smtp").port) as client, pytest.raises(OSError, match=r"EOF|reset|closed"):
            client.starttls(context=trusting(proxy))
        [session] = ended(proxy)
    assert faults(session) == ["connection closed by mailproxy behind STARTTLS 1"]
    assert "*** TLS failed with the server: closed before the handshake" in notes(session)


@pytest.mark.parametrize("rule", ["at connect close", "at connect reset", "at connect delay 0.01"])
def test_a_fault_before_tls_with_the_server(tmp_path: Path, rule: str) -> None:
    with through(tmp_path, "smtp-tls-good", TLS, "smtps", rule) as proxy:
        context = ssl.create_default_context(cafile=str(proxy.root))
        if "delay" in rule:
            smtplib.SMTP_SSL("localhost", proxy.address("smtp").port, context=context, timeout=LIMIT).close()
        else:
            with pytest.raises(OSError, match=r"EOF|reset|closed"):
                smtplib.SMTP_SSL("localhost", proxy.address("smtp").port, context=context, timeout=LIMIT)
        [session] = ended(proxy)
    assert len(faults(session)) == 1
    assert notes(session)[0] == "=== connected to localhost (127.0.0.1)"


def test_the_names_of_a_good_server_are_not_those_that_are_shown(tmp_path: Path) -> None:
    with through(tmp_path, "smtp-tls-good", TLS, "smtps", "wrong name certificate") as proxy:
        context = ssl.create_default_context(cafile=str(proxy.root))
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            smtplib.SMTP_SSL("localhost", proxy.address("smtp").port, context=context, timeout=LIMIT)
        [session] = ended(proxy)
    assert "localhost" in session["server"]["tls"]["chain"][0]["names"]
    assert session["client"]["tls"]["chain"][0]["names"] == ["wrong-name.invalid"]


# Practice.


def test_practice_with_faults(tmp_path: Path) -> None:
    rules = ("at RCPT answer 452 4.2.2 Mailbox full first 1", "after STAT close", "hide PIPELINING")
    with Practice(tmp_path / "practice", *rules) as server:
        with smtp(server.ports["smtp"]) as sender:
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                sender.sendmail("a@example.org", ["alice@example.org"], "Subject: not taken\n\nx")
            assert sender.sendmail("a@example.org", ["alice@example.org"], "Subject: taken\n\nx") == {}
            assert not sender.has_extn("PIPELINING")
        with smtplib.LMTP(LOCAL, server.ports["lmtp"], local_hostname="client") as local:
            assert local.sendmail("a@example.org", ["alice@example.org"], "Subject: local\n\nx") == {}
        with pop3(server.ports["pop3"]) as client:
            client.user("alice")
            client.pass_("practice")
            mail = [b"\n".join(client.retr(number)[1]) for number in range(1, len(client.list()[1]) + 1)]
            assert b"Subject: taken\n" in mail[-2]
            assert b"Subject: local\n" in mail[-1]
            assert not any(b"not taken" in each for each in mail)
            assert client.stat()[0] == len(mail)
            with pytest.raises(poplib.error_proto, match="EOF"):
                client.noop()


def test_practice_with_faults_ends_while_a_client_is_connected(tmp_path: Path) -> None:
    with Practice(tmp_path / "practice", "at NOOP delay 86400") as server:
        sender = smtp(server.ports["smtp"])
        sender.putcmd("NOOP")
    sender.close()


# A recorded server.


def replayed(folder: Path, session: str, *rules: str) -> Replayed:
    words = [word for rule in rules for word in ("--fault", rule)]
    return Replayed(folder / "replay", str(CORPUS / f"{session}.talk"), "--listen", "0", *words)


def test_a_recorded_server_with_faults(tmp_path: Path) -> None:
    with replayed(tmp_path, "smtp-recipient-unknown", "at MAIL answer 451 4.3.0 later in session 1") as server:
        port = server.address("smtp").port
        with pytest.raises(smtplib.SMTPSenderRefused) as later, smtp(port) as client:
            client.sendmail("a@example.org", ["gone@example.org"], "x")
        assert later.value.smtp_error == b"4.3.0 later"
        with pytest.raises(smtplib.SMTPRecipientsRefused), smtp(port) as client:
            client.sendmail("a@example.org", ["gone@example.org"], "x")
        first, second = ended(server)
    assert faults(first) == ["MAIL 1 answered 451 4.3.0 later by mailproxy, the server was not asked"]
    assert own(first) == [r"451 4.3.0 later\x0d\x0a"]
    assert faults(second) == []


def test_a_recorded_server_under_tls_with_faults(tmp_path: Path) -> None:
    with replayed(tmp_path, "pop3-tls-wrong-password", "expired certificate first 1", "at PASS drop") as server:
        context = ssl.create_default_context(cafile=str(server.root))
        port = server.address("pop3").port
        with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
            poplib.POP3_SSL("localhost", port, context=context, timeout=LIMIT)
        client = poplib.POP3_SSL("localhost", port, context=context, timeout=LIMIT)
        client.user("alice")
        client._putcmd("PASS wrong")  # type: ignore[attr-defined]
        client.close()
        _, dropped = ended(server)
    assert faults(dropped) == ["PASS 1 dropped by mailproxy, the server was not asked"]


# The rules.


def test_the_rules_are_listed(mailproxy: Mailproxy) -> None:
    shown = mailproxy("faults")
    assert (shown.code, shown.err) == (0, "")
    assert max(map(len, shown.lines)) <= 120
    for kind in FAULTS:
        assert f"  {kind.syntax}" in shown.lines
        assert f"      e.g. {kind.example}" in shown.lines


def test_the_rules_for_programs(mailproxy: Mailproxy) -> None:
    listed = mailproxy("faults", "--json").json["faults"]
    assert [rule["name"] for rule in listed] == [kind.name for kind in FAULTS]
    [count] = [rule for rule in listed if rule["name"] == "wrong count"]
    assert count["protocols"] == ["pop3", "pop2"]


def test_every_example_is_understood(mailproxy: Mailproxy) -> None:
    for rule in mailproxy("faults", "--json").json["faults"]:
        for protocol in rule["protocols"]:
            with suppress(BadParameter):
                assert wanted([rule["example"]], [(protocol, True)])
                break
        else:
            raise AssertionError(rule["example"])


@pytest.mark.parametrize(
    "words",
    [
        ("record", "0=pop3://127.0.0.1"),
        ("practice", *FREE),
        ("replay", "server", str(CORPUS / "pop3-in-use.talk")),
    ],
)
def test_a_rule_that_cannot_be_read_is_told_in_one_line(mailproxy: Mailproxy, words: tuple[str, ...]) -> None:
    refused = mailproxy(*words, "--fault", "at PASS explode")
    assert refused.code == 2
    assert refused.failure.startswith("Invalid value for --fault: 'at PASS explode': no fault: 'explode'; write ")


def test_a_rule_for_another_protocol_is_refused(mailproxy: Mailproxy) -> None:
    refused = mailproxy("record", "0=pop3://127.0.0.1", "--fault", "at RCPT answer 550 no")
    assert refused.failure.startswith("Invalid value for --fault: 'at RCPT answer 550 no': pop3 knows no RCPT: ")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('["explode"]', "fault = 'explode': no fault: 'explode'"),
        ("[3]", "fault is a list of rules"),
        ('"x"', "fault ="),
    ],
)
def test_a_rule_in_the_settings_that_cannot_be_read(mailproxy: Mailproxy, tmp_path: Path, said: str, told: str) -> None:
    settings = tmp_path / "mailproxy.toml"
    settings.write_text(f"fault = {said}\n", encoding="utf-8")
    refused = mailproxy("record", "--config", str(settings), "0=pop3://127.0.0.1")
    assert f"Invalid value for --config: {settings}: {told}" in refused.failure
