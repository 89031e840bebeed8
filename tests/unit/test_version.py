"""Launchers of another Python than the baseline: said first, and nothing else is claimed of their machine code."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from profiler.analyze.causes.version import python_of
from profiler.analyze.conclude import conclude
from profiler.folder import load_run, save_run
from profiler.model import Cause, Unexplained
from profiler.plan.schedule import make_plan
from tests.builders import launcher
from tests.unit import simulated
from tests.unit.test_schedule import plan
from tests.unit.test_verdicts import CLEAN, COST, OTHER, OWN, confirmed, judged

OURS = CLEAN | {"implementation": "cpython", "version": "3.11.2", "free_threaded": False}
NEWER = "3.12.1 in mine, 3.11.2 in python3"
FILES = {"eval-loop-image", "pgo", "lto", "pic", "plt", "tls", "usdt"}


def of_host(
    seen: dict[str, Any], cost: dict[str, float], *more: str, image: str = OTHER
) -> tuple[dict[str, Cause], Unexplained]:
    """The causes of a host ``mine`` with ``seen`` in its fingerprint; ``more``: its variants, a ``+`` is bare's."""
    variants = tuple(
        launcher(name, link=None if "~" in name else "shared", image=image, base="mine" if "~" in name else "runmain")
        for name in more
    )
    host = launcher("mine", link=None, image=image)
    fingerprints = {one.name: OURS for one in OWN} | {"mine": OURS | seen}
    fingerprints |= {one.name: OURS | seen for one in variants}
    found, left = judged(COST | cost, (*OWN, host, *variants), fingerprints)
    return {cause: verdict for (who, cause), verdict in found.items() if who == "mine"}, left["mine"]


def are_confirmed(found: dict[str, Cause]) -> set[str]:
    return {cause for cause, verdict in found.items() if verdict.status == "confirmed"}


def test_another_version_is_the_cause_and_its_files_are_none() -> None:
    found, left = of_host({"version": "3.12.1"}, {"mine": 1200.0, "bare@mine": 1200.0}, "bare@mine")
    assert are_confirmed(found) == {"version"}
    assert found["version"].evidence.startswith(NEWER)
    assert found["version"].share == pytest.approx(1.0, abs=1e-3)
    assert left.share == pytest.approx(0.0, abs=1e-3)
    for cause in FILES:
        assert found[cause].evidence == f"cannot be separated from the version ({NEWER})"
        assert (found[cause].status, found[cause].strength, found[cause].share) == ("unresolved", None, None)


def test_what_is_changed_inside_the_host_still_stands() -> None:
    """1200 of the version, and tracing on top, taken away from the host itself."""
    cost = {"mine": 1500.0, "mine~tracing": 1200.0, "bare@mine": 1200.0}
    found, left = of_host({"version": "3.12.1", "trace": "'function'"}, cost, "mine~tracing", "bare@mine")
    assert are_confirmed(found) == {"version", "tracing"}
    assert found["tracing"].strength == "intervened"
    assert left.share == pytest.approx(0.0, abs=1e-3)


def test_without_its_bare_twin_it_is_seen_and_has_no_share() -> None:
    found, left = of_host({"version": "3.12.1"}, {"mine": 1200.0})
    version = found["version"]
    assert (version.status, version.strength, version.share, version.evidence) == (
        "confirmed", "correlated", None, NEWER,
    )  # fmt: skip
    assert left.share == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("key", "cause"), [("debug_build", "dev-mode"), ("busy_threads", "threads")])
def test_a_rest_is_tied_to_nothing_else_beside_another_version(key: str, cause: str) -> None:
    found, _ = of_host({"version": "3.12.1", key: 1}, {"mine": 1300.0})
    assert are_confirmed(found) == {"version"}
    assert found[cause].status == "unresolved"
    assert "cannot be separated from the version" in found[cause].evidence
    assert found[cause].share is None


def test_a_debug_build_of_another_version_is_no_debug_build_of_this_one() -> None:
    seen = {"version": "3.12.1", "debug_build": True}
    found, _ = of_host(seen, {"mine": 3000.0, "bare@mine": 3000.0}, "bare@mine")
    assert are_confirmed(found) == {"version"}
    assert found["version"].evidence.startswith("3.12.1d in mine, 3.11.2 in python3")


def test_a_host_of_another_version_without_a_tax_has_no_cause() -> None:
    found, _ = of_host({"version": "3.12.1"}, {"mine": 900.0, "bare@mine": 900.0}, "bare@mine")
    assert are_confirmed(found) == set()
    assert found["version"].status == "refuted"
    assert found["version"].evidence.startswith(f"{NEWER}; no tax to explain")


def test_the_same_version_is_told_as_equal_and_changes_nothing() -> None:
    found, _ = of_host({}, {"mine": 1200.0, "bare@mine": 1200.0}, "bare@mine")
    assert are_confirmed(found) == {"eval-loop-image"}
    assert (found["version"].status, found["version"].evidence) == ("refuted", "equal on both sides: CPython 3.11.2")


def test_what_did_not_say_its_version_is_not_called_equal() -> None:
    found, _ = judged(COST, OWN, {one.name: {} for one in OWN})
    assert found["pyo3", "version"].status == "not-tested"


