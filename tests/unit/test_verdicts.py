"""Ladder and causes on planted figures: each planted cause is named, and a host without one gets none."""

import math
from typing import Any

import pytest

from profiler.analyze.causes.cause_verdicts import judge
from profiler.analyze.causes.ladder import climb
from profiler.analyze.claims import why
from profiler.analyze.compare import Costs, cost_table
from profiler.analyze.rows import slopes
from profiler.analyze.together import together
from profiler.catalogue.causes import CAUSES
from profiler.catalogue.interventions import INTERVENTIONS
from profiler.catalogue.properties import PROPERTIES
from profiler.model import AGAIN, Cause, Caveat, Launcher, Run, SourceName, Unexplained
from profiler.model.installed import InstalledPython
from tests.builders import ROLES, launcher
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
    "allocator": "pymalloc",
    "memory_debug": False,
    "dev_mode": False,
    "debug_build": False,
    "threads": 1,
    "busy_threads": 0,
}


OWN = (
    launcher("python3", link="program", image=PROGRAM),
    launcher(AGAIN, link="program", image=PROGRAM),
    launcher("pyo3"),
    launcher("runmain"),
)
COST = {"python3": 900.0, AGAIN: 900.0, "pyo3": 1080.0, "runmain": 1080.0}


Cost = dict[str, float] | dict[str, dict[str, float]]


def judged(
    cost: Cost,
    launchers: tuple[Launcher, ...],
    fingerprints: dict[str, dict[str, Any]] | None = None,
    source: SourceName = "callgrind",
    *,
    known: tuple[Cause, ...] = (),
    warnings: tuple[Caveat, ...] = (),
    eval_loops: tuple[InstalledPython, ...] = (),
) -> tuple[dict[tuple[str | None, str], Cause], dict[str, Unexplained]]:
    """Causes by (launcher, cause), and what is left by launcher. A bare figure is instructions per iteration."""
    events = {name: one if isinstance(one, dict) else {"instructions": one} for name, one in cost.items()}
    frame = rows(events, noise=_jitter)
    costs = Costs(
        table=cost_table(slopes(frame), together(frame)),
        together=together(frame),
        apart=frozenset(),
        sources={},
        reasons={},
        fallback_source=source,
        roles=ROLES,
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
            source=source,
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
        warnings=warnings,
        measured_s=1.0,
        known_causes=known,
        eval_loops=eval_loops,
    )
    causes, left = judge(costs, run)
    return {(cause.launcher, cause.cause): cause for cause in causes}, left


def _jitter(block: int, name: str, event: str) -> float:
    return 1 + 1e-5 * ((block * 3 + len(name)) % 4)


def confirmed(found: dict[tuple[str | None, str], Cause], name: str) -> set[str]:
    return {cause for (who, cause), verdict in found.items() if who == name and verdict.status == "confirmed"}


def test_the_library_is_named_and_nothing_is_left() -> None:
    found, left = judged(COST, OWN)
    assert confirmed(found, "pyo3") == {"eval-loop-image"}
    assert found["pyo3", "eval-loop-image"].strength == "intervened"
    assert found["pyo3", "eval-loop-image"].share == pytest.approx(1.0, abs=1e-3)
    assert found["pyo3", "init-path"].status == "refuted"
    assert left["pyo3"].share == pytest.approx(0.0, abs=1e-3)
    assert left["pyo3"].lo is not None


@pytest.mark.parametrize(
    ("status", "expected", "words"),
    [
        ("confirmed", "confirmed", "rebuilt with interposable; all symbols bound at start"),
        ("refuted", "refuted", "rebuilt with interposable; all symbols bound at start"),
        ("not-tested", "unresolved", "no intervention takes it away"),
    ],
)
def test_what_rebuild_confirmed_is_not_cleared_by_a_toggle_that_reaches_less(
    status: Any, expected: str, words: str
) -> None:
    """LD_BIND_NOW spares the first calls alone, and says nothing of how calls were compiled, neither way."""
    known = Cause(
        launcher="pyo3", cause="plt", status=status, strength="intervened", share=0.43, lo=0.42, hi=0.44,
        evidence="rebuilt with interposable",
    )  # fmt: skip
    toggled = (
        launcher("python3+bind-now", link="program", image=PROGRAM, base="python3"),
        launcher("pyo3+bind-now", base="pyo3"),
    )
    found, left = judged(COST | {"python3+bind-now": 900.0, "pyo3+bind-now": 1080.0}, OWN + toggled, known=(known,))
    verdict = found["pyo3", "plt"]
    assert verdict.status == expected
    assert verdict.evidence.startswith(words)
    assert (verdict.share, verdict.role) == (None if expected == "unresolved" else 0.43, "cause")
    assert "all symbols bound at start" in verdict.evidence
    assert left["pyo3"].share == pytest.approx(0.0, abs=1e-3), "it is a part of the library's code, not beside it"


