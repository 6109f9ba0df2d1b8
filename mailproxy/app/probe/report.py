"""What was learnt of one server."""

from dataclasses import dataclass
from datetime import datetime

from mailproxy.app.probe.target import Target
from mailproxy.model.tls import TlsFacts
from mailproxy.talk.probe import Offers, Stage, State, Step


@dataclass(frozen=True, slots=True)
class Report:
    """What was learnt of one server, at the aware time `at`.

    `upstream` is its URL, as far as is known what it speaks; `session` the number of the recording, 0 where there is
    none. What it offered is None where that was not reached.
    """

    target: Target
    upstream: str
    at: datetime
    stages: tuple[Stage, ...]
    addresses: tuple[str, ...] = ()
    address: str = ""
    greeting: str = ""
    clear: Offers | None = None
    under_tls: Offers | None = None
    tls: TlsFacts | None = None
    session: int = 0

    @property
    def nobody(self) -> bool:
        """Whether nobody answers at the port."""
        return self.state(Step.CONNECT) is State.FAILED

    @property
    def unknown(self) -> bool:
        """Whether the name has no address."""
        return self.state(Step.NAME) is State.FAILED

    @property
    def passed(self) -> bool:
        """Whether no stage failed."""
        return all(stage.state in {State.PASSED, State.ABSENT} for stage in self.stages)

    def state(self, step: Step) -> State:
        """What became of a stage."""
        return next((stage.state for stage in self.stages if stage.step is step), State.UNREACHED)


def passed(reports: tuple[Report, ...]) -> bool:
    """Whether all went well: of usual ports that nobody asked for, one of a host is enough, whatever else is closed."""
    open_hosts = {report.target.host for report in reports if report.target.usual and not report.nobody}
    return all(
        report.passed or (report.target.usual and report.nobody and report.target.host in open_hosts)
        for report in reports
    )
