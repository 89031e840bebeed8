"""A/A decides which metrics count: planted runs whose baseline is, or is not, itself."""

import math
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest

from profiler.analyze.compare import Costs, compare
from profiler.analyze.conclude import conclude
from profiler.analyze.costing import costs_of
from profiler.analyze.decompose import decompose
from profiler.analyze.doubts import withdraw
from profiler.analyze.effects import logs
from profiler.analyze.rows import read_rows
from profiler.analyze.stats import blocks_needed, smallest_detectable_effect, too_wide
from profiler.folder import load_run
from profiler.model import AGAIN, BASELINE, Comparison
from tests.builders import ROLES
from tests.recorded import FOLDERS, RESULTS


def planted(twin: dict[str, float], *, blocks: int = 6, scatter: float = 0.001) -> Costs:
    """python3, its twin at ``twin`` times its figures, and pyo3 20 % above it, with ``scatter`` between blocks."""
    random = np.random.default_rng(3)
    usual = {"instructions": 900.0, "cycles": 300.0, "task-clock": 100.0, "wall": 110.0}
    rows = {
        (block, name): {
            metric: value * (twin.get(metric, 1.0) if name == AGAIN else 1.2 if name == "pyo3" else 1.0)
            * math.exp(random.normal(0, scatter))
            for metric, value in usual.items()
        }
        for block in range(blocks)
        for name in (BASELINE, AGAIN, "pyo3")
    }  # fmt: skip
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(table.index, names=["block", "launcher"])
    table["ipc"] = table["instructions"] / table["cycles"]
    return Costs(table=table, apart=frozenset(), sources={}, reasons={}, fallback_source="hardware", roles=ROLES)


def of(costs: Costs, metric: str, launcher: str = "pyo3") -> Comparison:
    found = compare(costs, (BASELINE, AGAIN, "pyo3"))
    return next(one for one in found if (one.baseline, one.launcher, one.metric) == (BASELINE, launcher, metric))


def test_a_baseline_that_is_itself_loses_nothing() -> None:
    costs = planted({})
    assert withdraw(costs) is costs


def test_a_metric_in_which_the_baseline_differs_is_withdrawn_of_all_but_the_proof() -> None:
    costs = withdraw(planted({"wall": 1.3}))
    assert {one.metric: one.kind for one in costs.doubts.values()} == {"wall": "differs"}
    wall = of(costs, "wall")
    assert (wall.ratio, wall.lo, wall.hi, wall.value, wall.verdict) == (None, None, None, None, "unresolved")
    assert wall.reason is not None
    assert wall.reason.startswith("the baseline differs from itself in wall (A/A 1.3")
    assert wall.detectable_effect is None
    assert of(costs, "wall", AGAIN).ratio == pytest.approx(1.3, rel=0.01)
    assert logs(costs, BASELINE, "pyo3", "wall").empty
    assert of(costs, "instructions").verdict == "slower"


def test_what_stands_on_a_withdrawn_metric_goes_with_it_and_time_is_split_without_it() -> None:
    costs = withdraw(planted({"cycles": 1.3, "wall": 1.3}))
    assert set(costs.doubts) == {"cycles", "wall", "ipc"}
    ipc = of(costs, "ipc")
    assert ipc.ratio is None
    assert ipc.reason is not None
    assert ipc.reason.startswith("stands on cycles: the baseline differs from itself in cycles")
    cycles, time = decompose(costs, "pyo3")
    assert all(term.ratio is None for term in cycles.terms)
    assert cycles.reason == costs.doubts["cycles"].reason
    assert time.of == "task-clock"
    assert [term.term for term in time.terms] == ["instructions", "time-per-instruction"]
    assert time.reason is not None
    assert costs.doubts["wall"].reason in time.reason


def test_without_wall_and_a_cycle_counter_cpi_is_estimated_as_with_it() -> None:
    """Of pyo3 everything is 1.2 times as much, the clock too: instructions 1.2, CPI 1.2, and time over 1.2."""
    measured = planted({"wall": 1.5})
    clock = measured.table["cycles"].rename("clock") / 100.0
    costs = withdraw(msgspec.structs.replace(measured, table=measured.table.drop(columns="cycles").join(clock)))
    assert "wall" in costs.doubts
    _, time = decompose(costs, "pyo3")
    assert time.of == "task-clock"
    assert {term.term: term.ratio for term in time.terms} == pytest.approx(
        {"instructions": 1.2, "cpi": 1.2, "frequency": 1 / 1.2}, rel=0.01
    )
    assert time.reason is not None
    assert "estimates from the core clock" in time.reason


