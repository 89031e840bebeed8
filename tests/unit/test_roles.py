"""Who is the baseline, its twin and the embedder is data: nothing but what makes a launcher knows what it is called."""

import ast
import gzip
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from profiler.analyze.conclude import conclude
from profiler.errors import UsageError
from profiler.folder import load_run, read_recorded
from profiler.launch.launchers import ALL
from profiler.model import AGAIN, Plan
from profiler.older import up_to_date
from tests.recorded import FOLDERS, RESULTS

PACKAGE = Path(__file__).parents[2] / "profiler"

NAMES = {"AGAIN", "BASELINE", "EMBEDDER"}
MAKERS = {"launch/launchers.py", "model/__init__.py", "model/factorial.py", "model/launcher.py", "plan/studies.py"}
"""They call launchers by these names, or say which are measured unless others are asked for."""
READERS = {"older.py"}
"""Folders of before have nothing but names."""

OTHER = {"python3": "mine", AGAIN: "mine-too", "pyo3": "another", "runmain": "plain"}


def modules() -> dict[str, ast.Module]:
    found = {str(path.relative_to(PACKAGE)): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}
    return {place: tree for place, tree in found.items() if not place.startswith("present/") and place not in READERS}


def asked(node: ast.AST) -> bool:
    """Whether ``node`` is a launcher's name, or a tuple or set that holds one."""
    held = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return any(
        (isinstance(one, ast.Name) and one.id in NAMES)
        or (isinstance(one, ast.Constant) and one.value in {*ALL, AGAIN})
        for one in held
    )


def test_the_names_are_known_where_launchers_are_made_alone() -> None:
    knowing = {
        place
        for place, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and NAMES & {alias.name for alias in node.names}
    }
    assert knowing <= MAKERS


def test_nothing_asks_whether_a_launcher_has_one_of_our_names() -> None:
    """Neither by the constants nor by the words: not compared, not looked up."""
    asking = [
        f"{place}:{node.lineno}"
        for place, tree in modules().items()
        if place != "launch/launchers.py"
        for node in ast.walk(tree)
        if (isinstance(node, ast.Compare) and any(map(asked, (node.left, *node.comparators))))
        or (isinstance(node, ast.Subscript) and asked(node.slice))
        or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"get", "pop"}
            and any(map(asked, node.args))
        )
    ]
    assert asking == []


def renamed(value: Any) -> Any:
    """``value`` with every string, and every key, that is one of the names replaced."""
    if isinstance(value, dict):
        return {OTHER.get(key, key): renamed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [renamed(one) for one in value]
    return OTHER.get(value, value) if isinstance(value, str) else value


def without_words(value: Any) -> Any:
    """``value`` with all sentences cut to the length of one word: figures and statuses stay."""
    if isinstance(value, dict):
        return {key: without_words(one) for key, one in value.items()}
    if isinstance(value, list):
        return [without_words(one) for one in value]
    return "…" if isinstance(value, str) and " " in value else value


@pytest.mark.parametrize("name", ["variants-int_loop", "ipc-int_loop", "poc4-amortize", "poc4-eliminate"])
def test_the_verdict_is_the_same_whatever_the_launchers_are_called(name: str, tmp_path: Path) -> None:
    """A second Python as the embedder, or the user's program as the baseline, is a role given to another launcher."""
    folder = RESULTS / name
    run = json.loads(msgspec.json.encode(load_run(folder)))
    command = run.pop("command")
    (tmp_path / "run.json").write_text(json.dumps(renamed(run) | {"command": command}))
    for rows in ("rows.csv", "calls.csv"):
        if (folder / f"{rows}.gz").exists():
            lines = [
                ",".join(OTHER.get(cell, cell) for cell in line.split(","))
                for line in read_recorded(folder, rows).decode().split("\n")
            ]
            (tmp_path / f"{rows}.gz").write_bytes(gzip.compress("\n".join(lines).encode(), compresslevel=1))
    one, other = (json.loads(msgspec.json.encode(conclude(place))) for place in (folder, tmp_path))
    assert without_words(other) == without_words(renamed(one))
    spoken = re.findall(r"(?<![\w/.@-])(?:python3|pyo3|runmain)(?![\w/.@+~-])", other["sentence"])
    assert spoken == [], other["sentence"]


def test_a_folder_without_a_baseline_is_refused(tmp_path: Path) -> None:
    run = json.loads(msgspec.json.encode(load_run(RESULTS / "ipc-int_loop")))
    run["plan"]["launchers"] = run["plan"]["launchers"][1:]
    (tmp_path / "run.json").write_text(json.dumps(run))
    with pytest.raises(UsageError, match="none of its launchers is the baseline"):
        load_run(tmp_path)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(RESULTS)))
def test_a_folder_of_before_gets_the_roles_that_its_names_stand_for(folder: Path) -> None:
    plan: Plan = load_run(folder).plan
    assert (plan.roles.baseline, plan.roles.twin) == ("python3", AGAIN)
    assert plan.roles.embedder == "pyo3"
    assert all(one.role is None for one in plan.launchers if one.variant is not None)
    today = json.loads(msgspec.json.encode(load_run(folder)))
    today["plan"]["launchers"][0]["role"] = None
    assert up_to_date(today)["plan"]["launchers"][0]["role"] is None, "what is written is not guessed again"
