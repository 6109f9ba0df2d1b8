"""Servers that are probed, as transcripts: what they say, what is said to them, and what became of each stage."""

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailproxy.model.octets import Frame, Note, Origin, Side
from mailproxy.model.session import How
from mailproxy.model.tls import Certificate, Fault, Security, TlsFacts
from mailproxy.protocols import PROTOCOLS, named
from mailproxy.talk.probe import Asked, Close, Login, Probe, Send, Stage, StartTls, State
from mailproxy.talk.typist import TakeDown
from mailproxy.talk.ways import Insecure
from tests.tls import FACTS, LEAF

GOOD = replace(FACTS, faults=(), reason="")
LOGIN = Login("alice@example.org", "wonderland")
SUBMISSION = [
    "< 220 mail.example.org ESMTP",
    "> EHLO [192.0.2.7]",
    "< 250-mail.example.org",
    "< 250-STARTTLS",
    "< 250 SIZE 10240000",
    "> STARTTLS",
    "< 220 2.0.0 Ready to start TLS",
    "= TLS",
    "> EHLO [192.0.2.7]",
    "< 250-mail.example.org",
    "< 250-SIZE 10240000",
    "< 250 AUTH PLAIN LOGIN",
]
GOODBYE = ["> QUIT", "< 221 2.0.0 Bye", "= closed"]
CLEAR = [
    "< 220 mail.example.org ESMTP",
    "> EHLO [192.0.2.7]",
    "< 250-mail.example.org",
    "< 250 AUTH PLAIN",
]


class Server:
    """A server that is played from a test: `<` is what it says, `>` what it must hear, `=` what becomes of it."""

    def __init__(self, url: str, step: int = 1 << 20, facts: TlsFacts = GOOD, **asked: object) -> None:
        """What it says comes in pieces of `step` octets. `url` without a scheme leaves all to the greeting."""
        scheme, _, _ = url.rpartition("://")
        protocol = named(scheme.removesuffix("+starttls").removesuffix("s")) if scheme else None
        security = Security.STARTTLS if scheme.endswith("+starttls") else Security.NONE if scheme else None
        security = Security.TLS if scheme.endswith("s") and not scheme.endswith("+starttls") else security
        self.party = Probe(Asked("mail.example.org", 587, protocol, security)._replace(**asked))  # type: ignore[arg-type]
        self.sent = b""
        self.taken: list[Frame | Note] = []
        self.closed = False
        self.shaking = False
        self._step = step
        self._facts = facts
        self.party.resolved(["192.0.2.25"], 0)
        self._do(self.party.connected("192.0.2.25", "192.0.2.7", 12_000))

    def play(self, *lines: str) -> list[str]:
        """Go through a transcript: what became of each stage in the end."""
        for at, octets, event in _moves(lines):
            match event:
                case ">":
                    assert self.sent == octets, f"line {at}"
                    self.sent = b""
                case "<":
                    for start in range(0, len(octets), self._step):
                        self._do(self.party.received(octets[start : start + self._step], at))
                case "TLS":
                    assert self.shaking, f"line {at}"
                    self._do(self.party.secured(self._facts, at))
                case "closed":
                    assert self.closed, f"line {at}"
                case "late":
                    self._do(self.party.late(at))
                case how:
                    self._do(self.party.ended(How(how), at))
        return self.ladder()

    def fails(self, why: Insecure) -> list[str]:
        """The handshake fails."""
        assert self.shaking
        self._do(self.party.insecure(why, TlsFacts(trouble=why.reason), 1))
        return self.ladder()

    def ladder(self) -> list[str]:
        """What became of each stage."""
        return [f"{MARKS[stage.state]} {stage.title}" for stage in self.party.stages]

    def stage(self, title: str) -> Stage:
        """What became of one."""
        return next(stage for stage in self.party.stages if stage.title == title)

    def said(self, side: Side) -> bytes:
        """What was taken down of one side."""
        return b"".join(each.octets for each in self.taken if isinstance(each, Frame) and each.side is side)

    def _do(self, actions: object) -> None:
        assert isinstance(actions, list)
        for action in actions:
            match action:
                case TakeDown(entries, _):
                    self.taken += entries
                case Send(octets):
                    self.sent += octets
                case StartTls():
                    self.shaking = True
                case Close():
                    self.closed = True


MARKS = {State.PASSED: "+", State.FAILED: "!", State.ABSENT: "-", State.UNREACHED: "."}


def _moves(lines: tuple[str, ...]) -> Iterator[tuple[int, bytes, str]]:
    """The moves of a transcript, what the server says in one go."""
    said = b""
    for at, line in enumerate(lines):
        if line[0] == "<":
            said += line[2:].encode() + b"\r\n"
            continue
        if said:
            yield at, said, "<"
            said = b""
        yield (at, line[2:].encode() + b"\r\n", ">") if line[0] == ">" else (at, b"", line[2:])
    if said:
        yield len(lines), said, "<"


