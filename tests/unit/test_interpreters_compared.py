"""Two interpreters on planted figures: the file, its one option, the version, and what can be told apart of them."""

from typing import Any

import msgspec
import pytest

from profiler.catalogue.caveats import HEAP_NOT_PLACED, caveat
from profiler.collect.session import not_taken
from profiler.model import Cause, Launcher
from profiler.model.installed import InstalledPython
from profiler.plan.treat import bare_hosts, treated
from tests.builders import launcher
from tests.unit.test_pythons import AS_LIBRARY, planted
from tests.unit.test_verdicts import CLEAN, PROGRAM, judged

OLD = CLEAN | {"implementation": "cpython", "version": "3.11.2", "free_threaded": False}
NEW = OLD | {"version": "3.13.0"}
BASE = launcher("python3", link="program", image=PROGRAM)
SECOND = "/opt/second/bin/python3.11"
THIRD = "/opt/third/bin/python3.13"


def interpreter(name: str, image: str) -> Launcher:
    return launcher(name, link="program", image=image, kind="program")


def causes(
    cost: dict[str, float],
    others_: dict[str, tuple[str, dict[str, Any]]],
    *files: InstalledPython,
    variants: tuple[Launcher, ...] = (),
    of: str = "second",
) -> dict[str, Cause]:
    """Causes of the interpreter ``of``, where ``others_`` are name → (image, fingerprint)."""
    launchers = (BASE, *(interpreter(name, image) for name, (image, _) in others_.items()), *variants)
    seen = {"python3": OLD} | {name: fingerprint for name, (_, fingerprint) in others_.items()}
    seen |= {one.name: seen[one.variant.of] for one in variants if one.variant is not None}
    found, left = judged({"python3": 900.0} | cost, launchers, seen, eval_loops=files)
    assert abs(left[of].share or 0.0) < 1e-3, "nothing is left"
    return {cause: one for (who, cause), one in found.items() if who == of}


def confirmed(found: dict[str, Cause]) -> dict[str, str | None]:
    return {cause: one.strength for cause, one in found.items() if one.status == "confirmed"}


def test_of_two_builds_the_file_is_the_cause_for_nothing_else_differs() -> None:
    found = causes({"second": 1080.0}, {"second": (SECOND, OLD)})
    assert confirmed(found) == {"eval-loop-image": "intervened"}
    image = found["eval-loop-image"]
    assert image.share == pytest.approx(1.0, abs=1e-3)
    assert image.evidence.startswith(f"the same command on another interpreter ({SECOND}) against {PROGRAM}")


@pytest.mark.parametrize(
    ("built", "cause", "words"),
    [
        ({"pgo": False}, "pgo", "no PGO (python3's: PGO)"),
        ({"lto": False}, "lto", "no LTO (python3's: LTO)"),
        ({"optimisation_level": "-O2"}, "optimisation-level", "-O2 (python3's: -O3)"),
        ({"usdt": True, "usdt_probes": {"line": 1}}, "usdt", "USDT probes (python3's: no USDT)"),
    ],
)
def test_of_two_builds_that_differ_in_one_option_that_is_a_cause_and_no_other(
    built: dict[str, Any], cause: str, words: str
) -> None:
    files = planted(PROGRAM), planted(SECOND, **built)
    found = causes({"second": 1080.0}, {"second": (SECOND, OLD)}, *files)
    assert confirmed(found) == {"eval-loop-image": "intervened", cause: "correlated"}
    assert found[cause].evidence == f"{words}: the only build option in which the files differ"
    assert found[cause].share == found["eval-loop-image"].share
    assert found["eval-loop-image"].evidence.endswith(f"; built otherwise: {words}")


def test_of_two_options_neither_is_told_and_of_an_unseen_one_none() -> None:
    for built in ({"pgo": False, "lto": False}, {"pgo": False, "lto": None}):
        files = planted(PROGRAM), planted(SECOND, **built)
        found = causes({"second": 1080.0}, {"second": (SECOND, OLD)}, *files)
        assert confirmed(found) == {"eval-loop-image": "intervened"}
        assert found["pgo"].status == "unresolved"
        assert "no PGO" in found["eval-loop-image"].evidence
    assert "not to be seen of both: LTO" in found["eval-loop-image"].evidence


