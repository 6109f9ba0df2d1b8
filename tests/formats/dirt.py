"""What mail, forums and terminals do to a text that is pasted."""

import html
from collections.abc import Callable
from typing import Final


def _each(change: Callable[[int, str], str]) -> Callable[[str], str]:
    return lambda text: "\n".join(change(number, line) for number, line in enumerate(text.split("\n"), 1))


def _html(text: str) -> str:
    return html.escape(text).replace("\n", "<br>\n")


# Names begin with the order in which such things happen.
DIRT: Final[dict[str, Callable[[str], str]]] = {
    "1 prompt": lambda text: f"alice@laptop:~$ cat log.txt\n{text}\nalice@laptop:~$ ",
    "2 carets": _each(lambda _, line: f"{line}^M"),
    "3 times": _each(lambda number, line: f"2026-01-31 12:00:{number % 60:02} {line}"),
    "4 numbers": _each(lambda number, line: f"{number:4} {line}"),
    "5 quoted": _each(lambda _, line: f"> {line}"),
    "5 quoted twice": _each(lambda _, line: f">> {line}"),
    "6 html": _html,
    "7 fence": lambda text: f"```text\n{text}\n```",
    "8 ticks": _each(lambda _, line: f"`{line}`"),
    "9 bom": lambda text: f"\ufeff{text}",
    "9 cr": lambda text: text.replace("\n", "\r\n"),
}
