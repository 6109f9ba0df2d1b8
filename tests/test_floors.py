"""Imports go down a floor or stay in the room."""

import ast
from pathlib import Path

ROOMS = {
    "model": 0,
    "wire": 1,
    "protocols": 2,
    "talk": 3,
    "analysis": 3,
    "formats": 3,
    "store": 3,
    "net": 4,
    "app": 5,
    "cli": 6,
    "web": 6,
}
SCREENS = {"cli", "web"}
PACKAGE = Path(__file__).parent.parent / "mailproxy"


def imported(source: str) -> set[str]:
    """The rooms that a module imports from, whether at run time or for types only."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules.update(alias.name for alias in names)
            case ast.ImportFrom(module=str(module), level=0, names=names):
                modules.update(f"{module}.{alias.name}" for alias in names)
            case ast.ImportFrom(level=level) if level > 0:
                modules.add("mailproxy.relative")
    return {module.split(".")[1] for module in modules if module.startswith("mailproxy.")}


def allowed(room: str, other: str) -> bool:
    """Whether `room` may import `other`; screens see use cases and values only."""
    if room in SCREENS:
        return other in {room, "app", "model"}
    return room == other or (other in ROOMS and ROOMS[other] < ROOMS[room])


def test_imports_go_down() -> None:
    broken = [
        f"{path.relative_to(PACKAGE)} imports {other}"
        for path in PACKAGE.rglob("*.py")
        if (room := path.relative_to(PACKAGE).parts[0]) in ROOMS
        for other in imported(path.read_text(encoding="utf-8"))
        if not allowed(room, other)
    ]
    assert broken == []


def test_an_import_that_goes_up_is_seen() -> None:
    source = "if TYPE_CHECKING:\n    from mailproxy.net import leg\n"
    assert not any(allowed("wire", other) for other in imported(source))
    assert "relative" in imported("from . import telnet\n")
    assert not allowed("cli", "protocols")