def test_two_options_are_told_apart_by_a_build_that_lacks_one_of_them() -> None:
    """900 → 1000 without PGO → 1080 without LTO too."""
    found = causes(
        {"second": 1080.0, "half": 1000.0},
        {"second": (SECOND, OLD), "half": (THIRD, OLD)},
        planted(PROGRAM),
        planted(SECOND, pgo=False, lto=False),
        planted(THIRD, pgo=False),
    )
    assert confirmed(found) == {"eval-loop-image": "intervened", "lto": "correlated"}
    assert found["lto"].share == pytest.approx(0.4221, abs=1e-3)
    assert found["lto"].evidence.startswith(
        "no LTO (half's: LTO): the only build option in which the files differ; against half 1.08"
    )
    assert found["pgo"].status == "unresolved"


def test_a_shared_library_is_one_option_that_brings_others() -> None:
    files = planted(PROGRAM), planted(SECOND, **AS_LIBRARY)
    found = causes({"second": 1080.0}, {"second": (SECOND, OLD)}, *files)
    assert confirmed(found) == {"eval-loop-image": "intervened"}
    assert "in a shared library (python3's: in the program itself)" in found["eval-loop-image"].evidence


def test_a_debug_build_is_its_own_cause() -> None:
    found = causes({"second": 2700.0}, {"second": (SECOND, OLD | {"debug_build": True})})
    assert confirmed(found) == {"dev-mode": "intervened"}


def test_of_equal_files_that_cost_the_same_nothing_is_a_cause() -> None:
    found = causes({"second": 900.0}, {"second": (SECOND, OLD)}, planted(PROGRAM), planted(SECOND))
    assert confirmed(found) == {}


# ---------------------------------------------------------------- two versions


def test_another_version_is_the_only_cause_that_is_confirmed() -> None:
    found = causes({"second": 1350.0}, {"second": (THIRD, NEW)}, planted(PROGRAM), planted(THIRD, pgo=False))
    assert confirmed(found) == {"version": "intervened"}
    assert found["version"].evidence.startswith("3.13.0 in second, 3.11.2 in python3")
    assert found["pgo"].evidence.startswith("cannot be separated from the version")


def between(built: dict[str, Any], seen: dict[str, Any]) -> dict[str, Cause]:
    """900 of the baseline, 1080 of the launcher between, 1350 of the other."""
    return causes(
        {"second": 1350.0, "between": 1080.0},
        {"second": (THIRD, NEW), "between": (SECOND, seen)},
        planted(PROGRAM),
        planted(SECOND, **built),
        planted(THIRD, pgo=False, version="3.13.0"),
    )


def test_a_build_of_the_old_version_like_the_new_one_tells_the_two_apart() -> None:
    """1080 ÷ 900 is how it is built, 1350 ÷ 1080 the version: 45.0 % and 55.0 % of the tax in logs."""
    found = between({"pgo": False}, OLD)
    assert confirmed(found) == {"version": "intervened", "eval-loop-image": "intervened"}
    assert found["eval-loop-image"].share == pytest.approx(0.4497, abs=1e-3)
    assert found["version"].share == pytest.approx(0.5503, abs=1e-3)
    assert "by between (3.11.2, built like second): second against between 1.25" in found["version"].evidence


def test_a_build_of_the_new_version_like_the_old_one_tells_the_two_apart_the_other_way() -> None:
    found = between({"version": "3.13.0"}, NEW)
    assert found["version"].share == pytest.approx(0.4497, abs=1e-3)
    assert "by between (3.13.0, built like python3): between against python3 1.2" in found["version"].evidence


@pytest.mark.parametrize("built", [{}, {"pgo": False, "lto": False}, {"pgo": False, "lto": None}])
def test_a_launcher_that_is_built_like_neither_tells_nothing_apart(built: dict[str, Any]) -> None:
    found = between(built, OLD)
    assert confirmed(found) == {"version": "intervened"}
    assert found["version"].share == pytest.approx(1.0, abs=1e-3)


def test_another_patch_level_between_is_said_to_be_one() -> None:
    found = between({"pgo": False, "version": "3.11.9"}, OLD | {"version": "3.11.9"})
    assert "by between (3.11.9, another patch level of it, built like second)" in found["version"].evidence


# ---------------------------------------------------------------- what is done to an interpreter


