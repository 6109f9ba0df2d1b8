"""How fast pauses are made, as it is written: `none`, `real`, `2x`."""

import re
from typing import Final

import typer

PACE: Final = re.compile(r"(\d+(?:\.\d+)?)x")


def pace(text: str, option: str) -> float | None:
    """`none`, `real`, `2x`: how much faster pauses are made, None where none are made."""
    if text in {"none", "real"}:
        return 1.0 if text == "real" else None
    found = PACE.fullmatch(text)
    if not found or not float(found[1]):
        raise typer.BadParameter(f"{text!r} is none of none, real, 2x", param_hint=option)
    return float(found[1])
