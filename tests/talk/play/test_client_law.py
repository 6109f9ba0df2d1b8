"""Whatever a server does, the recorded client raises nothing, ends at last, and tells no password."""

from collections.abc import Sequence
from typing import Final

from hypothesis import example, given
from hypothesis import strategies as some

from mailproxy.model.octets import Frame
from mailproxy.model.session import How
from mailproxy.model.tls import Security
from mailproxy.talk.play.acting import Acting
from mailproxy.talk.play.client import Action, ClientPlayer, Close, Login, Reset, Send, TakeDown
from mailproxy.talk.ways import Insecure
from tests.talk.play.server_stage import corpus
from tests.tls import FACTS

PASSWORD: Final = "correct horse battery"
SESSIONS: Final = (
    "smtp-send-good", "smtp-pipelining-good", "smtp-bdat-chunks-good", "smtp-auth-login-good",
    "smtp-starttls-apart-good", "smtp-auth-cram-md5-good", "lmtp-two-recipients-good", "pop3-uidl-and-top-good",
    "pop3-apop-good", "pop3-stls-unknown-ca", "pop3-silent-in-retr", "pop2-session-good",
    "smtp-early-client-taken-good",
)  # fmt: skip
WORDS: Final = some.sampled_from(
    b"220 x|250-x|250 x|334 |334 PDFAeD4=|354 go|235 ok|550 no|421 bye|+OK <1@x>|+ |-ERR no|1 aaa|.|#3|=20 x|".split(
        b"|"
    )
).map(lambda line: line + b"\r\n")
EVENTS: Final = some.lists(
    WORDS | some.binary(min_size=1, max_size=12) | some.sampled_from(["late", "woke", "secured", "insecure"]),
    max_size=40,
)


def _happens(player: ClientPlayer, event: bytes | str) -> Sequence[Action]:
    match event:
        case bytes():
            return player.heard(event, 0)
        case "woke":
            return player.woke(0)
        case "secured":
            return player.secured(FACTS, 0)
        case "insecure":
            return player.insecure(Insecure("alert handshake_failure from the server"), 0)
        case _:
            return player.late(0)


@given(
    some.sampled_from(SESSIONS),
    some.builds(Acting, deliver=some.booleans(), delete=some.booleans(), keep_going=some.booleans(),
                timing=some.sampled_from([None, 1.0]), clear_ok=some.booleans(), rcpt_to=some.just("")),
    some.sampled_from(Security),
    EVENTS,
)  # fmt: skip
@example("smtp-auth-login-good", Acting(), Security.STARTTLS, [b"220 x\r\n", b"250 x\r\n", b"220 x\r\n", "secured"])
def test_it_raises_nothing_and_ends(
    name: str, acting: Acting, security: Security, events: Sequence[bytes | str]
) -> None:  # fmt: skip
    player = ClientPlayer(corpus(name), acting, Login("alice", PASSWORD), security)
    actions = list(player.connected("x", "x", 0))
    for event in events:
        if not player.over:
            actions += _happens(player, event)
    actions += player.ended(How.CLOSED, 0)
    assert player.over
    assert not any(isinstance(action, Send | Close | Reset) for action in player.heard(b"250 x\r\n", 0))
    taken = [entry for action in actions if isinstance(action, TakeDown) for entry in action.entries]
    assert PASSWORD.encode() not in b"".join(entry.octets for entry in taken if isinstance(entry, Frame))
    assert PASSWORD not in " ".join([player.stopped, *player.remarks])
    said = b"".join(action.octets for action in actions if isinstance(action, Send))
    if not acting.deliver:
        assert not {b"DATA", b"BDAT"} & {line[:4].upper() for line in said.split(b"\r\n")}
