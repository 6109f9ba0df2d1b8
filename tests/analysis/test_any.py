"""Whatever was recorded, a diagnosis comes to an end, and its verdict is whole."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as some

from mailproxy.analysis.diagnose import diagnose
from mailproxy.model.finding import Outcome, Stage, Verdict
from mailproxy.model.octets import Entry, Frame, Mark, Note, Side, Span
from mailproxy.model.session import Leg, Recording, Session
from mailproxy.protocols import PROTOCOLS
from mailproxy.protocols.reading import read
from tests.store.test_recordings import recordings

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
CLIENT = b"""EHLO client.example|HELO x|LHLO x|STARTTLS|STLS|CAPA|AUTH PLAIN|AUTH LOGIN|AUTH LOGIN <secret: user a>|*
|MAIL FROM:<>|MAIL FROM:<a@example.org> SIZE=9|RCPT TO:<b@example.org>|DATA|BDAT 3 LAST|.|USER a|PASS b|APOP a b|STAT
|LIST|UIDL 1|UIDL|RETR 1|TOP 1 9|DELE 1|QUIT|GET / HTTP/1.1|HELO a b|READ 1|ACKD|RSET|Subject: x|\xff\0|""".split(b"|")
SERVER = b"""220 ready|220 ****************|250-x|250 AUTH PLAIN|250 ok|354 go on|334 VXNlcm5hbWU6|235 ok|421 timeout
|450 4.7.1 greylisted|535 5.7.8 no|530 auth required|550 5.1.1 no user|+OK|+OK 2 99|+OK 1 99|1 22|1 abc|2 abc|UIDL|.
|+ |-ERR [AUTH] no|-ERR|+OKAY|+ POP2|#1 message|=9 octets|- no|\xe9\0|999|25|""".split(b"|")
NOTES = [
    "closed by the client",
    "closed by the server",
    "reset by the server",
    "timed out waiting for the server",
    "connection refused",
    "cut off: mailproxy was stopped",
    "connected to mail.example.org",
    "90 s pass",
    "TLS failed with the client: unknown_ca from the client",
    "TLS failed with the server: eof",
    "TLS with the client: TLSv1.3",
    "TLS passes through: the client offers TLSv1.3",
    "the message",
    "",
]
ends = some.sampled_from([b"\r\n", b"\n", b""])
lines = some.tuples(
    some.just(Side.CLIENT), some.sampled_from([line.strip(b"\n") for line in CLIENT] + [b"x" * 1100]), ends
) | some.tuples(some.just(Side.SERVER), some.sampled_from([line.strip(b"\n") for line in SERVER]), ends)
notes = some.builds(Note, some.sampled_from(Mark), some.sampled_from(NOTES), some.just(0))
dialogs = some.lists(lines | notes, max_size=25)
protocols = some.sampled_from([protocol.name for protocol in PROTOCOLS])
ports = some.sampled_from([0, 25, 110, 465, 587, 995])


def whole(verdict: Verdict) -> None:
    """A bad verdict says where, whose, why and what to do; a good one blames nobody."""
    bad = verdict.outcome in {Outcome.FAILED, Outcome.PARTIAL}
    assert bad is (verdict.stage is not Stage.NONE)
    assert bad is bool(verdict.remedy)
    assert verdict.summary.endswith(".")
    assert len(verdict.also_possible) <= 2
    assert verdict.blame not in {other.blame for other in verdict.also_possible}
    for finding in verdict.findings:
        assert finding.summary.endswith(".")


@given(recordings)
def test_any_recording(recording: Recording) -> None:
    """Also what no reader comes to: exchanges that were never said."""
    whole(diagnose(recording))


@given(protocols, ports, dialogs, some.booleans())
def test_any_dialog(protocol: str, port: int, said: list[tuple[Side, bytes, bytes] | Note], secure: bool) -> None:
    placed: list[Entry] = []
    positions = dict.fromkeys(Side, 0)
    for number, each in enumerate(said):
        at = number * 1_000_000
        if isinstance(each, Note):
            placed.append(each._replace(at=at))
            continue
        side, words, end = each
        placed.append(Frame(side, words + end, at, positions[side], len(words + end), secure=secure))
        positions[side] += len(words + end)
    read_again = read(protocol, placed)
    session = Session(1, protocol, NOON, server=Leg(Side.SERVER, host="mail.example.org", port=port))
    recording = Recording(session, read_again.entries, read_again.exchanges)
    verdict = diagnose(recording)
    whole(verdict)
    assert not any("\n" in finding.summary for finding in verdict.findings)
    assert bool(verdict.evidence) is (verdict.stage is not Stage.NONE)
    for proof in (*verdict.evidence, *(proof for finding in verdict.findings for proof in finding.evidence)):
        assert (proof.span is None) is not (proof.note is None)
        assert proof.span is None or within(proof.span, positions)
        assert proof.note is None or isinstance(recording.entries[proof.note], Note)


def within(span: Span, said: dict[Side, int]) -> bool:
    """Whether there are such octets; a secret that was masked on reading makes them more."""
    return 0 <= span.start <= span.end <= said[span.side] + 4096
