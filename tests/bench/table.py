"""Figures as a Markdown table, and as JSON."""

import json
import os
import platform
from collections.abc import Sequence

from .figure import DIRECT, MAILPROXY, Figure

COLUMNS = ("what", "direct", "through mailproxy", "ratio", "goal", "verdict", "others")


def heading() -> str:
    """The table's first lines, with the machine that the figures hold for."""
    machine = f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} processors"
    return f"{machine}; medians\n\n{row(COLUMNS)}\n{row(['---'] * len(COLUMNS))}"


def row(cells: Sequence[str]) -> str:
    """One line of the table."""
    return f"| {' | '.join(cells)} |"


def markdown(figure: Figure) -> str:
    """A figure as a line of the table."""
    others = [way for way in (*figure.samples, *figure.troubles) if way not in (DIRECT, MAILPROXY)]
    return row(
        [
            f"{figure.what} ({figure.unit})",
            _value(figure, DIRECT),
            _value(figure, MAILPROXY),
            _number(figure.ratio()),
            goal(figure),
            figure.verdict,
            ", ".join(f"{way}: {_value(figure, way)}" for way in dict.fromkeys(others)),
        ]
    )


def goal(figure: Figure) -> str:
    """The goal in signs: `ratio ≥ 0.2`, `≤ 350 µs`."""
    sign = "≥" if figure.goal.least else "≤"
    bound = f"{sign} {figure.goal.bound:g}"
    if not figure.goal.relative:
        return f"{bound} {figure.unit}"
    return f"ratio {bound}" if figure.goal.beside == DIRECT else f"ratio to {figure.goal.beside} {bound}"


def as_json(figures: Sequence[Figure]) -> str:
    """All figures with all their samples, as a JSON array."""
    return json.dumps([_facts(figure) for figure in figures], indent=1, ensure_ascii=False)


def _facts(figure: Figure) -> dict[str, object]:
    return {
        "what": figure.what,
        "unit": figure.unit,
        "goal": goal(figure),
        "ratio": figure.ratio(),
        "verdict": figure.verdict,
        "samples": figure.samples,
        "troubles": figure.troubles,
    }


def _value(figure: Figure, way: str) -> str:
    if way in figure.troubles:
        return "failed"
    value, ratio = _number(figure.middle(way)), figure.ratio(way)
    return value if way in (DIRECT, MAILPROXY) or ratio is None else f"{value} ({_number(ratio)})"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