def test_a_library_of_another_patch_version_is_not_another_file_of_the_same_code() -> None:
    swapped = launcher("pyo3@swapped", image=OTHER, base="pyo3")
    fingerprints = {one.name: OURS for one in (*OWN, swapped)}
    cost = COST | {"pyo3@swapped": 900.0}
    without = tuple(one for one in OWN if one.name != "runmain")
    found, _ = judged(cost, (*without, swapped), fingerprints)
    assert confirmed(found, "pyo3") == {"eval-loop-image"}
    found, _ = judged(cost, (*without, swapped), fingerprints | {"pyo3@swapped": OURS | {"version": "3.11.9"}})
    assert confirmed(found, "pyo3") == set()


# ---------------------------------------------------------------- which Python

HAND_MADE = [
    ({"python": "3.12.1 (main, Dec  8 2023) [GCC 12.2.0]"}, "3.12.1", "CPython 3.12.1"),
    (
        {"python": "3.13.0 experimental free-threading build (main, Oct  7 2024) [GCC]"},
        "3.13.0t",
        "CPython 3.13.0, free-threaded",
    ),
    ({"python": "3.14.0 free-threading build (main)"}, "3.14.0t", "CPython 3.14.0, free-threaded"),
    (
        {"python": "3.10.14 (39dc8d3c85a7, Aug 30 2024) [PyPy 7.3.17 with GCC 10.2.1]"},
        "PyPy 3.10.14",
        "PyPy 3.10.14",
    ),
    ({"version": "3.10.14", "implementation": "pypy"}, "PyPy 3.10.14", "PyPy 3.10.14"),
    ({"version": "3.11.2", "debug_build": True}, "3.11.2d", "CPython 3.11.2, a debug build"),
    (
        {"version": "3.13.5", "free_threaded": True, "debug_build": True},
        "3.13.5td",
        "CPython 3.13.5, free-threaded, a debug build",
    ),
    ({"version": "3.11.2+"}, "3.11.2+", "CPython 3.11.2+"),
    ({"version": "3.14.0", "jit_enabled": True}, "3.14.0 with its JIT on", "CPython 3.14.0, its JIT on"),
    ({"version": "3.14.0", "jit_enabled": False}, "3.14.0", "CPython 3.14.0"),
]


@pytest.mark.parametrize(("found", "short", "words"), HAND_MADE)
def test_a_fingerprint_tells_which_python_it_is(found: dict[str, Any], short: str, words: str) -> None:
    python = python_of(found)
    assert python is not None
    assert (str(python), python.in_words()) == (short, words)


def test_a_fingerprint_that_does_not_tell_is_unknown() -> None:
    assert python_of({}) is None
    assert python_of({"python": ""}) is None


# ---------------------------------------------------------------- the headline


def said(place: Path, seen: dict[str, Any], *, name: str = "mine", base: str | None = None) -> tuple[str, list[str]]:
    """The sentence, and the caveats on other versions, of a run of ``ipc`` with one launcher beside the baseline."""
    other = launcher(name, link=None, base=base)
    made = plan()
    made = make_plan(
        seed=1,
        source="callgrind",
        workload=made.workload,
        launchers=(launcher("python3"), other),
        passes=made.passes[:1],
        blocks=2,
    )
    folder = simulated.folder_of(place, made, "ipc", lambda step, workload, count: {"instructions": 100.0 * step.m})
    save_run(folder, msgspec.structs.replace(load_run(folder), fingerprints={"python3": OURS, name: OURS | seen}))
    verdict = conclude(folder)
    return verdict.sentence, [one.message for one in verdict.warnings if one.code == "other-version"]


@pytest.mark.parametrize(
    ("seen", "words", "what"),
    [
        ({"version": "3.12.1"}, "CPython 3.12.1", "another CPython version"),
        ({"implementation": "pypy", "version": "3.11.2"}, "PyPy 3.11.2", "another implementation"),
        ({"free_threaded": True}, "CPython 3.11.2, free-threaded", "another ABI"),
        ({"debug_build": True}, "CPython 3.11.2, a debug build", "a debug build"),
        ({"jit_enabled": True}, "CPython 3.11.2, its JIT on", "a JIT compiler"),
    ],
)
def test_another_python_is_said_first_in_every_command(
    tmp_path: Path, seen: dict[str, Any], words: str, what: str
) -> None:
    sentence, caveats = said(tmp_path, seen)
    first = f"mine runs {words}, and python3 is CPython 3.11.2: {what} is part of every difference between them. "
    assert sentence.startswith(first)
    (caveat,) = caveats
    assert caveat.startswith(f"mine runs {words}, and python3 is CPython 3.11.2")


def test_a_swapped_library_of_another_patch_version_is_said_first(tmp_path: Path) -> None:
    sentence, caveats = said(tmp_path, {"version": "3.11.9"}, name="pyo3@swapped", base="pyo3")
    assert sentence.startswith("pyo3@swapped runs CPython 3.11.9, and python3 is CPython 3.11.2")
    assert len(caveats) == 1


@pytest.mark.parametrize("seen", [{}, {"python": "3.11.2 (built on another day)"}])
def test_of_the_same_python_nothing_is_said(tmp_path: Path, seen: dict[str, Any]) -> None:
    sentence, caveats = said(tmp_path, seen)
    assert "3.11.2" not in sentence
    assert caveats == []
