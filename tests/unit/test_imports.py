"""Imports go one way: a room may import itself and the rooms below it."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "profiler"

DOWNWARDS = (
    ("cli",),
    ("commands",),
    ("present",),
    ("analyze",),
    ("collect",),
    ("rebuild", "provision"),
    ("plan",),
    ("sources",),
    ("launch", "workloads", "guest"),
    ("system",),
    ("catalogue", "folder"),
    ("older",),
    ("model",),
    ("errors",),
)
"""Who stands above imports those below; neighbours do not know each other."""

RECORDING = {"collect", "rebuild", "provision", "plan", "sources", "launch", "guest", "system", "workloads"}
ANALYSING = {"analyze", "present"}
"""They meet in the model, the catalogue and files."""

LEVEL = {room: level for level, rooms in enumerate(DOWNWARDS) for room in rooms}


def may_import(room: str, other: str) -> bool:
    return LEVEL[other] > LEVEL[room] and not (room in ANALYSING and other in RECORDING)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


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
        if path != PACKAGE / "__init__.py"
        for room in sorted(imported_rooms(path) - {room_of(path), "_counters"})
        if not may_import(room_of(path), room)
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


def test_no_two_files_and_no_two_classes_share_a_name() -> None:
    """A name stands for one thing, so that an import need not be looked at to know which.

    But for samples, each a program of its own, and for commands: their files are named by the words that users type,
    and are imported by the command line alone.
    """
    files: dict[str, list[str]] = {}
    classes: dict[str, list[str]] = {}
    for path in sorted(set(PACKAGE.rglob("*.py")) - set((PACKAGE / "workloads/samples").iterdir())):
        place = str(path.relative_to(PACKAGE))
        if path.name != "__init__.py" and room_of(path) != "commands":
            files.setdefault(path.name, []).append(place)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                classes.setdefault(node.name, []).append(place)
    assert {name: places for name, places in (files | classes).items() if len(places) > 1} == {}
