"""A recorded server without sockets: what a client says to it, what it gets."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mailproxy.formats.talk import read as read_talk
from mailproxy.model.session import Recording
from mailproxy.protocols.reading import read
from mailproxy.talk.play.manner import AS_RECORDED, Manner
from mailproxy.talk.play.server import ServerPlayer
from mailproxy.talk.practice.conversation import Action, Close, Reset, Send, Wait

REPLAY = Path(__file__).parents[3] / "replay"


def recorded(talk: str) -> Recording:
    """The session of a transcript, understood."""
    (recording,) = read_talk(talk)
    found = read(recording.session.protocol, recording.entries)
    return replace(recording, entries=found.entries, exchanges=found.exchanges)


def corpus(name: str) -> Recording:
    """A session of the corpus."""
    return recorded((REPLAY / f"{name}.talk").read_text(encoding="utf-8"))


def player(recording: Recording | str, manner: Manner = AS_RECORDED) -> ServerPlayer:
    """The server of a recording, a transcript or a session of the corpus."""
    if isinstance(recording, str):
        recording = recorded(recording) if "\n" in recording else corpus(recording)
    return ServerPlayer(recording, manner)


def told(actions: Sequence[Action]) -> list[str]:
    """What is done, a line each."""
    lines: list[str] = []
    said = b""
    for action in [*actions, None]:
        if isinstance(action, Send):
            said += action.octets
            continue
        lines += said.decode("utf-8", "backslashreplace").split("\r\n")[: None if not said.endswith(b"\r\n") else -1]
        lines = [line for line in lines if line or said]
        said = b""
        match action:
            case Close():
                lines.append("*** closed")
            case Reset():
                lines.append("*** reset")
            case Wait(seconds):
                lines.append(f"=== {seconds:g} s")
    return lines


def talk(server: ServerPlayer, *says: str) -> list[str]:
    """The conversation: what the server says first, then each line of the client and what it is answered."""
    lines = [f"S: {line}" for line in told(server.receive())]
    for said in says:
        lines += [f"C: {line}" for line in said.split("\n")]
        octets = said.replace("\n", "\r\n").encode() + b"\r\n"
        lines += [f"S: {line}" for line in told(server.receive(octets))]
    return lines


def answers(server: ServerPlayer, *says: str) -> list[str]:
    """What the server says, without its greeting."""
    server.receive()
    return [line for said in says for line in told(server.receive(said.replace("\n", "\r\n").encode() + b"\r\n"))]
