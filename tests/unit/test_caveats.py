"""Every caveat comes from the catalogue and names its remedy; readers see each kind and each message once."""

import ast
import inspect
from pathlib import Path

import pytest

from profiler.catalogue import caveats
from profiler.catalogue.caveats import A_A_USELESS, BY_CODE, CAVEATS, MISSING_RUNG, CaveatEntry, caveat
from profiler.errors import ProbeError
from profiler.model import Caveat
from profiler.present.reservations import reservations

PACKAGE = Path(__file__).parents[2] / "profiler"
CATALOGUE = PACKAGE / "catalogue" / "caveats.py"


def makers(name: str) -> set[Path]:
    return {
        path
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    }


def test_no_caveat_is_made_beside_the_catalogue() -> None:
    assert makers("Caveat") == {CATALOGUE}


def test_every_entry_is_met_somewhere() -> None:
    names = {name for name, value in vars(caveats).items() if isinstance(value, CaveatEntry)}
    text = "".join(path.read_text() for path in PACKAGE.rglob("*.py") if path != CATALOGUE)
    assert [name for name in sorted(names) if text.count(name) < 2] == [], "imported and used"
    assert len(names) == len(CAVEATS) == len(BY_CODE)


@pytest.mark.parametrize("entry", CAVEATS, ids=lambda entry: entry.code)
def test_an_entry_says_what_and_what_to_do(entry: CaveatEntry) -> None:
    assert all(vars(entry).values())


def test_a_message_ends_in_its_remedy() -> None:
    assert caveat(A_A_USELESS, "withdrawn: wall").message == "withdrawn: wall; more --blocks or more work per run"
    assert caveat(MISSING_RUNG, "no pic rung", remedy="install it").message == "no pic rung; install it"


def test_each_message_and_each_remedy_is_shown_once() -> None:
    one, other = (caveat(A_A_USELESS, f"withdrawn: {metric}") for metric in ("wall", "cycles"))
    old = Caveat(code="of-the-future", message="something")
    first, last = reservations((one, other, old, one))
    assert (first.title, first.messages) == (A_A_USELESS.title, ("withdrawn: wall", "withdrawn: cycles"))
    assert first.remedy == A_A_USELESS.remedy
    assert (last.title, last.messages, last.remedy) == ("of-the-future", ("something",), None)


def test_an_error_without_a_remedy_cannot_be_raised() -> None:
    assert inspect.signature(ProbeError).parameters["hint"].default is inspect.Parameter.empty