def test_a_start_up_path_that_costs_is_named_beside_the_library() -> None:
    found, _ = judged(COST | {"runmain": 990.0}, OWN)
    assert confirmed(found, "pyo3") == {"eval-loop-image", "init-path"}
    assert found["pyo3", "init-path"].share == pytest.approx(math.log(1080 / 990) / math.log(1.2), abs=1e-3)


def test_without_runmain_nothing_is_confirmed_and_all_is_unexplained() -> None:
    found, left = judged({k: v for k, v in COST.items() if k != "runmain"}, OWN[:3])
    assert not confirmed(found, "pyo3")
    assert left["pyo3"].share == pytest.approx(1.0)


MALLOC = (
    launcher("python3+malloc", link="program", image=PROGRAM, base="python3"),
    launcher("pyo3+malloc", base="pyo3"),
)


@pytest.mark.parametrize(
    ("embedder", "share"), [(1480.0, 0.0), (1419.0, 0.339), (1390.0, 0.5), (1374.2, 0.588), (1500.0, -1 / 9)]
)
def test_a_change_on_both_ends_of_an_equal_setting_is_a_place_whatever_goes_with_it(
    embedder: float, share: float
) -> None:
    """The allocator is the same on both ends, whether 33.9 % (CPython 3.11) or 58.8 % (3.13) lies in its code."""
    found, left = judged(COST | {"python3+malloc": 1300.0, "pyo3+malloc": embedder}, OWN + MALLOC)
    allocator = found["pyo3", "allocator"]
    assert (allocator.role, allocator.status, allocator.strength) == ("place", "refuted", "correlated")
    assert allocator.evidence.startswith("equal on both sides: allocator 'pymalloc'")
    assert allocator.share == pytest.approx(share, abs=2e-3)
    assert allocator.share is not None
    assert allocator.lo is not None
    assert allocator.hi is not None
    assert allocator.lo <= allocator.share <= allocator.hi
    told = f"of the difference {allocator.share:.1%} sits in pymalloc's own code (same allocator on both ends)"
    assert (told in allocator.evidence) == (share > 0.1)
    assert ("with it the difference is 11.1% larger" in allocator.evidence) == (share < -0.1)
    assert confirmed(found, "pyo3") == {"eval-loop-image"}
    assert left["pyo3"].share == pytest.approx(0.0, abs=1e-3)


def test_a_place_whose_setting_nobody_saw_is_not_refuted() -> None:
    found, _ = judged(COST | {"python3+malloc": 1300.0, "pyo3+malloc": 1374.2}, OWN + MALLOC, {})
    assert (found["pyo3", "allocator"].role, found["pyo3", "allocator"].status) == ("place", "unresolved")


@pytest.mark.parametrize(("caveats", "status"), [((), "refuted"), (("heap-not-placed",), "unresolved")])
def test_arenas_are_equal_where_every_process_verified_it(caveats: tuple[str, ...], status: str) -> None:
    toggled = tuple(launcher(f"{end}+arena-head", base=end) for end in ("python3", "pyo3"))
    warnings = tuple(Caveat(code=code, message="pyo3: its heap could not be placed") for code in caveats)
    cost = COST | {"python3+arena-head": 910.0, "pyo3+arena-head": 1072.0}
    found, _ = judged(cost, OWN + toggled, warnings=warnings)
    arenas = found["pyo3", "arena-placement"]
    assert (arenas.role, arenas.status) == ("place", status)
    assert arenas.share == pytest.approx(0.1, abs=2e-3)


