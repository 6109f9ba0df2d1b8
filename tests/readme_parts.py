"""The parts of the README that are generated, each by a function that returns Markdown."""

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

import typer
from typer.models import OptionInfo, ParamMeta
from typer.utils import get_params_from_function

import mailproxy
from mailproxy.analysis.rules import LINTS, RULES
from mailproxy.analysis.texts import TEXTS
from mailproxy.app import at_once, stripped, uidl
from mailproxy.app.diagnose import EXIT_CODES
from mailproxy.app.practice import ACCOUNT_TABLE
from mailproxy.cli.main import COMMANDS
from mailproxy.formats import FORMATS, OCTET_FORMATS
from mailproxy.store.tables import describe
from mailproxy.talk.faults import FAULTS

COMMAND: Final = (sys.executable, "-c", "from mailproxy.cli.main import main; main()")
ROOMS: Final = Path(mailproxy.__file__).parent
WORDS: Final = {int: "N", str: "TEXT", Path: "PATH"}
LIMIT: Final = 60  # seconds


def demo() -> str:
    """What `mailproxy demo` shows, cut to the first session that failed and the summary."""
    with tempfile.TemporaryDirectory() as folder:
        shown = _fixed(_demo(Path(folder) / "mailproxy.sqlite"), folder)
    said, summary = re.split(r"\n(?=\d+ sessions are recorded)", shown)
    sessions = re.split(r"^(?==== session)", said, flags=re.M)
    failed = next(each for each in sessions if re.search(r"^--- session \d+ failed", each, re.M))
    outcomes = summary.partition("\n\nGo on with:")[0]
    return f"```text\n…\n{failed}…\n\n{outcomes}\n```"


def _demo(db: Path) -> str:
    env = os.environ | {"TERM": "dumb", "PYTHONUTF8": "1"}
    command = [*COMMAND, "demo", "--db", str(db)]
    return subprocess.run(command, env=env, capture_output=True, encoding="utf-8", check=True, timeout=LIMIT).stdout


def _fixed(shown: str, folder: str) -> str:
    """The same without what differs from run to run: ports, the path, and which of two closed first."""
    shown = re.sub(r"127\.0\.0\.1 port \d+ to (smtp|pop3)://127\.0\.0\.1:\d+", r"127.0.0.1 to \1://127.0.0.1", shown)
    shown = re.sub(r"^\*\*\* closed by the (client|server)$", "*** closed by the client", shown, flags=re.M)
    return shown.replace(folder + os.sep, "~/.local/share/mailproxy/")


def accounts() -> str:
    """What each account of the practice servers does."""
    return table(("account", "what the servers do"), ((code(address), does) for address, does in ACCOUNT_TABLE))


def schema() -> str:
    """The tables of the database, column by column."""
    return "\n\n".join(
        f"**`{name}`**\n\n" + table(("column", "type", "what it holds"), _columns(rows))
        for name, rows in groupby(describe(), key=lambda row: row[0])
    )


def _columns(rows: Iterable[tuple[str, str, str, str]]) -> Iterator[tuple[str, ...]]:
    return ((code(column), kind.lower(), comment) for _, column, kind, comment in rows)


def faults() -> str:
    """The rules by which what passes is spoiled."""
    rows = ((code(each.syntax), each.does, code(each.example)) for each in FAULTS)
    return table(("rule", "what it does", "example"), rows)


def stages() -> str:
    """The exit code of each stage."""
    rows = [(code(stage), str(number)) for stage, number in EXIT_CODES.items()]
    return table(("stage", "exit code"), sorted(rows, key=lambda row: int(row[1])))


def rules() -> str:
    """The rules of the diagnosis, and the texts of servers that it knows."""
    looking = [(code(rule.name), rule.knows) for rule in RULES] + [(code(lint.name), lint.knows) for lint in LINTS]
    looking += [(code(beside.RULE), beside.KNOWS) for beside in (uidl, stripped, at_once)]
    texts = [(code(row.name), row.summary, row.source) for row in TEXTS]
    return (
        table(("rule", "what it looks for"), looking) + "\n\n" + table(("text", "what it means", "who says so"), texts)
    )


def formats() -> str:
    """The formats that can be imported."""
    names = [each.name for each in FORMATS] + [each.name for each in OCTET_FORMATS]
    return ", ".join(map(code, names))


def commands() -> str:
    """The commands as `--help` describes them, from the same declarations."""
    return "\n\n".join(command(name, function) for name, function in _functions())


def _functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Each command's words, and the function that holds it."""
    for name, where, _ in COMMANDS:
        module, _, function = where.partition(":")
        found = getattr(importlib.import_module(f"mailproxy.cli.{module}"), function or module)
        if isinstance(found, typer.Typer):
            for each in found.registered_commands:
                assert each.callback is not None
                yield f"{name} {each.name or each.callback.__name__}", each.callback
        else:
            yield name, found


def command(name: str, function: Callable[..., Any]) -> str:
    """One command: what it is for, and its arguments and options."""
    prose = re.sub(r"\x08\n(.*?)(?=\n\n|\Z)", r"```text\n\1\n```", inspect.getdoc(function) or "", flags=re.S)
    rows = [_row(each) for each in get_params_from_function(function).values() if not each.default.hidden]
    return f"### mailproxy {name}\n\n{prose}\n\n" + table(("argument or option", ""), rows)


def _row(param: ParamMeta) -> tuple[str, str]:
    info = param.default
    kind = _kind(param.annotation)
    word = info.metavar or ("|".join(kind) if issubclass(kind, StrEnum) else WORDS.get(kind, ""))
    if not isinstance(info, OptionInfo):
        return code(info.metavar or param.name.upper()), info.help or ""
    names = info.param_decls or (f"--{param.name.replace('_', '-')}",)
    named = [code(f"{each} {word}".rstrip() if each.startswith("--") else each) for each in names]
    return ", ".join(named), (info.help or "") + _default(info)


def _default(info: OptionInfo) -> str:
    """Only where the help does not say it in its own words."""
    envvar = f" [{info.envvar}]" if info.envvar else ""
    plain = info.default not in (None, False, "") and "default" not in (info.help or "")
    return (f" [default: {getattr(info.default, 'value', info.default)}]" if plain else "") + envvar


def _kind(annotation: Any) -> type:
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(each for each in get_args(annotation) if each is not NoneType)
    kind: type = get_args(annotation)[0] if get_origin(annotation) is list else annotation
    return kind


def house() -> str:
    """The rooms of the package, the uppermost floor first, each in its own words."""
    rooms = ((path.parent.name, _docstring(path)) for path in sorted(ROOMS.glob("*/__init__.py")))
    floors = [(found[1], name, found[2]) for name, said in rooms if (found := re.match(r"Floor (\d+): (.*)", said))]
    floors.sort(key=lambda row: -int(row[0]))
    rows = ((floor, f"[{name}/](mailproxy/{name})", says[:1].upper() + says[1:]) for floor, name, says in floors)
    return table(("floor", "room", "what is in it"), rows)


def _docstring(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def code(text: str) -> str:
    """A word as code."""
    return f"`{text}`"


PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "demo": demo,
    "accounts": accounts,
    "schema": schema,
    "commands": commands,
    "house": house,
    "stages": stages,
    "rules": rules,
    "formats": formats,
    "faults": faults,
}
