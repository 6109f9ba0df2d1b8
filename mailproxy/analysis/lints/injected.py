"""What mailproxy itself has done to a session because it was told to, whatever came of it."""

from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.lint import Found, Lint
from mailproxy.analysis.view import View
from mailproxy.model.finding import Evidence
from mailproxy.model.injected import injected


def faults(view: View) -> Iterator[Found]:
    """Faults that were asked for by `--fault`."""
    for at, note in view.notes:
        if told := injected(note.text):
            by = f' (--fault "{told.rule}")' if told.rule else ""
            yield Found(f"mailproxy put this in, as it was told: {told.did}{by}.", (Evidence(note=at),))


LINTS: Final = (Lint("fault-injected", "a fault that mailproxy was told to put in", faults),)