def test_a_setting_that_differs_and_is_made_equal_on_both_ends_is_a_cause() -> None:
    """No treatment takes a hash seed away; seed 0 on both ends does, where the host takes it."""
    host = launcher("mine", link=None, image=PROGRAM)
    toggled = tuple(launcher(f"{end}+seed-0", link=None, image=PROGRAM, base=end) for end in ("python3", "mine"))
    fingerprints = {one.name: CLEAN | {"string_hash": 1} for one in OWN}
    fingerprints |= {"mine": CLEAN | {"string_hash": 2}}
    fingerprints |= {one.name: CLEAN | {"string_hash": 0} for one in toggled}
    cost = COST | {"mine": 1000.0, "python3+seed-0": 905.0, "mine+seed-0": 905.0}
    found, left = judged(cost, (*OWN, host, *toggled), fingerprints)
    assert confirmed(found, "mine") == {"hash-seed"}
    assert (found["mine", "hash-seed"].role, found["mine", "hash-seed"].strength) == ("cause", "intervened")
    assert left["mine"].share == pytest.approx(0.0, abs=1e-3)
    fingerprints["mine+seed-0"] = fingerprints["mine"]
    found, _ = judged(cost, (*OWN, host, *toggled), fingerprints)
    assert not confirmed(found, "mine"), "it did not take the seed, so nothing was made equal"


def test_debug_allocators_stand_beneath_the_development_mode_that_brings_them() -> None:
    """Two thirds and three quarters of one tax, measured in two ways, are one cause and its part."""
    host = launcher("mine", link=None, image=PROGRAM)
    given = launcher("python3+dev-mode@mine", link="program", image=PROGRAM, base="python3")
    toggled = (MALLOC[0], launcher("mine+malloc", link=None, image=PROGRAM, base="mine"))
    fingerprints = {one.name: CLEAN for one in OWN}
    fingerprints |= {one.name: CLEAN | {"allocator": "malloc"} for one in toggled}
    fingerprints["mine"] = CLEAN | {"dev_mode": True, "memory_debug": True}
    fingerprints["mine+malloc"] |= {"dev_mode": True}
    cost = COST | {"mine": 2000.0, "python3+dev-mode@mine": 1500.0, "python3+malloc": 1300.0, "mine+malloc": 1600.0}
    found, left = judged(cost, (*OWN, host, given, *toggled), fingerprints)
    whole, part = found["mine", "dev-mode"], found["mine", "allocator"]
    assert confirmed(found, "mine") == {"dev-mode", "allocator"}
    assert (whole.part_of, part.part_of, part.role) == (None, "dev-mode", "cause")
    assert whole.share == pytest.approx(math.log(1500 / 900) / math.log(2000 / 900), abs=1e-3)
    assert part.share == pytest.approx(1 - math.log(1600 / 1300) / math.log(2000 / 900), abs=1e-3)
    assert (whole.share or 0) + (left["mine"].share or 0) == pytest.approx(1.0, abs=1e-3)
    told = why("mine", tuple(found.values()), left["mine"])
    assert told.startswith(
        "mine: caused by dev-mode (64.0% of the tax, intervened; of that allocator 74.0%, which overlap"
    )
    # Where development mode was not proved, its part stands for itself.
    found, left = judged({k: v for k, v in cost.items() if k != given.name}, (*OWN, host, *toggled), fingerprints)
    assert found["mine", "allocator"].part_of is None
    assert (found["mine", "allocator"].share or 0) + (left["mine"].share or 0) == pytest.approx(1.0, abs=1e-3)


def test_two_settings_of_one_cause_add_up() -> None:
    """A debug build in development mode: its eval loop, and what the mode makes on top, are one cause's two parts."""
    host, bare = launcher("mine", link=None, image=OTHER), launcher("bare@mine", image=OTHER, base="runmain")
    given = launcher("bare@mine+dev-mode@mine", image=OTHER, base="bare@mine")
    fingerprints = {one.name: CLEAN for one in OWN}
    fingerprints |= {"bare@mine": CLEAN | {"debug_build": True}}
    fingerprints |= {"mine": CLEAN | {"debug_build": True, "dev_mode": True, "memory_debug": True}}
    cost = COST | {"mine": 3000.0, "bare@mine": 1500.0, given.name: 3000.0}
    found, left = judged(cost, (*OWN, host, bare, given), fingerprints)
    assert confirmed(found, "mine") == {"dev-mode"}
    assert found["mine", "dev-mode"].share == pytest.approx(1.0, abs=1e-3)
    assert left["mine"].share == pytest.approx(0.0, abs=1e-3)


