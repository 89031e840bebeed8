"""The sweep's model and crossover on planted lines, and on pairs that have none."""

import math
from pathlib import Path

import numpy as np
import pytest

from profiler.analyze.conclude import conclude
from profiler.analyze.crossover import crossing_of, fit, least_disturbed
from profiler.model import Plan, Step, Whole, Workload
from profiler.model.amortization import Amortization
from profiler.model.verdict import part
from profiler.plan.schedule import make_plan, steps
from profiler.plan.sweep import sweep_m, sweep_passes
from tests.builders import launcher
from tests.unit.simulated import Truth, folder_of

WORKLOAD = Workload(name="w", path="/w.py", counts_m=(3_000, 6_000), timed_m=(20_000, 150_000))
COUNTING = Whole(
    name="counted", events=("instructions",), m=(3_000, 6_000), exclusive=False, repetitions=1, blocks=(0, None)
)
LAUNCHERS = (launcher("python3"), launcher("host"))
BASE = (20e6, 1_000.0)
"""Start-up in ns and ns per unit of the baseline."""


def sweep_plan(blocks: int = 15) -> Plan:
    return make_plan(
        seed=5,
        source="callgrind",
        workload=WORKLOAD,
        launchers=LAUNCHERS,
        passes=sweep_passes(WORKLOAD, sweep_m(WORKLOAD, None), (COUNTING,), LAUNCHERS),
        blocks=blocks,
    )


def truth(host: tuple[float, float], scatter: float = 0.02) -> Truth:
    """Lines with relative noise; every tenth run is caught in a burst and takes half as long again."""
    rng = np.random.default_rng(8)

    def reading(step: Step, workload: str, before: int) -> dict[str, float]:
        startup, per_unit = host if step.launcher == "host" else BASE
        value = startup + per_unit * step.m
        if "counted" in step.pass_name:
            return {"instructions": value}
        burst = 1.5 if rng.random() < 0.1 else 1.0
        return {"wall": value * burst * math.exp(scatter * rng.normal())}

    return reading


def amortize(
    tmp_path: Path, host: tuple[float, float], *, scatter: float = 0.02, per_launch_ms: float | None = None
) -> Amortization:
    folder = folder_of(tmp_path, sweep_plan(), "amortize", truth(host, scatter), per_launch_ms=per_launch_ms)
    found = part(conclude(folder), Amortization)
    assert found is not None
    return found


