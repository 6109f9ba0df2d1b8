"""The stages in which a server is asked, and what came of them."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from mailproxy.protocols.descriptor import Protocol


class Step(StrEnum):
    """A stage. HELLO is EHLO, LHLO or CAPA, and STARTTLS is STLS in POP3."""

    NAME = "name"
    CONNECT = "connect"
    GREETING = "greeting"
    HELLO = "hello"
    STARTTLS = "starttls"
    TLS = "tls"
    CHAIN = "chain"
    TRUST = "trust"
    HELLO_AGAIN = "hello-again"
    AUTH = "auth"
    LOGIN = "login"
    QUIT = "quit"


class State(StrEnum):
    """What became of a stage. ABSENT is what a server does without, and nobody insisted on."""

    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"
    UNREACHED = "not-reached"


class Stage(NamedTuple):
    """What came of a stage, in one line, and what to try where it failed; both are escaped for screens.

    `title` is how the protocol calls it, `took` how long it took in microseconds.
    """

    step: Step
    title: str
    state: State
    text: str = ""
    hint: str = ""
    took: int = 0


_TITLES: Final = {Step.TLS: "TLS", Step.AUTH: "AUTH", Step.QUIT: "QUIT"}
_OPENING: Final = (Step.NAME, Step.CONNECT)
_TLS: Final = (Step.TLS, Step.CHAIN, Step.TRUST)


def ladder(protocol: Protocol, implicit: bool, starttls: bool, login: bool) -> Iterator[Step]:
    """The stages in their order: `implicit` where TLS comes first, `starttls` where it may come later."""
    yield from _OPENING
    if implicit:
        yield from _TLS
    yield Step.GREETING
    if protocol.upgrading:
        yield Step.HELLO
        if not implicit:
            yield Step.STARTTLS
        if not implicit and starttls:
            yield from _TLS
            yield Step.HELLO_AGAIN
        yield Step.AUTH
    if login:
        yield Step.LOGIN
    yield Step.QUIT


def title(step: Step, protocol: Protocol) -> str:
    """How a protocol calls a stage."""
    if protocol.upgrading is None:
        return _TITLES.get(step, step)
    hello = protocol.upgrading.hello("").split()[0].decode()
    match step:
        case Step.HELLO:
            return hello
        case Step.HELLO_AGAIN:
            return f"{hello} again"
        case Step.STARTTLS:
            return protocol.upgrading.verb
        case _:
            return _TITLES.get(step, step)


class Stages:
    """What has become of the stages of one server so far; `step` is the one at hand, `done` those that ended, as they
    did. Times are in microseconds."""

    def __init__(self) -> None:
        self.step = Step.NAME
        self.done: list[Stage] = []
        self._began = 0

    def go(self, step: Step, at: int) -> None:
        """Begin a stage."""
        self.step, self._began = step, at

    def lasts(self, at: int) -> int:
        """How long this stage lasts already."""
        return at - self._began

    def settle(self, state: State, called: str, text: str, hint: str, at: int) -> None:
        """Say what became of this stage, that the protocol knows as `called`."""
        if self.done and self.done[-1].step is self.step:
            self.done.pop()
        self.done.append(Stage(self.step, called, state, text, hint, self.lasts(at)))

    def passed(self, step: Step) -> bool:
        """Whether a stage was passed."""
        return any(stage.step is step and stage.state is State.PASSED for stage in self.done)

    def along(self, steps: Iterator[Step], protocol: Protocol) -> list[Stage]:
        """The stages of a ladder, those that were not reached among them."""
        done = {stage.step: stage for stage in self.done}
        return [done.get(step) or Stage(step, title(step, protocol), State.UNREACHED) for step in steps]