@pytest.mark.parametrize("step", [1, 2, 7, 1 << 20])
def test_submission_that_is_all_well(step: int) -> None:
    server = Server("smtp+starttls://", step)
    assert server.play(*SUBMISSION, *GOODBYE) == [
        "+ name", "+ connect", "+ greeting", "+ EHLO", "+ STARTTLS", "+ TLS", "+ chain", "+ trust", "+ EHLO again",
        "+ AUTH", "+ QUIT",
    ]  # fmt: skip
    assert server.stage("connect").text == "192.0.2.25 in 12 ms"
    assert server.stage("EHLO").text == "STARTTLS, SIZE 10240000"
    assert server.stage("TLS").text == "TLSv1.3, TLS_AES_256_GCM_SHA384, X25519MLKEM768"
    assert server.stage("AUTH").text == "in clear: none; under TLS: PLAIN, LOGIN"
    assert server.said(Side.CLIENT) == b"EHLO [192.0.2.7]\r\nSTARTTLS\r\nEHLO [192.0.2.7]\r\nQUIT\r\n"


def test_what_is_said_is_recorded_as_mailproxy_s_own() -> None:
    server = Server("smtp+starttls://")
    server.play(*SUBMISSION, *GOODBYE)
    frames = [each for each in server.taken if isinstance(each, Frame)]
    assert {(frame.side, frame.origin) for frame in frames} == {
        (Side.CLIENT, Origin.PROXY),
        (Side.SERVER, Origin.PEER),
    }
    assert [frame.secure for frame in frames if frame.side is Side.CLIENT] == [False, False, True, True]


@pytest.mark.parametrize("step", [1, 1 << 20])
def test_pop3_with_tls_from_the_start(step: int) -> None:
    server = Server("pop3s://", step)
    capabilities = ["> CAPA", "< +OK", "< TOP", "< SASL PLAIN", "< USER", "< ."]
    assert server.play("= TLS", "< +OK ready <1.2@mail.example.org>", *capabilities, "> QUIT", "< +OK", "= closed") == [
        "+ name",
        "+ connect",
        "+ TLS",
        "+ chain",
        "+ trust",
        "+ greeting",
        "+ CAPA",
        "+ AUTH",
        "+ QUIT",
    ]
    assert server.stage("AUTH").text == "under TLS: PLAIN, USER, APOP"


@pytest.mark.parametrize(
    ("greeting", "spoken", "hello"),
    [
        ("220 mail.example.org ESMTP", "smtp", "EHLO [192.0.2.7]"),
        ("220 mail.example.org LMTP", "lmtp", "LHLO [192.0.2.7]"),
        ("+OK ready", "pop3", "CAPA"),
        ("+ POP2 ready", "pop2", "QUIT"),
    ],
)
@pytest.mark.parametrize("step", [1, 1 << 20])
def test_the_greeting_tells_what_is_spoken(greeting: str, spoken: str, hello: str, step: int) -> None:
    server = Server("", step)
    server.play(f"< {greeting}", f"> {hello}")
    assert server.party.protocol.name == spoken


def test_a_server_that_says_nothing_is_asked_for_tls_where_nobody_knows() -> None:
    server = Server("")
    assert server.party.patience == 3
    server.play("= late", "= TLS", "< 220 mail.example.org ESMTP", "> EHLO [192.0.2.7]")
    assert (server.party.security, server.party.patience) == (Security.TLS, 10)
    assert server.ladder()[2:6] == ["+ TLS", "+ chain", "+ trust", "+ greeting"]


def test_a_server_that_says_nothing_where_the_scheme_is_told() -> None:
    server = Server("smtp://")
    assert server.play("= late", "= closed")[2] == "! greeting"
    assert server.stage("greeting").hint == "it may wait for TLS: try smtps://mail.example.org:587"


