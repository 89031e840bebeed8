"""Warm-up and steady state of living processes, on chunks with planted truth."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from profiler.analyze.steady_state import not_steady, series
from profiler.model import AGAIN, CHUNKS, Plan, Workload
from profiler.plan.schedule import make_plan
from profiler.sources.chunking import chunk_pass
from tests.builders import ROLES, launcher

LAUNCHERS = {"python3": 100.0, AGAIN: 100.0, "pyo3": 120.0}
M = 1000


def frame_of(*, warm_up: float, late: float, blocks: int = 8, turns: int = 20) -> pd.DataFrame:
    """Two first runs that cost ``warm_up`` times as much; from turn 10 on pyo3 costs ``late`` times as much.

    The machine itself slows down by a fifth, from chunk to chunk, which is nobody's own.
    """
    rng = np.random.default_rng(5)
    found: list[dict[str, Any]] = []
    for block in range(blocks):
        for turn in range(-2, turns):
            for name, cost in LAUNCHERS.items():
                times = warm_up if turn < 0 else (1 + turn / 100) * (late if name == "pyo3" and turn >= 10 else 1.0)
                value = M * cost * times * np.exp(rng.normal(0, 0.003))
                own = {"block": block, "kind": CHUNKS, "launcher": name, "m": M, "repetition": turn}
                found.append(own | {"event": "task-clock", "value": value, "source": "software"})
    return pd.DataFrame(found)


@pytest.fixture
def plan() -> Plan:
    workload = Workload(name="loop", path="loop.py", counts_m=(M, 2 * M), timed_m=(M, 2 * M))
    passes, launchers = (chunk_pass(workload),), (launcher("python3"), launcher("pyo3"))
    return make_plan(seed=1, source="software", workload=workload, launchers=launchers, passes=passes, blocks=8)


def test_first_runs_are_seen_and_a_steady_ratio_is_steady(plan: Plan) -> None:
    found = series(plan, frame_of(warm_up=2.3, late=1.0))
    assert [one.launcher for one in found] == list(LAUNCHERS)
    for one in found:
        assert one.turns == tuple(range(-2, 20))
        # The last half of the turns is 1.145 times as slow as the machine began.
        assert one.first.ratio == pytest.approx(2.3 / 1.145, rel=0.01)
        assert one.relative[0] == pytest.approx(one.first.ratio, rel=0.01)
        assert one.relative[-1] == pytest.approx(1.19 / 1.145, rel=0.01)
    baseline, twin, embedded = found
    assert baseline.shift.ratio is None
    assert (twin.steady, embedded.steady) == ("same", "same")
    assert not_steady(found, ROLES) == ()


@pytest.mark.parametrize(("late", "steady"), [(1.1, "slower"), (0.9, "faster")])
def test_a_launcher_that_changes_within_a_process_is_named(plan: Plan, late: float, steady: str) -> None:
    found = series(plan, frame_of(warm_up=1.0, late=late))
    assert found[-1].shift.ratio == pytest.approx(late, rel=0.01)
    assert found[-1].steady == steady
    (caveat,) = not_steady(found, ROLES)
    assert caveat.code == "not-steady"
    assert caveat.message.startswith("pyo3: its ratio to python3 in task-clock")


def test_the_level_is_that_of_the_later_half_without_the_first_runs(plan: Plan) -> None:
    costs = dict(zip(range(-2, 4), (9.0, 9.0, 1.0, 1.0, 1.0, 4.0), strict=True))
    rows = [
        {"block": block, "kind": CHUNKS, "launcher": name, "m": M, "repetition": turn, "event": "task-clock",
         "value": M * cost, "source": "software"}
        for block in range(3) for turn, cost in costs.items() for name in LAUNCHERS
    ]  # fmt: skip
    for one in series(plan, pd.DataFrame(rows)):
        assert one.relative == pytest.approx((4.5, 4.5, 0.5, 0.5, 0.5, 2.0)), "turns 2 and 3: √(1 × 4)"
        assert one.first.ratio == pytest.approx(4.5)


def test_runs_of_whole_processes_have_no_series(plan: Plan) -> None:
    frame = frame_of(warm_up=1.0, late=1.0)
    assert series(plan, frame.assign(kind="whole")) == ()
