"""Transcripts played against a practice server: what the client says is fed, what the server says is compared."""

from collections.abc import Callable
from textwrap import dedent

import pytest

from mailproxy.talk.practice import PostOffice
from mailproxy.talk.practice.conversation import Action, Close, Party, Reset, Send, Wait

Make = Callable[[PostOffice], Party]
Play = Callable[[Make, str], PostOffice]


def shown(action: Action) -> list[str]:
    match action:
        case Send(octets):
            lines = octets.decode("utf-8", "backslashreplace").split("\r\n")
            return [f"<-  {line}" for line in lines[:-1]] + ([f"<-  {lines[-1]}\\"] if lines[-1] else [])
        case Wait(seconds):
            return [f"=== {seconds:g} s pass"]
        case Close():
            return ["*** closed by the server"]
        case Reset():
            return ["*** reset by the server"]


def client_lines(transcript: str) -> list[bytes]:
    return [line[4:].encode() + b"\r\n" for line in transcript.splitlines() if line.startswith(" -> ")]


def in_turn(party: Party, said: list[bytes]) -> list[str]:
    """The transcript of a client that waits for each answer."""
    lines = [line for action in party.receive() for line in shown(action)]
    for line in said:
        lines.append(" -> " + line.decode().removesuffix("\r\n"))
        lines += [line for action in party.receive(line) for line in shown(action)]
    return lines


def at_once(party: Party, pieces: list[bytes]) -> list[Action]:
    actions = party.receive()
    for piece in pieces:
        actions += party.receive(piece)
    return actions


def last_words(actions: list[Action]) -> list[Action]:
    """Up to the end of the connection: what would be done after it is not done."""
    for index, action in enumerate(actions):
        if isinstance(action, Close | Reset):
            return actions[: index + 1]
    return actions


@pytest.fixture
def play() -> Play:
    """Play a transcript line by line, in one piece, and octet by octet; return the office as the first left it."""

    def player(make: Make, transcript: str) -> PostOffice:
        transcript = dedent(transcript).strip("\n")
        said = client_lines(transcript)
        office = PostOffice()
        assert in_turn(make(office), said) == transcript.splitlines()
        whole = b"".join(said)
        first = last_words(at_once(make(PostOffice()), said))
        assert last_words(at_once(make(PostOffice()), [whole])) == first
        assert last_words(at_once(make(PostOffice()), [bytes([octet]) for octet in whole])) == first
        return office

    return player