def test_a_web_server_that_is_asked_for_tls() -> None:
    server = Server("")
    server.play("= late")
    server.fails(Insecure("it speaks in clear", by=Side.SERVER, clear=b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    assert server.stage("TLS").text == (
        "it speaks in clear: that is no mail server, but a web server: HTTP/1.1 400 Bad Request"
    )


@pytest.mark.parametrize(
    ("scheme", "first", "told"),
    [
        ("smtp", "SSH-2.0-OpenSSH_9.2", "that is no mail server, but SSH: SSH-2.0-OpenSSH_9.2"),
        ("pop3", "* OK IMAP4rev1 ready", "that is IMAP, which is not spoken here: * OK IMAP4rev1 ready"),
        ("pop3", "220 mail.example.org ESMTP", "that is SMTP: 220 mail.example.org ESMTP"),
        ("smtp", "+OK ready", "that is POP3: +OK ready"),
        ("smtp", "hello \x1b[2J", "that is no greeting of a mail server: hello \\x1b[2J"),
    ],
)
def test_whoever_is_no_such_server_is_named(scheme: str, first: str, told: str) -> None:
    server = Server(f"{scheme}://")
    assert server.play(f"< {first}", "= closed")[2] == "! greeting"
    assert server.stage("greeting").text == told


def test_clear_text_where_tls_comes_first() -> None:
    server = Server("smtps://")
    assert server.fails(Insecure("it speaks in clear", by=Side.SERVER, clear=b"220 mail.example.org\r\n"))[2] == "! TLS"
    assert server.stage("TLS")[3:5] == (
        "it speaks in clear: this is a STARTTLS port",
        "try smtp+starttls://mail.example.org:587",
    )
    assert server.said(Side.SERVER) == b"220 mail.example.org\r\n"


def test_a_version_that_is_too_old() -> None:
    server = Server("smtps://")
    server.fails(Insecure("alert protocol_version from the server", 70, Side.SERVER))
    assert "--tls-min 1.0" in server.stage("TLS").hint


def test_a_server_without_starttls_is_taken_leave_of_where_it_must_be() -> None:
    server = Server("smtp+starttls://")
    assert server.play(*CLEAR, *GOODBYE) == [
        "+ name", "+ connect", "+ greeting", "+ EHLO", "! STARTTLS", ". TLS", ". chain", ". trust", ". EHLO again",
        ". AUTH", "+ QUIT",
    ]  # fmt: skip
    assert server.stage("STARTTLS").hint.endswith("try smtps://mail.example.org:465")


def test_a_server_without_starttls_where_nobody_insists() -> None:
    ladder = Server("smtp://").play(*CLEAR, *GOODBYE)
    assert ladder == ["+ name", "+ connect", "+ greeting", "+ EHLO", "- STARTTLS", "+ AUTH", "+ QUIT"]


def test_starttls_that_is_refused() -> None:
    server = Server("smtp+starttls://")
    server.play(*SUBMISSION[:6], "< 454 4.7.0 TLS not available", *GOODBYE)
    assert (server.stage("STARTTLS").state, server.stage("QUIT").state) == (State.FAILED, State.PASSED)


def test_words_in_clear_behind_the_grant() -> None:
    server = Server("smtp+starttls://")
    server.play(*SUBMISSION[:7], "< 250 trust me", *SUBMISSION[7:], *GOODBYE)
    assert server.stage("STARTTLS").text == "granted, and more was said in clear behind it"
    assert server.stage("EHLO again").state is State.PASSED


def test_a_greeting_that_is_a_refusal() -> None:
    server = Server("smtp://")
    assert server.play("< 554 5.7.1 go away", *GOODBYE)[2:4] == ["! greeting", ". EHLO"]


@pytest.mark.parametrize(("how", "told"), [("closed", "closed by the server"), ("reset", "reset by the server")])
def test_a_server_that_hangs_up(how: str, told: str) -> None:
    server = Server("smtp://")
    ended = server.party.ended(How(how), 1)
    assert Close() in ended
    assert server.stage("greeting").text == told


def test_an_answer_without_end() -> None:
    server = Server("smtp://")
    server.play(*CLEAR[:2])
    flood = b"250-" + b"x" * 500 + b"\r\n"
    while not server.closed:
        server._do(server.party.received(flood * 100, 1))
    assert server.stage("EHLO").text == "more than 1048576 octets, and no end"


@pytest.mark.parametrize(
    ("chain", "faults", "hint"),
    [
        ((LEAF,), (Fault.EXPIRED,), "it must be renewed on the server"),
        ((LEAF,), (Fault.WRONG_NAME,), "it is for mail.example.org, 192.0.2.25: ask for the server by that name"),
        ((LEAF,), (Fault.UNKNOWN_ISSUER,), "the server does not send the certificates between"),
        ((LEAF, LEAF), (Fault.UNKNOWN_ISSUER,), "name the issuer's root with --trust FILE"),
        ((LEAF,), (Fault.SELF_SIGNED,), "nobody vouches for it"),
    ],
)
def test_a_chain_that_is_not_trusted_and_all_goes_on(
    chain: tuple[Certificate, ...], faults: tuple[Fault, ...], hint: str
) -> None:
    server = Server("smtp+starttls://", facts=replace(GOOD, chain=chain, faults=faults), login=LOGIN)
    server.play(*SUBMISSION, *GOODBYE)
    assert server.stage("trust").text == f"not trusted: {faults[0]}"
    assert server.stage("trust").hint.startswith(hint)
    assert server.stage("login").text == "not tried: the server is not trusted"
    assert server.stage("QUIT").state is State.PASSED


# Logging in.


def test_a_login_under_tls() -> None:
    server = Server("smtp+starttls://", login=LOGIN)
    server.play(*SUBMISSION)
    assert b64decode(server.sent.removeprefix(b"AUTH PLAIN ")) == b"\0alice@example.org\0wonderland"
    server.sent = b""
    server.play("< 235 2.7.0 Welcome", *GOODBYE)
    assert server.stage("login").text == "235 2.7.0 Welcome"
    assert b"<secret: PLAIN, user alice@example.org, password 10 characters>" in server.said(Side.CLIENT)


@pytest.mark.parametrize("step", [1, 1 << 20])
def test_a_login_in_steps(step: int) -> None:
    server = Server("smtp+starttls://", step, login=LOGIN)
    server.play(*SUBMISSION[:-1], "< 250 AUTH LOGIN", "> AUTH LOGIN", "< 334 VXNlcm5hbWU6")
    assert b64decode(server.sent) == b"alice@example.org"
    server.sent = b""
    server.play("< 334 UGFzc3dvcmQ6")
    assert b64decode(server.sent) == b"wonderland"
    server.sent = b""
    server.play("< 535 5.7.8 wrong", *GOODBYE)
    assert server.stage("login").state is State.FAILED
    assert b"wonderland" not in server.said(Side.CLIENT)


def test_a_login_that_asks_for_more_is_cancelled() -> None:
    server = Server("smtp+starttls://", login=LOGIN)
    server.play(*SUBMISSION)
    server.sent = b""
    server.play("< 334 eyJzdGF0dXMi", "> *", "< 501 5.7.0 cancelled", *GOODBYE)
    assert server.stage("login").state is State.FAILED


def test_no_password_in_clear() -> None:
    server = Server("smtp://", login=LOGIN)
    server.play(*CLEAR, *GOODBYE)
    assert server.stage("login").text == "not tried: the connection is not under TLS"


def test_a_password_in_clear_where_that_is_wanted() -> None:
    server = Server("pop3://", login=LOGIN, in_clear=True)
    server.play(
        "< +OK", "> CAPA", "< -ERR what?", "> USER alice@example.org", "< +OK", "> PASS wonderland",
        "< -ERR [AUTH] no", "> QUIT", "< +OK", "= closed",
    )  # fmt: skip
    assert server.ladder() == [
        "+ name", "+ connect", "+ greeting", "- CAPA", "- STLS", "- AUTH", "! login", "+ QUIT"
    ]  # fmt: skip
    assert b"PASS <secret: 10 characters>\r\n" in server.said(Side.CLIENT)


def test_pop2_logs_in_with_its_helo() -> None:
    server = Server("pop2://", login=LOGIN, in_clear=True)
    server.play("< + POP2", "> HELO alice@example.org wonderland", "< #3", "> QUIT", "< + bye", "= closed")
    assert server.stage("login").state is State.PASSED
    assert b"wonderland" not in server.said(Side.CLIENT)


@pytest.mark.parametrize("secret", ["a\nb", "a\rb", "a\0b"])
def test_what_cannot_be_said_is_no_password(secret: str) -> None:
    with pytest.raises(ValueError, match="no line end"):
        Login("alice", secret)


def test_no_password_in_a_traceback() -> None:
    assert "wonderland" not in repr(Asked("mail.example.org", 25, login=LOGIN))


# Anything at all.


@given(
    st.sampled_from([*(protocol.name for protocol in PROTOCOLS), "smtps", "pop3s", "smtp+starttls", ""]),
    st.lists(
        st.one_of(
            st.binary(min_size=1, max_size=60),
            st.sampled_from([line[2:].encode() + b"\r\n" for line in SUBMISSION if line[0] == "<"]),
            st.sampled_from(["late", "TLS", "insecure"]),
        ),
        max_size=12,
    ),
    st.booleans(),
)
def test_any_server_at_all(scheme: str, events: list[bytes | str], login: bool) -> None:
    server = Server(f"{scheme}://" if scheme else "", login=LOGIN if login else None)
    for event in events:
        if server.party.over:
            break
        match event:
            case "late":
                server._do(server.party.late(1))
            case "TLS" if server.shaking:
                server.shaking = False
                server._do(server.party.secured(GOOD, 1))
            case "insecure" if server.shaking:
                server._do(server.party.insecure(Insecure("no"), None, 1))
            case bytes() if not server.shaking:
                server._do(server.party.received(event, 1))
    if not server.party.over:
        server._do(server.party.ended(How.CLOSED, 2))
    assert server.party.over
    assert all(stage.text.isprintable() and stage.hint.isprintable() for stage in server.party.stages)
    assert b"wonderland" not in server.said(Side.CLIENT)
    assert set(server.party.relay.endings) == set(Side)
