"""A report of a session, for a provider or a forum: what went wrong, the proof, and what it was recorded with."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from mailproxy.analysis.diagnose import diagnose
from mailproxy.app import server_log
from mailproxy.app.library import recordings
from mailproxy.app.report.gather import gather, masked
from mailproxy.app.report.page import page
from mailproxy.app.report.sheet import sheet
from mailproxy.app.take_out import write

__all__ = ["Form", "reports", "written"]

_STEM: Final = "mailproxy-report"


class Form(StrEnum):
    """What is written: a page for a browser, a sheet of text, or both."""

    HTML = "html"
    TEXT = "text"
    BOTH = "both"


def reports(db: str, name: str, form: Form, anonymous: bool = False, logs: Sequence[str] = ()) -> dict[str, str]:
    """The reports of a session of the database, or of those of a file, by file name. No secret is in them.

    Raises StoreError, FormatError, and OSError where a log cannot be read.
    """
    found = [masked(recording) for recording in recordings(db, [name])]
    log = server_log.load(logs, found) if logs else None
    files: dict[str, str] = {}
    for number, recording in enumerate(found, 1):
        verdict = diagnose(recording)
        if log is not None:
            verdict = server_log.with_log(verdict, recording, log)
        report = gather(recording, verdict, anonymous)
        stem = f"{_STEM}-{recording.session.id or number}"
        if form is not Form.TEXT:
            files[f"{stem}.html"] = page(report)
        if form is not Form.HTML:
            files[f"{stem}.txt"] = sheet(report)
    return files


def written(files: dict[str, str], output: str) -> list[Path]:
    """Write them into a folder, or to a file: of a page and a sheet each has its own ending. `-` is standard output.

    Raises OSError.
    """
    path = Path(output)
    if output == "-":
        return write(files, None)
    if not path.suffix or path.is_dir() or len({Path(name).stem for name in files}) > 1:
        path.mkdir(parents=True, exist_ok=True)
        return write(files, path)
    endings = {name: path.suffix if len(files) == 1 else Path(name).suffix for name in files}
    return [each for name, text in files.items() for each in write({name: text}, path.with_suffix(endings[name]))]
