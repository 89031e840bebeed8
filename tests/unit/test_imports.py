"""Imports go one way: a room may import itself and the rooms below it."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "profiler"

BASE = {"causes", "errors", "events", "factorial", "folder", "heap", "model", "process", "treatments"}
MAY_IMPORT = {
    "base": BASE,
    "workloads": BASE,
    "launch": BASE,
    "rebuild": BASE | {"launch"},
    "measure": BASE | {"workloads", "launch", "rebuild"},
    "analyze": BASE,
    "present": BASE | {"analyze"},
    "commands": BASE | {"workloads", "launch", "rebuild", "measure", "analyze", "present"},
    "cli": BASE | {"commands"},
}


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "base" if first in BASE | {"__init__"} else first


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("profiler"):
            parts = node.module.split(".")
            rooms |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            rooms |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("profiler.")}
    return rooms


def test_no_room_imports_upwards() -> None:
    upward = [
        f"{path.relative_to(PACKAGE)} imports {room}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for room in sorted(imported_rooms(path) - {room_of(path), "_counters"})
        if room not in MAY_IMPORT[room_of(path)]
    ]
    assert upward == []


def test_only_the_command_line_prints() -> None:
    printing = [
        str(path.relative_to(PACKAGE))
        for path in sorted(PACKAGE.rglob("*.py"))
        if room_of(path) not in {"cli", "present", "workloads"}
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert printing == []