def test_means_that_older_runs_quote_are_not_quoted_again() -> None:
    known = Cause(
        launcher="pyo3", cause="plt", status="confirmed", strength="intervened", share=0.43, lo=0.42, hi=0.44,
        evidence="rebuilt with interposable instead of direct: 1.0825 [1.0825, 1.0826] in instructions; by rebuild",
    )  # fmt: skip
    found, _ = judged(COST, OWN, known=(known,))
    assert found["pyo3", "plt"].part_of == "eval-loop-image"
    assert found["pyo3", "plt"].evidence == (
        "rebuilt with interposable instead of direct (the share is a mean over the orders of the options); by rebuild"
    )


@pytest.mark.parametrize(
    ("key", "value", "variant", "cause"),
    [
        ("trace", "'function'", "mine~tracing", "tracing"),
        ("trace", "None", "mine~tracing", "tracing"),  # a hook set in C is not to be seen
        ("gc_threshold", [5, 2, 2], "mine~gc", "gc"),
        ("switch_interval", 1e-6, "mine~threads", "threads"),
        ("allocator", "malloc", "mine~allocator", "allocator"),
        ("allocator", "malloc", "python3+allocator@mine", "allocator"),
        ("dev_mode", True, "python3+dev-mode@mine", "dev-mode"),
        ("memory_debug", True, "python3+dev-mode@mine", "dev-mode"),
    ],
)
def test_a_planted_cause_of_a_host_is_named_and_no_other(key: str, value: Any, variant: str, cause: str) -> None:
    host = launcher("mine", link=None, image=PROGRAM)
    base = "python3" if "+" in variant else "mine"
    treated = launcher(variant, link=None, image=PROGRAM, base=base)
    cost = COST | {"mine": 1350.0, variant: 900.0 if base == "mine" else 1350.0}
    fingerprints = {one.name: CLEAN for one in OWN} | {"mine": CLEAN | {key: value}}
    found, left = judged(cost, (*OWN, host, treated), fingerprints)
    assert confirmed(found, "mine") == {cause}
    assert found["mine", cause].strength == "intervened"
    assert found["mine", cause].share == pytest.approx(1.0, abs=1e-3)
    assert left["mine"].share == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(("trace", "status"), [("None", "refuted"), ("'function'", "confirmed")])
def test_what_is_not_seen_and_makes_it_slower_when_removed_was_not_there(trace: str, status: str) -> None:
    """Taking away what is not there costs something itself; what is there may well hide a part of the tax."""
    host = launcher("mine", link=None, image=PROGRAM)
    relieved = launcher("mine~tracing", link=None, image=PROGRAM, base="mine")
    fingerprints = {one.name: CLEAN for one in OWN} | {"mine": CLEAN | {"trace": trace}}
    found, _ = judged(COST | {"mine": 1350.0, "mine~tracing": 1400.0}, (*OWN, host, relieved), fingerprints)
    assert found["mine", "tracing"].status == status


def test_two_causes_that_work_on_each_other_leave_nothing_when_both_are_met() -> None:
    """Tracing removed from the host, development mode given to its twin: what is left is measured between those two."""
    host = launcher("mine", link=None, image=PROGRAM)
    relieved = launcher("mine~tracing", link=None, image=PROGRAM, base="mine")
    given = launcher("python3+dev-mode@mine", link="program", image=PROGRAM, base="python3")
    fingerprints = {one.name: CLEAN for one in OWN} | {"mine": CLEAN | {"trace": "'function'", "dev_mode": True}}
    cost = COST | {"mine": 3000.0, "mine~tracing": 1200.0, "python3+dev-mode@mine": 1200.0}
    found, left = judged(cost, (*OWN, host, relieved, given), fingerprints)
    assert confirmed(found, "mine") == {"tracing", "dev-mode"}
    assert left["mine"].share == pytest.approx(0.0, abs=1e-3)
    found, left = judged(cost | {"mine~tracing": 1500.0}, (*OWN, host, relieved, given), fingerprints)
    assert left["mine"].share == pytest.approx(math.log(1500 / 1200) / math.log(3000 / 900), abs=1e-3)


