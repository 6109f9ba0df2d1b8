"""Ask servers what a mail program would ask, and record it."""

from mailproxy.app.probe.ask import Tell, Wanted, probe
from mailproxy.app.probe.document import document
from mailproxy.app.probe.report import Report, passed
from mailproxy.app.probe.target import Target, targets
from mailproxy.talk.probe import Login, Stage, State, Step

__all__ = [
    "Login",
    "Report",
    "Stage",
    "State",
    "Step",
    "Target",
    "Tell",
    "Wanted",
    "document",
    "passed",
    "probe",
    "targets",
]
