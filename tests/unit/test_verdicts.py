"""Ladder and causes on planted figures: each planted cause is named, and a host without one gets none."""

import math
from typing import Any

import pytest

from profiler.analyze.compare import Costs, cost_table
from profiler.analyze.ladder import climb
from profiler.analyze.rows import slopes
from profiler.analyze.verdicts import judge
from profiler.causes import CAUSES, TOGGLES, TREATMENTS
from profiler.model import AGAIN, Cause, Launcher, Run, Unexplained
from tests.unit.test_compare import rows
from tests.unit.test_schedule import plan

PROGRAM, LIBRARY, OTHER = "/usr/bin/python3.11", "/usr/lib/libpython3.11.so.1.0", "/opt/libpython3.11.so.1.0"
CLEAN: dict[str, Any] = {
    "trace": "None",
    "profile": "None",
    "monitoring": [],
    "gc_enabled": True,
    "gc_threshold": [700, 10, 10],
    "switch_interval": 0.005,
    "pymalloc": True,
    "dev_mode": False,
    "debug_build": False,
    "threads": 1,
}


def launcher(name: str, *, link: str | None = "shared", image: str = LIBRARY, base: str | None = None) -> Launcher:
    return Launcher(
        name=name,
        argv=("/x", "{script}"),
        env={},
        image=image,
        build_id=None,
        link=link,
        init=None,
        allocator=None,
        base=base,
        factor=None,
    )


OWN = (
    launcher("python3", link="program", image=PROGRAM),
    launcher(AGAIN, link="program", image=PROGRAM),
    launcher("pyo3"),
    launcher("runmain"),
)
COST = {"python3": 900.0, AGAIN: 900.0, "pyo3": 1080.0, "runmain": 1080.0}


def judged(
    cost: dict[str, float], launchers: tuple[Launcher, ...], fingerprints: dict[str, dict[str, Any]] | None = None
) -> tuple[dict[tuple[str | None, str], Cause], Unexplained]:
    frame = rows({name: {"instructions": value} for name, value in cost.items()}, noise=_jitter)
    costs = Costs(
        table=cost_table(slopes(frame)), apart=frozenset(), sources={}, reasons={}, fallback_source="callgrind"
    )
    made = plan()
    run = Run(
        schema="tax-probe/1",
        command="variants",
        argv=(),
        started_utc="",
        target=None,  # type: ignore[arg-type] # the analysis does not look at it
        plan=type(made)(
            seed=1,
            source="callgrind",
            workload=made.workload,
            launchers=launchers,
            passes=made.passes,
            blocks=made.blocks,
        ),
        source_sentence="",
        missing=(),
        machine={},
        interpreters={},
        builds=(),
        fingerprints=fingerprints if fingerprints is not None else {one.name: CLEAN for one in launchers},
        warnings=(),
        measured_s=1.0,
    )
    causes, unexplained = judge(costs, run)
    return {(cause.launcher, cause.cause): cause for cause in causes}, unexplained


def _jitter(block: int, name: str, event: str) -> float:
    return 1 + 1e-5 * ((block * 3 + len(name)) % 4)


def confirmed(found: dict[tuple[str | None, str], Cause], name: str) -> set[str]:
    return {cause for (who, cause), verdict in found.items() if who == name and verdict.status == "confirmed"}


def test_the_library_is_named_and_nothing_is_left() -> None:
    found, unexplained = judged(COST, OWN)
    assert confirmed(found, "pyo3") == {"eval-loop-image"}
    assert found["pyo3", "eval-loop-image"].strength == "intervened"
    assert found["pyo3", "eval-loop-image"].share == pytest.approx(1.0, abs=1e-3)
    assert found["pyo3", "init-path"].status == "refuted"
    assert unexplained.share == pytest.approx(0.0, abs=1e-3)
    assert unexplained.lo is not None


def test_a_start_up_path_that_costs_is_named_beside_the_library() -> None:
    found, _ = judged(COST | {"runmain": 990.0}, OWN)
    assert confirmed(found, "pyo3") == {"eval-loop-image", "init-path"}
    assert found["pyo3", "init-path"].share == pytest.approx(math.log(1080 / 990) / math.log(1.2), abs=1e-3)


def test_without_runmain_nothing_is_confirmed_and_all_is_unexplained() -> None:
    found, unexplained = judged({k: v for k, v in COST.items() if k != "runmain"}, OWN[:3])
    assert not confirmed(found, "pyo3")
    assert unexplained.share == pytest.approx(1.0)


def test_a_toggle_on_both_ends_that_leaves_the_tax_refutes_its_cause() -> None:
    toggled = (
        launcher("python3+malloc", link="program", image=PROGRAM, base="python3"),
        launcher("pyo3+malloc", base="pyo3"),
    )
    found, _ = judged(COST | {"python3+malloc": 1300.0, "pyo3+malloc": 1480.0}, OWN + toggled)
    allocator = found["pyo3", "allocator"]
    assert (allocator.status, allocator.strength) == ("refuted", "intervened")
    assert "100.0% of the difference before" in allocator.evidence