def test_what_is_left_when_all_is_removed_is_measured_and_no_sum() -> None:
    """Alone they take log 2 and log 1.5 of log 10/3; together they take all of it."""
    host = launcher("mine", link=None, image=PROGRAM)
    relieved = [launcher(f"mine~{name}", link=None, image=PROGRAM, base="mine") for name in ("tracing", "gc", "all")]
    fingerprints = {one.name: CLEAN for one in OWN} | {"mine": CLEAN | {"trace": "'function'", "gc_enabled": False}}
    cost = COST | {"mine": 3000.0, "mine~tracing": 1500.0, "mine~gc": 2000.0, "mine~all": 900.0}
    found, left = judged(cost, (*OWN, host, *relieved), fingerprints)
    assert confirmed(found, "mine") == {"tracing", "gc"}
    assert left["mine"].share == pytest.approx(math.log(10 / 9) / math.log(10 / 3), abs=1e-3)
    assert left["mine"].all_met == pytest.approx(0.0, abs=1e-3)


def test_a_host_on_another_library_is_explained_by_nothing_but_that_library() -> None:
    host = launcher("mine", link=None, image=OTHER)
    bare = launcher("bare@mine", image=OTHER, base="runmain")
    found, _ = judged(COST | {"mine": 1200.0, "bare@mine": 1200.0}, (*OWN, host, bare))
    assert confirmed(found, "mine") == {"eval-loop-image"}
    debug = {one.name: CLEAN for one in (*OWN, bare)} | {"mine": CLEAN | {"debug_build": True}}
    found, _ = judged(COST | {"mine": 1200.0, "bare@mine": 1200.0}, (*OWN, host, bare), debug)
    assert confirmed(found, "mine") == {"dev-mode"}


def test_a_host_with_no_tax_gets_no_cause() -> None:
    found, _ = judged(COST | {"mine": 900.0}, (*OWN, launcher("mine", link=None, image=PROGRAM)))
    assert not confirmed(found, "mine")
    acting = {entry.id for entry in CAUSES if entry.shows == "instructions"}
    assert {found["mine", cause].status for cause in acting} == {"refuted"}


@pytest.mark.parametrize(
    ("seen", "named"),
    [
        ({"busy_threads": 1}, {"threads"}),
        ({"debug_build": True}, {"dev-mode"}),
        ({"busy_threads": 1, "debug_build": True}, set()),
        ({"extension_modules": ["_x"]}, set()),
        ({"recursion_limit": 5000}, set()),
        ({"threads": 2}, set()),
    ],
)
def test_a_rest_is_tied_only_to_the_one_difference_that_costs_by_itself(seen: dict[str, Any], named: set[str]) -> None:
    host = launcher("mine", link=None, image=PROGRAM)
    fingerprints = {one.name: CLEAN for one in OWN} | {"mine": CLEAN | seen}
    found, left = judged(COST | {"mine": 1300.0}, (*OWN, host), fingerprints)
    assert confirmed(found, "mine") == named
    assert left["mine"].share == pytest.approx(0.0 if named else 1.0, abs=1e-3), "what is tied to a cause is explained"
    for key in seen:
        verdict = found["mine", PROPERTIES[key] or ""]
        assert (verdict.status, verdict.strength) == ("confirmed" if named else "unresolved", "correlated")


def test_what_shows_in_time_only_is_never_guessed_from_instructions() -> None:
    found, _ = judged(COST, OWN)
    for cause in ("huge-pages", "mitigations", "throttling", "program-location", "code-layout"):
        assert found["pyo3", cause].status == "not-tested"
        assert "callgrind" in found["pyo3", cause].evidence


QUOTA: dict[str, dict[str, float]] = {
    name: {"instructions": 900.0, "task-clock": 100.0, "wall": 100.0, "queued": 0.0} for name in ("python3", AGAIN)
}
QUOTA["mine"] = {"instructions": 900.0, "task-clock": 100.0, "wall": 200.0, "queued": 100.0}


