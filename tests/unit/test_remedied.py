"""A remedy's time, from planted rows: resolved, not resolved, measured once, of another library, withdrawn."""

import random
from pathlib import Path

import msgspec
import pytest

from profiler.analyze.causes.remedy_verdict import timed, told
from profiler.folder import compress, load_run, save_run
from profiler.model import AGAIN, BASELINE, Caveat, Precision, Step, Workload
from profiler.model.factorial import Remedy, remedy_time_folder
from profiler.plan.schedule import make_plan
from profiler.sources.software import SoftwareSource
from tests.builders import ROLES, launcher
from tests.unit.simulated import folder_of

NAME = "pyo3@pgo,lto,shared,direct"
REMEDY = Remedy(
    launcher=NAME, library="remedy/libpython3.11.so.1.0", build_id="ab" * 20, soname=None, build=(), checks=()
)
COST = {BASELINE: 100.0, AGAIN: 100.0, "pyo3": 120.0, NAME: 101.2}


def measured(folder: Path, *, blocks: int, scatter: float, cost: dict[str, float] = COST) -> Remedy:
    """What is said of a timing of so many blocks, with ``scatter`` between processes."""
    drawn = random.Random(5)
    workload = Workload(name="w", path="/w.py", counts_m=(1, 2), timed_m=(100, 200))
    plan = make_plan(
        seed=1,
        source="software",
        workload=workload,
        launchers=tuple(map(launcher, (BASELINE, "pyo3", NAME))),
        passes=SoftwareSource().chunk_passes(workload, "task-clock"),
        blocks=blocks,
        precision=Precision(metric="task-clock", half_width=0.02),
    )

    def truth(step: Step, workload: str, count: int) -> dict[str, float]:
        return {"task-clock": cost[step.launcher] * step.m * drawn.gauss(1, scatter)}

    place = folder / remedy_time_folder(REMEDY)
    place.mkdir(parents=True)
    folder_of(place, plan, "ipc", truth)
    return timed(REMEDY, folder)


def test_a_remedy_that_was_not_timed_stays_as_it_is(tmp_path: Path) -> None:
    assert timed(REMEDY, tmp_path) is REMEDY


def test_a_resolved_time_is_told_with_its_interval(tmp_path: Path) -> None:
    remedy = measured(tmp_path, blocks=12, scatter=0.01)
    against_program, against_library = remedy.times
    assert (against_program.against, against_library.against) == (BASELINE, "pyo3")
    for time, truth in ((against_program, 1.012), (against_library, 1.012 / 1.2)):
        assert time.resolved
        assert time.blocks == 12
        assert time.lo is not None
        assert time.hi is not None
        assert time.lo <= truth <= time.hi
        assert time.hi / time.lo < 1.04
    assert told(against_program, ROLES).startswith("time 1.01")
    assert told(against_program, ROLES).endswith("of python3's CPU time, chunks, 12 blocks")
    assert "of pyo3's on the distribution's library CPU time" in told(against_library, ROLES)
    assert [check.passed for check in remedy.checks] == [True, True]


def test_a_timing_that_is_kept_compressed_is_the_same(tmp_path: Path) -> None:
    before = measured(tmp_path, blocks=12, scatter=0.01)
    compress(tmp_path / remedy_time_folder(REMEDY))
    assert timed(REMEDY, tmp_path) == before


def test_what_the_budget_ended_is_told_as_a_range_and_passes_nothing(tmp_path: Path) -> None:
    remedy = measured(tmp_path, blocks=4, scatter=0.05)
    time = remedy.times[0]
    assert not time.resolved
    assert told(time, ROLES).startswith("not resolved within the budget: 0.")
    assert told(time, ROLES).endswith("of python3's CPU time (± 2% asked), chunks, 4 blocks")
    assert [check.passed for check in remedy.checks] == [None, None]


def test_few_blocks_resolve_only_by_the_rule_at_which_a_run_stops(tmp_path: Path) -> None:
    """Three figures that happen to lie together are no ± 2 %."""
    remedy = measured(tmp_path, blocks=3, scatter=0.003)
    time = remedy.times[0]
    assert time.ratio is not None
    assert time.hi is not None
    assert time.hi / time.ratio < 1.02
    assert not time.resolved


def test_one_block_is_measured_once(tmp_path: Path) -> None:
    assert "measured once" in told(measured(tmp_path, blocks=1, scatter=0.001).times[0], ROLES)


def test_a_slower_remedy_fails(tmp_path: Path) -> None:
    remedy = measured(tmp_path, blocks=12, scatter=0.005, cost=COST | {NAME: 130.0})
    assert [check.passed for check in remedy.checks] == [True, False]


def test_a_baseline_that_is_not_itself_times_nothing(tmp_path: Path) -> None:
    remedy = measured(tmp_path, blocks=12, scatter=0.005, cost=COST | {AGAIN: 150.0})
    assert [time.ratio for time in remedy.times] == [None, None]
    assert told(remedy.times[0], ROLES).startswith(
        "not resolved: the baseline differs from itself in task-clock (A/A 1.5"
    )
    assert [check.passed for check in remedy.checks] == [None, None]


@pytest.mark.parametrize("build_id", ["cd" * 20, None])
def test_another_library_is_not_the_remedy(tmp_path: Path, build_id: str | None) -> None:
    measured(tmp_path, blocks=12, scatter=0.005)
    place = tmp_path / remedy_time_folder(REMEDY)
    run = load_run(place)
    launchers = tuple(
        msgspec.structs.replace(one, image="/lib/libpython3.11.so.1.0", build_id=build_id) if one.name == NAME else one
        for one in run.plan.launchers
    )
    save_run(place, msgspec.structs.replace(run, plan=msgspec.structs.replace(run.plan, launchers=launchers)))
    assert told(timed(REMEDY, tmp_path).times[0], ROLES) == f"not resolved: {NAME} did not run the remedy's library"


def test_disturbance_is_told_where_the_time_is_open(tmp_path: Path) -> None:
    measured(tmp_path, blocks=4, scatter=0.05)
    place = tmp_path / remedy_time_folder(REMEDY)
    save_run(place, msgspec.structs.replace(load_run(place), warnings=(Caveat(code="not-quiet", message=""),)))
    assert timed(REMEDY, tmp_path).checks[0].evidence.endswith("; other work disturbed it")