def test_an_interval_that_shows_nothing_withdraws_too_and_is_told_otherwise() -> None:
    costs = withdraw(planted({}, blocks=2, scatter=0.5))
    assert costs.doubts["wall"].kind == "useless"
    assert of(costs, "wall").ratio is None


def test_a_single_block_says_nothing_against_a_metric() -> None:
    costs = withdraw(planted({"wall": 4.0}, blocks=1))
    assert costs.doubts == {}
    assert of(costs, "wall").reason == "measured once (no interval: --blocks 3)"


@pytest.mark.parametrize("sign", [(1, -1), (-1, 1), (-1, -1)])
def test_but_an_iteration_that_costs_less_than_nothing_is_no_figure(sign: tuple[int, int]) -> None:
    once = planted({}, blocks=1)
    factors = dict(zip((BASELINE, AGAIN), sign, strict=True))
    once.table["wall"] *= [factors.get(name, 1) for name in once.table.index.get_level_values("launcher")]
    costs = withdraw(once)
    assert {one.metric: one.kind for one in costs.doubts.values()} == {"wall": "useless"}
    assert of(costs, "wall").ratio is None
    assert of(costs, "instructions").ratio is not None


@pytest.mark.once
def test_baselines_that_are_themselves_are_hardly_ever_accused() -> None:
    """Holm over the metrics: one in a hundred families at most, here of 4 metrics and their quotient."""
    accused = 0
    for seed in range(400):
        random = np.random.default_rng(seed)
        costs = planted({}, scatter=0.0)
        noise = np.exp(random.normal(0, 0.02, costs.table.shape))
        table = costs.table * noise
        accused += bool(withdraw(Costs(
            table=table, apart=frozenset(), sources={}, reasons={}, fallback_source="hardware", roles=ROLES
        )).doubts)  # fmt: skip
    assert accused <= 10


def test_blocks_needed_inverts_the_smallest_effect() -> None:
    figures = [0.0, 0.1, -0.1, 0.05, -0.05, 0.02]
    effect = smallest_detectable_effect(figures)
    assert effect is not None
    assert blocks_needed(effect, len(figures), effect * 1.0001) == len(figures)
    more = blocks_needed(effect, len(figures), effect / 2)
    assert more is not None
    assert more > 2 * len(figures)
    assert blocks_needed(254.0, 2, 0.05) is None


@pytest.mark.parametrize(
    ("lo", "hi", "wide"), [(0.8, 1.5, False), (0.7, 1.41, True), (-0.1, 1.1, True), (1.32, 13.2, True)]
)
def test_wider_than_a_factor_of_two(lo: float, hi: float, wide: bool) -> None:
    assert too_wide(lo, hi) is wide


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(RESULTS)))
def test_recorded_runs_keep_their_counts(folder: Path) -> None:
    """Exact counts agree with themselves; what goes are times of too few blocks."""
    run = load_run(folder)
    if run.command in ("amortize", "eliminate"):
        pytest.skip("it has more arms than one")
    costs, _ = costs_of(run, read_rows(folder))
    assert set(costs.doubts) <= {"wall", "task-clock", "startup-wall"}
    if run.command in ("ipc", "variants") and "survey" not in folder.parts:  # two blocks on a busy machine
        assert set(costs.doubts) <= {"startup-wall"}


def test_the_recorded_run_whose_wall_time_was_four_times_itself_claims_none() -> None:
    verdict = conclude(RESULTS / "rebuild" / "default-int_loop")
    wall = [one for one in verdict.comparisons if one.metric == "wall"]
    assert [one.launcher for one in wall if one.ratio is not None] == [AGAIN]
    reason = "the baseline differs from itself in wall (A/A 4.17 [1.32, 13.2])"
    assert {one.reason for one in wall if one.launcher != AGAIN} == {reason}
    assert f"Nothing is claimed in wall time: {reason}." in verdict.sentence
    assert [one.code for one in verdict.warnings].count("a-a-differs") == 1
    assert all(rung.metric == "instructions" for rung in verdict.ladder)