def test_what_an_interpreter_has_beside_its_eval_loop_is_taken_away_or_given_to_the_baseline() -> None:
    second = interpreter("second", SECOND)
    launchers = (BASE, second)
    assert bare_hosts(launchers) == (), "it runs nothing but its eval loop as it is"
    seen = {"python3": OLD, "second": OLD | {"gc_threshold": [2000, 10, 10], "allocator": "malloc"}}
    made = {one.name: one for one in treated(launchers, seen, "callgrind")}
    assert {"second~gc", "python3+allocator@second"} <= made.keys()
    assert made["second~gc"].role is None


def test_what_differs_inside_is_told_apart_from_the_file() -> None:
    """900 → 990 by the file, → 1188 by its collector."""
    relieved = msgspec.structs.replace(
        launcher("second~gc", link="program", image=SECOND, base="second"), kind="program"
    )
    found = causes(
        {"second": 1188.0, "second~gc": 990.0},
        {"second": (SECOND, OLD | {"gc_threshold": [10, 10, 10]})},
        variants=(relieved,),
    )
    assert confirmed(found) == {"eval-loop-image": "intervened", "gc": "intervened"}
    assert found["gc"].share == pytest.approx(0.6567, abs=1e-3)
    assert found["eval-loop-image"].share == pytest.approx(0.3433, abs=1e-3)
    assert "with all else equal (second~gc on" in found["eval-loop-image"].evidence


@pytest.mark.parametrize(("relieved", "status"), [(1070.0, "unresolved"), (990.0, "confirmed")])
def test_what_nobody_saw_is_no_cause_where_an_unplaced_heap_moves_as_much(relieved: float, status: str) -> None:
    """1080 without what is always taken away: 1 % may be the heap, 9 % is not."""
    changed = msgspec.structs.replace(
        launcher("second~tracing", link="program", image=SECOND, base="second"), kind="program"
    )
    second = interpreter("second", SECOND)
    cost = {"python3": 900.0, "second": 1080.0, "second~tracing": relieved}
    for warnings, expected in (((), "confirmed"), ((caveat(HEAP_NOT_PLACED, "second: its heap …"),), status)):
        seen = dict.fromkeys(cost, OLD)
        found, _ = judged(cost, (BASE, second, changed), seen, warnings=warnings)
        assert found["second", "tracing"].status == expected


def test_an_option_is_compared_within_one_python_alone() -> None:
    """The other lacks PGO alone, and is another version by what its process says."""
    found = causes(
        {"second": 1080.0, "other": 1000.0},
        {"second": (SECOND, OLD), "other": (THIRD, OLD | {"version": "3.11.9"})},
        planted(PROGRAM),
        planted(SECOND, pgo=False, lto=False),
        planted(THIRD, pgo=False),
    )
    assert confirmed(found) == {"eval-loop-image": "intervened"}


def test_an_option_is_not_told_by_a_build_whose_process_differs_too() -> None:
    """The third lacks pymalloc, and was compiled at another level: either may be what it costs."""
    found = causes(
        {"second": 1350.0, "third": 990.0},
        {"second": (SECOND, OLD | {"allocator": "malloc"}), "third": (THIRD, OLD)},
        planted(PROGRAM),
        planted(SECOND, pgo=False, optimisation_level="-O2"),
        planted(THIRD, pgo=False),
    )
    assert found["optimisation-level"].status == "unresolved"
    assert "optimisation-level" not in confirmed(found)


def test_what_stays_although_it_was_taken_away_proves_nothing() -> None:
    """A Python that was built without pymalloc has no other allocator to go back to."""
    second = interpreter("second", SECOND)
    removed = {
        name: msgspec.structs.replace(
            launcher(f"second~{name}", link="program", image=SECOND, base="second"), kind="program"
        )
        for name in ("allocator", "gc")
    }
    unlike = {"allocator": "malloc", "gc_threshold": [10, 10, 10]}
    seen = {
        "python3": OLD,
        "second": OLD | unlike,
        "second~allocator": OLD | unlike,
        "second~gc": OLD | {"allocator": "malloc"},
    }
    found = not_taken((BASE, second, *removed.values()), seen)
    assert found == {"second~allocator": "allocator is 'malloc' with and without it (is it built so?)"}