@pytest.mark.parametrize(("source", "status"), [("callgrind", "unresolved"), ("software", "confirmed")])
def test_a_quota_is_found_by_the_time_without_a_cpu_and_named_where_time_is_explained(
    source: SourceName, status: str
) -> None:
    launchers = (*OWN[:2], launcher("mine", link=None, image=PROGRAM))
    fingerprints = {one.name: CLEAN | {"quota": None} for one in launchers} | {"mine": CLEAN | {"quota": 0.5}}
    cost = QUOTA
    if source == "software":
        cost = {name: {k: v for k, v in events.items() if k != "instructions"} for name, events in QUOTA.items()}
    found, _ = judged(cost, launchers, fingerprints, source)
    throttling = found["mine", "throttling"]
    assert (throttling.status, throttling.strength) == (status, "correlated")
    assert throttling.share == pytest.approx(1.0, abs=1e-3)
    assert "quota None in python3, 0.5 in mine" in throttling.evidence
    assert confirmed(found, "mine") == ({"throttling"} if status == "confirmed" else set())


def test_a_host_that_waits_for_its_own_threads_is_not_throttled() -> None:
    launchers = (*OWN[:2], launcher("mine", link=None, image=PROGRAM))
    fingerprints = {one.name: CLEAN for one in launchers} | {"mine": CLEAN | {"busy_threads": 1}}
    found, _ = judged(QUOTA, launchers, fingerprints, "software")
    assert found["mine", "throttling"].status == "unresolved"
    assert "own busy threads" in found["mine", "throttling"].evidence


def test_what_acts_on_cycles_is_judged_by_cycles() -> None:
    plain = {"instructions": 900.0, "cycles": 300.0, "task-clock": 100.0, "wall": 100.0}
    slow = plain | {"cycles": 360.0, "task-clock": 120.0, "wall": 120.0}
    given = launcher("python3+ssbd@mine", link="program", image=PROGRAM, base="python3")
    launchers = (*OWN[:2], launcher("mine", link=None, image=PROGRAM), given)
    status = "speculation_store_bypass"
    fingerprints = {one.name: CLEAN | {status: "thread vulnerable"} for one in launchers}
    fingerprints["mine"] = CLEAN | {status: "thread force mitigated"}
    cost = {"python3": plain, AGAIN: plain, "mine": slow, given.name: slow}
    found, _ = judged(cost, launchers, fingerprints, "hardware")
    assert confirmed(found, "mine") == {"mitigations"}
    assert found["mine", "mitigations"].share == pytest.approx(1.0, abs=1e-3)
    found, _ = judged(cost | {given.name: plain}, launchers, fingerprints, "hardware")
    assert found["mine", "mitigations"].status == "refuted"


def test_every_cause_of_the_catalogue_has_one_verdict_per_launcher() -> None:
    found, _ = judged(COST, OWN)
    assert [cause for who, cause in found if who == "pyo3"] == [entry.id for entry in CAUSES]
    ids = {entry.id for entry in CAUSES}
    assert {entry.cause for entry in INTERVENTIONS} <= ids


def test_the_ladder_telescopes_and_a_missing_rung_joins_its_neighbours() -> None:
    cost = {"python3": 900.0, AGAIN: 900.0, "runmain-static": 970.0, "runmain": 1080.0, "pyo3": 1080.0}
    frame = rows({name: {"instructions": value} for name, value in cost.items()})
    costs = Costs(
        table=cost_table(slopes(frame), together(frame)),
        together=together(frame),
        apart=frozenset(),
        sources={},
        reasons={},
        fallback_source="callgrind",
        roles=ROLES,
    )
    own = tuple(launcher(name, link="static" if name.endswith("static") else "shared") for name in cost)
    path = [rung for rung in climb(costs, own) if rung.from_ != "python3" or rung.to == "runmain-static"]
    assert [(rung.from_, rung.to) for rung in path] == [
        ("python3", "runmain-static"),
        ("runmain-static", "runmain"),
        ("runmain", "pyo3"),
    ]
    assert "PGO + PIC" in path[1].factor
    assert "shared library" in path[1].factor
    assert sum(rung.share or 0 for rung in path) == pytest.approx(1.0)
    assert math.prod(rung.ratio or 0 for rung in path) == pytest.approx(1.2)
