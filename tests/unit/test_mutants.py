"""The list of planted changes cannot rot: what each would change is there once, and so are its tests."""

import re
import tomllib
from pathlib import Path

TOP = Path(__file__).parents[2]
MUTANTS = tomllib.loads((TOP / "tests" / "mutants.toml").read_text())["mutant"]


def test_what_each_change_replaces_is_there_exactly_once() -> None:
    counted = {(one["file"], one["old"]): (TOP / one["file"]).read_text().count(one["old"]) for one in MUTANTS}
    assert {place: count for place, count in counted.items() if count != 1} == {}
    assert not [one for one in MUTANTS if one["old"] == one["new"]]
    assert len({(one["file"], one["old"], one["new"]) for one in MUTANTS}) == len(MUTANTS)


def test_the_tests_of_each_change_are_there() -> None:
    assert not [one for one in MUTANTS if not one["tests"]]
    for test in {test for one in MUTANTS for test in one["tests"]}:
        file, _, name = test.partition("::")
        text = (TOP / file).read_text()
        assert not name or re.search(rf"^def {re.escape(name.partition('[')[0])}\(", text, re.MULTILINE), test


def test_both_rooms_are_searched() -> None:
    """A change in each module that computes something."""
    changed = {one["file"] for one in MUTANTS}
    rooms = [TOP / "profiler" / room for room in ("analyze", "plan")]
    modules = {str(file.relative_to(TOP)) for room in rooms for file in room.rglob("*.py") if file.name[0] != "_"}
    assert modules - changed == set()
    assert changed <= modules
