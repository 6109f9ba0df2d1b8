"""A secret stays masked in the record, whatever a fault does to what is said around it, and says itself."""

import base64
from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailproxy.model.octets import Entry, Frame, Mark, Note, Side
from mailproxy.protocols import named
from mailproxy.talk.faults import FAULTS
from mailproxy.talk.faults.fault import Fault
from mailproxy.talk.faults.orders import Hand, Order, Tell
from mailproxy.talk.faults.parse import parse
from mailproxy.talk.faults.sessions import Faults
from mailproxy.talk.relay import Relay

SECRET = "hunter22secret"
PLAIN = base64.b64encode(f"\0alice\0{SECRET}".encode()).decode()
LOGIN = base64.b64encode(SECRET.encode()).decode()
SMTP = (
    ("<", "220 mx"), (">", "EHLO x"), ("<", "250-mx\r\n250 AUTH PLAIN LOGIN"),
    (">", f"AUTH PLAIN {PLAIN}"), ("<", f"535 no such password: {SECRET}"),
    (">", "AUTH LOGIN"), ("<", "334 VXNlcm5hbWU6"), (">", "YWxpY2U="), ("<", "334 UGFzc3dvcmQ6"), (">", LOGIN),
    ("<", f"535 {SECRET} is wrong"), (">", "AUTH PLAIN"), ("<", "334 "), (">", PLAIN), ("<", "235 ok"), (">", "QUIT"),
)  # fmt: skip
POP3 = (
    ("<", "+OK <1@mx>"), (">", "CAPA"), ("<", "+OK\r\nSASL PLAIN\r\n."), (">", "USER alice"), ("<", "+OK"),
    (">", f"PASS {SECRET}"), ("<", f"-ERR not {SECRET}"), (">", "AUTH PLAIN"), ("<", "+ "), (">", PLAIN),
    ("<", "-ERR no"), (">", "USER alice"), ("<", "+OK"), (">", f"PASS {SECRET}"), ("<", "+OK in"), (">", "STAT"),
    ("<", "+OK 1 120"), (">", "QUIT"),
)  # fmt: skip
POP2 = (("<", "+ POP2"), (">", f"HELO alice {SECRET}"), ("<", f"- {SECRET} is wrong"), (">", "QUIT"), ("<", "+ bye"))
SESSIONS = {"smtp": SMTP, "pop3": POP3, "pop2": POP2}
TOLD = (f'answer "535 not {SECRET}"', f'answer "-ERR not {SECRET}"', rf"octets behind 535 {SECRET}\r\n")
"""What can be known to be a secret only once the client has said it."""
CHANGED = (
    "drop", "drop reply", "code only", "bare LF", "broken multi-line", "broken multi-line codes", "close", "delay 1",
    "slice 3", 'answer "334 "', 'answer "+ "', r"octets behind 334 \r\n",
)  # fmt: skip
RULES = [
    *(kind.example.removesuffix(" one in 20") for kind in FAULTS),
    *(f"at {verb} {what}" for verb in ("AUTH", "AUTH 2", "PASS", "USER", "EHLO", "HELO") for what in CHANGED),
    *(f"at {verb} {what}" for verb in ("AUTH", "PASS", "HELO") for what in TOLD),
    "slice 1", "code only", "bare LF", "broken multi-line", "after AUTH close", "at octet 40 of client close",
    "throttle 7",
]  # fmt: skip
rules = st.lists(st.sampled_from(RULES), min_size=1, max_size=3)


def recorded(protocol: str, faults: Sequence[Fault], size: int, at_once: bool) -> list[Entry]:
    """What is recorded of a session; with `at_once` the client does not wait for the server."""
    relay = Relay(named(protocol).dialogue())
    spoiler = Faults(tuple(faults)).session(protocol)
    entries: list[Entry] = []

    def do(orders: Sequence[Order]) -> None:
        for order in orders:
            match order:
                case Hand(octets):
                    entries.extend(relay.received(Side.SERVER, octets, 0).entries)
                case Tell(text):
                    entries.append(Note(Mark.FACT, relay.dialogue.without_secrets(text), 0))
                case _:
                    pass

    script = sorted(SESSIONS[protocol], key=lambda line: at_once and line[0] == "<")
    do(spoiler.connected())
    for mark, line in script:
        octets = line.encode() + b"\r\n"
        for part in (octets[at : at + size] for at in range(0, len(octets), size)):
            if mark == ">":
                entries.extend(relay.received(Side.CLIENT, part, 0).entries)
                do(spoiler.asked(part))
            else:
                do(spoiler.said(part))
    do(spoiler.client_ended())
    do(spoiler.ended(None))
    return [*entries, *relay.dialogue.finish(0)]


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(sorted(SESSIONS)), rules, st.sampled_from([1, 7, 1000]), st.booleans())
@example("pop3", ["bare LF"], 1, True)
def test_no_secret_is_recorded(protocol: str, wanted: Sequence[str], size: int, at_once: bool) -> None:
    entries = recorded(protocol, [parse(each) for each in wanted], size, at_once)
    kept = b"".join(each.octets for each in entries if isinstance(each, Frame))
    notes = "\n".join(each.text for each in entries if isinstance(each, Note))
    for secret in (SECRET, PLAIN, LOGIN):
        assert secret.encode() not in kept
        assert secret not in notes