def test_the_default_sweep_is_the_pocs() -> None:
    assert sweep_m(WORKLOAD, None) == (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
    assert sweep_m(WORKLOAD, (50, 5)) == (5, 50)
    slow = Workload(name="slow", path="/s.py", counts_m=(1, 2), timed_m=(2, 12))
    assert sweep_m(slow, None) == (1, 10, 100), "a heavy unit of work ends the sweep early"


def test_short_runs_are_repeated_and_warmed_up() -> None:
    plan = sweep_plan(blocks=1)
    of_host = [s for s in steps(plan, plan.blocks[0]) if s.launcher == "host" and "counted" not in s.pass_name]
    assert [s.repetition for s in of_host if s.repetition < 0] == [-2, -1]
    assert sum(s.m == 1 and s.repetition >= 0 for s in of_host) == 3
    assert sum(s.m == 1_000_000 for s in of_host) == 1
    counted = {s.m for s in steps(plan, plan.blocks[0]) if "counted" in s.pass_name}
    assert counted == {1, 1_000, 10_000}, "under callgrind the long end would take minutes"


def test_a_planted_crossover_is_found(tmp_path: Path) -> None:
    """15 ms against 20 ms at the start, 25 % more per unit: M* = 5e6 / 250 = 20 000, at 20 ms of work."""
    found = amortize(tmp_path, (15e6, 1_250.0))
    (crossing,) = found.crossover
    assert crossing.status == "found"
    assert crossing.m == pytest.approx(20_000, rel=0.1)
    assert crossing.lo is not None
    assert crossing.hi is not None
    assert crossing.lo < 20_000 < crossing.hi < 1.5 * crossing.lo
    assert crossing.work_ms == pytest.approx(20, rel=0.1)
    (saving,) = found.savings
    assert saving.saving_ms == pytest.approx(5, rel=0.06)
    assert saving.tax == pytest.approx(0.25, abs=0.02)
    model = {one.launcher: one for one in found.model}
    assert model["python3"].startup_ms == pytest.approx(20, rel=0.02)
    assert model["host"].per_unit_ns == pytest.approx(1_250, rel=0.02)
    assert all(one.left_out_error is not None and one.left_out_error < 0.03 for one in found.model)
    assert "embed up to" in found.advice[0]


def test_points_have_the_pocs_columns(tmp_path: Path) -> None:
    found = amortize(tmp_path, (15e6, 1_250.0))
    point = next(one for one in found.points if one.launcher == "host" and one.m == 1_000_000)
    assert point.wall_ms == pytest.approx(1_265, rel=0.03)
    assert point.delta_ms == pytest.approx(-245, rel=0.2), "as in the PoC, time lost is negative"
    assert point.ratio == pytest.approx(1_265 / 1_020, rel=0.03)
    assert point.bit_exact
    base = next(one for one in found.points if one.launcher == "python3")
    assert (base.delta_ms, base.ratio) == (None, None)
    assert {one.launcher for one in found.points} == {"python3", "host"}, "the twin counts as the baseline"


def test_the_same_crossover_in_instructions_is_exact(tmp_path: Path) -> None:
    found = amortize(tmp_path, (15e6, 1_250.0))
    assert found.instructions is not None
    (crossing,) = found.instructions.crossover
    assert crossing.m == pytest.approx(20_000, rel=1e-6)
    assert crossing.lo == pytest.approx(crossing.hi)


def test_a_host_that_is_slower_everywhere_has_no_crossover(tmp_path: Path) -> None:
    found = amortize(tmp_path, (25e6, 1_250.0))
    (crossing,) = found.crossover
    assert (crossing.status, crossing.m, crossing.lo, crossing.hi) == ("none", None, None, None)
    assert (crossing.work_ms, crossing.work_ms_lo, crossing.work_ms_hi) == (None, None, None)
    assert "slower at every M" in found.advice[0]


def test_a_host_that_is_faster_everywhere_has_no_crossover(tmp_path: Path) -> None:
    found = amortize(tmp_path, (15e6, 800.0))
    assert found.crossover[0].status == "none"
    assert "faster at every M" in found.advice[0]


def test_an_equal_host_has_no_crossover(tmp_path: Path) -> None:
    found = amortize(tmp_path, BASE, scatter=0.005)
    (crossing,) = found.crossover
    assert (crossing.status, crossing.m, crossing.work_ms) == ("none", None, None)
    assert "costs what python3 costs" in found.advice[0]
    assert found.instructions is not None
    assert found.instructions.crossover[0].status == "none"


def test_an_equal_host_in_noise_is_never_a_number(tmp_path: Path) -> None:
    found = amortize(tmp_path, BASE, scatter=0.1)
    (crossing,) = found.crossover
    assert crossing.status == "unbounded"
    assert (crossing.m, crossing.work_ms) == (None, None)
    assert "neither be bounded nor ruled out" in found.advice[0]


def test_a_slower_start_that_pays_off_later_is_told_the_other_way_round(tmp_path: Path) -> None:
    found = amortize(tmp_path, (25e6, 800.0))
    assert found.crossover[0].m == pytest.approx(25_000, rel=0.1)
    assert "embed from" in found.advice[0]


@pytest.mark.parametrize(("work_ms", "word"), [(2.0, "gains"), (100.0, "costs")])
def test_the_users_own_work_per_launch(tmp_path: Path, work_ms: float, word: str) -> None:
    found = amortize(tmp_path, (15e6, 1_250.0), per_launch_ms=work_ms)
    (mine,) = found.per_launch
    assert mine.gain_ms == pytest.approx(5 - 0.25 * work_ms, rel=0.1)
    assert mine.lo is not None
    assert mine.hi is not None
    assert mine.lo < mine.gain_ms < mine.hi
    assert f"At {work_ms:g} ms of work per launch it {word}" in found.advice[0]


def test_a_launcher_without_a_single_long_run_gives_no_points(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, sweep_plan(blocks=2), "amortize", truth((15e6, 1_250.0)))
    rows = (folder / "rows.csv").read_text().splitlines(keepends=True)
    kept = [line for line in rows if ",host," not in line or ",1000000," not in line]
    (folder / "rows.csv").write_text("".join(kept))
    found = part(conclude(folder), Amortization)
    assert found is not None
    assert (found.points, found.model, found.crossover) == ((), (), ())


def test_the_fit_weighs_relative_errors() -> None:
    """A million-fold larger point must not drown the start-up: 1 % more at M = 10⁶ moves it by little."""
    m = (1, 100, 10_000, 1_000_000)
    costs = np.array([20e6 + 1_000.0 * one for one in m])
    assert fit(m, costs[None])[0] == pytest.approx([20e6, 1_000.0])
    costs[-1] *= 1.01
    assert fit(m, costs[None])[0, 0] == pytest.approx(20e6, rel=1e-3)


@pytest.mark.parametrize(
    ("saving", "tax", "variances", "status", "at"),
    [
        (5.0, 0.25, (0.01, 1e-6), "found", 20.0),
        (-5.0, 0.25, (0.01, 1e-6), "none", None),  # slower at once and ever after
        (5.0, -0.25, (0.01, 1e-6), "none", None),  # faster everywhere
        (5.0, 0.001, (0.01, 1.0), "unbounded", None),  # the tax may be nothing
        (0.01, 0.25, (1.0, 1e-6), "unbounded", None),  # the saving may be nothing
        (0.05, 0.25, (1e-6, 1e-6), "none", None),  # they meet before the first unit
        (0.0, 0.0, (0.0, 0.0), "unbounded", None),
    ],
)
def test_what_kind_of_set_fieller_gives(
    saving: float, tax: float, variances: tuple[float, float], status: str, at: float | None
) -> None:
    found = crossing_of(saving, tax, np.diag(variances), freedom=14, least=1.0)
    assert (found.status, found.at) == (status, at)


def test_a_tax_that_may_be_nothing_bounds_the_crossover_from_below_only() -> None:
    found = crossing_of(5.0, 0.1, np.diag((0.01, 0.01)), freedom=14, least=1.0)
    assert found.status == "unbounded"
    # |5 - 0.1 x| = t sqrt(0.01 + 0.01 x²) with t = 2.1448: 0.036 x² + x - 24.954 = 0, x = 15.878
    assert found.lo == pytest.approx(15.878, abs=0.001)
    assert found.hi is None


def test_the_quartile_is_numpys_where_runs_are_missing() -> None:
    values = np.random.default_rng(5).random((20, 6, 2, 3, 4))
    values[:, :, :, 2, 1:] = np.nan
    assert np.array_equal(least_disturbed(values), np.nanquantile(values, 0.25, axis=(-4, -1)))


def test_coverage_of_a_planted_crossover() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(500):
        savings, taxes = rng.normal(5, 2, 15), rng.normal(0.25, 0.05, 15)
        covariance = np.cov(savings, taxes) / 15
        found = crossing_of(savings.mean(), taxes.mean(), covariance, freedom=14, least=1e-9)
        hits += found.lo is not None and found.hi is not None and found.lo <= 20 <= found.hi
    assert 0.92 <= hits / 500 <= 0.98
