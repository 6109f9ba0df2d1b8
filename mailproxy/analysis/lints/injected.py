"""What mailproxy itself has done to a session, because it was told to: the verdict takes it for the peer's."""

from collections.abc import Iterator
from typing import Final

from mailproxy.analysis.lint import Found, Lint
from mailproxy.analysis.view import View
from mailproxy.model.finding import Evidence

FAULT: Final = "fault: "


def injected(view: View) -> Iterator[Found]:
    """Faults that were asked for by `--fault`."""
    for at, note in view.notes:
        if note.text.startswith(FAULT):
            yield Found(
                f"mailproxy put this in, as it was told: {note.text.removeprefix(FAULT)}.", (Evidence(note=at),)
            )


LINTS: Final = (Lint("fault-injected", "a fault that mailproxy was told to put in", injected),)
