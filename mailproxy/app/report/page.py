"""A report as one page of HTML, which needs nothing else: no scripts, no pictures, no network."""

from collections.abc import Sequence
from html import escape
from typing import Final

from mailproxy.app.report.gather import Report, Row
from mailproxy.app.report.ladder import Rung, State
from mailproxy.app.report.sheet import NOTE
from mailproxy.app.report.style import STYLE
from mailproxy.model.escape import escape_text
from mailproxy.model.octets import Side

_TICKS: Final = {State.DONE: "\u2713", State.FAILED: "\u2717", State.UNUSED: "\u2013", State.AHEAD: "\u25cb"}
_CLASSES: Final = {State.DONE: "done", State.FAILED: "bad", State.UNUSED: "dim", State.AHEAD: "dim"}


def page(report: Report) -> str:
    """It. What nobody may read aloud by its colour alone is said in words too."""
    title = _text(report.title)
    log = "\n".join(report.log)
    tls = "\n\n".join("\n".join(lines) for lines in report.tls)
    parts = (
        f"<h1{_class('bad' if report.failed else '')}>{title}</h1>",
        _list(report.advice),
        f"<h2>How far it came</h2><ol>{''.join(map(_rung, report.rungs))}</ol>",
        f"<h2>Session</h2>{_list(report.about)}",
        "<h2>Transcript</h2><p>Seconds, who speaks (-&gt; the mail program, &lt;- the server; ~ under TLS), and what. "
        "What proves the verdict is marked with \u25b6.</p>",
        f"<table>{''.join(map(_row, report.rows))}</table>",
        f"<h2>The server's log</h2><pre>{_text(log)}</pre>" if log else "",
        f"<h2>TLS</h2><pre>{_text(tls)}</pre>",
        f"<h2>Recorded with</h2>{_list(report.environment)}",
        f'<p class="dim">{_text(NOTE[report.anonymous])} Read it before you send it.</p>',
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body><main>\n" + "\n".join(filter(None, parts)) + "\n"
        "</main></body></html>\n"
    )


def _list(told: Sequence[tuple[str, str]]) -> str:
    rows = "".join(f"<dt>{_text(label)}</dt><dd>{_text(text)}</dd>" for label, text in told)
    return f"<dl>{rows}</dl>"


def _rung(rung: Rung) -> str:
    return f"<li{_class(_CLASSES[rung.state])}>{_TICKS[rung.state]} {_text(rung.stage)}, {_text(rung.state)}</li>"


def _row(row: Row) -> str:
    line = row.line
    side = {Side.CLIENT: "client", Side.SERVER: "server", None: "bad" if line.mark == "*** " else "dim"}[line.side]
    sign = "\u25b6 " if row.proves else ""
    cells = (f"{sign}{line.at / 1_000_000:.3f}", line.mark, line.text)
    return f"<tr{_class('proof ' * row.proves + side)}>{''.join(f'<td>{_text(cell)}</td>' for cell in cells)}</tr>\n"


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def _text(text: str) -> str:
    """Texts of the record are escaped for terminals already; what of others is not, is now, line by line."""
    safe = "\n".join(escape_text(line).replace("\\\\", "\\") for line in text.split("\n"))
    return escape(safe)