@pytest.mark.parametrize(
    ("key", "value", "variant", "cause"),
    [
        ("trace", "'function'", "mine~tracing", "tracing"),
        ("gc_threshold", [5, 2, 2], "mine~gc", "gc"),
        ("switch_interval", 1e-6, "mine~switch", "threads"),
        ("pymalloc", False, "python3+malloc", "allocator"),
        ("dev_mode", True, "python3+dev-mode", "dev-mode"),
    ],
)
def test_a_planted_cause_of_a_host_is_named_and_no_other(key: str, value: Any, variant: str, cause: str) -> None:
    host = launcher("mine", link=None, image=PROGRAM)
    treated = launcher(variant, link=None, image=PROGRAM, base=variant.partition("~")[0].partition("+")[0])
    cost = COST | {"mine": 1350.0, variant: 900.0 if "~" in variant else 1350.0}
    fingerprints = {one.name: CLEAN for one in OWN} | {"mine": CLEAN | {key: value}}
    found, _ = judged(cost, (*OWN, host, treated), fingerprints)
    assert confirmed(found, "mine") == {cause}
    assert found["mine", cause].strength == "intervened"
    assert found["mine", cause].share == pytest.approx(1.0, abs=1e-3)


def test_a_host_on_another_library_is_explained_by_a_bare_host_on_the_same() -> None:
    host = launcher("mine", link=None, image=OTHER)
    bare = launcher("pyo3@mine", image=OTHER, base="pyo3")
    found, _ = judged(COST | {"mine": 1200.0, "pyo3@mine": 1200.0}, (*OWN, host, bare))
    assert confirmed(found, "mine") == {"eval-loop-image"}
    debug = {one.name: CLEAN for one in (*OWN, bare)} | {"mine": CLEAN | {"debug_build": True}}
    found, _ = judged(COST | {"mine": 1200.0, "pyo3@mine": 1200.0}, (*OWN, host, bare), debug)
    assert confirmed(found, "mine") == {"dev-mode"}


def test_a_host_with_no_tax_gets_no_cause() -> None:
    found, _ = judged(COST | {"mine": 900.0}, (*OWN, launcher("mine", link=None, image=PROGRAM)))
    assert not confirmed(found, "mine")
    assert {verdict.status for (who, _), verdict in found.items() if who == "mine"} == {"refuted"}


def test_one_visible_difference_is_named_for_a_rest_and_two_are_not() -> None:
    host = launcher("mine", link=None, image=PROGRAM)
    one = {one.name: CLEAN for one in OWN} | {"mine": CLEAN | {"threads": 2}}
    found, _ = judged(COST | {"mine": 1300.0}, (*OWN, host), one)
    assert confirmed(found, "mine") == {"threads"}
    assert found["mine", "threads"].strength == "correlated"
    two = {one.name: CLEAN for one in OWN} | {"mine": CLEAN | {"threads": 2, "debug_build": True}}
    found, _ = judged(COST | {"mine": 1300.0}, (*OWN, host), two)
    assert not confirmed(found, "mine")


def test_what_shows_in_time_only_is_never_guessed_from_instructions() -> None:
    found, _ = judged(COST, OWN)
    for cause in ("huge-pages", "mitigations", "throttling", "program-location", "code-layout"):
        assert found["pyo3", cause].status == "not-tested"
        assert "callgrind" in found["pyo3", cause].evidence


def test_every_cause_of_the_catalogue_has_one_verdict_per_launcher() -> None:
    found, _ = judged(COST, OWN)
    assert [cause for who, cause in found if who == "pyo3"] == [entry.id for entry in CAUSES]
    ids = {entry.id for entry in CAUSES}
    assert {toggle.cause for toggle in TOGGLES} | {treatment.cause for treatment in TREATMENTS} <= ids


def test_the_ladder_telescopes_and_a_missing_rung_joins_its_neighbours() -> None:
    cost = {"python3": 900.0, AGAIN: 900.0, "runmain-static": 970.0, "runmain": 1080.0, "pyo3": 1080.0}
    frame = rows({name: {"instructions": value} for name, value in cost.items()})
    costs = Costs(
        table=cost_table(slopes(frame)), apart=frozenset(), sources={}, reasons={}, fallback_source="callgrind"
    )
    path = [rung for rung in climb(costs, tuple(cost)) if rung.from_ != "python3" or rung.to == "runmain-static"]
    assert [(rung.from_, rung.to) for rung in path] == [
        ("python3", "runmain-static"),
        ("runmain-static", "runmain"),
        ("runmain", "pyo3"),
    ]
    assert "PGO + PIC" in path[1].factor
    assert "shared library" in path[1].factor
    assert sum(rung.share or 0 for rung in path) == pytest.approx(1.0)
    assert math.prod(rung.ratio or 0 for rung in path) == pytest.approx(1.2)
