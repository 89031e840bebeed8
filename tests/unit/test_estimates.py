"""Cycles and IPC without a cycle counter, on figures known beforehand."""

import math

import pandas as pd
import pytest

from profiler.analyze.compare import Costs
from profiler.analyze.estimates import estimates
from profiler.model import Doubt, EstimatedMetric
from tests.builders import ROLES

NAMES = ("python3", "pyo3")


def costs(rows: dict[tuple[int, str], dict[str, float]], doubts: dict[str, Doubt] | None = None) -> Costs:
    return Costs(
        table=pd.DataFrame.from_dict(rows, orient="index").rename_axis(index=["block", "launcher"]),
        apart=frozenset(),
        sources={},
        reasons={},
        fallback_source="callgrind",
        roles=ROLES,
        doubts=doubts or {},
    )


def one(instructions: float, ns: float, ghz: float) -> dict[str, float]:
    return {"instructions": instructions, "task-clock": ns, "clock": ghz}


def by_metric(found: tuple[EstimatedMetric, ...], launcher: str) -> dict[str, EstimatedMetric]:
    return {estimate.metric: estimate for estimate in found if estimate.launcher == launcher}


def test_cycles_are_time_times_clock_in_each_block() -> None:
    """The clock differs between the blocks, and the time with it: the cycles do not."""
    measured = {
        (0, "python3"): one(900.0, 100.0, 3.0),
        (1, "python3"): one(900.0, 150.0, 2.0),
        (0, "pyo3"): one(1080.0, 120.0, 3.0),
        (1, "pyo3"): one(1080.0, 180.0, 2.0),
    }
    found = estimates(costs(measured), NAMES)
    python3, pyo3 = (by_metric(found, name) for name in NAMES)
    for estimate, value in ((python3["cycles"], 300.0), (python3["ipc"], 3.0), (pyo3["cycles"], 360.0)):
        assert estimate.value == pytest.approx(value)
        assert (estimate.lo, estimate.hi) == pytest.approx((value, value))
    clock = python3["clock"]
    assert clock.value == pytest.approx(math.sqrt(6.0))
    assert clock.lo is not None
    assert clock.hi is not None
    assert clock.lo < 2.0
    assert clock.hi > 3.0


def test_a_block_without_a_clock_has_no_part_in_it_and_one_block_has_no_interval() -> None:
    measured = {(0, "python3"): one(900.0, 100.0, 3.0), (1, "python3"): one(900.0, 500.0, math.nan)}
    found = by_metric(estimates(costs(measured), NAMES), "python3")
    assert found["cycles"].value == pytest.approx(300.0)
    assert (found["cycles"].lo, found["cycles"].hi) == (None, None)


def test_a_time_that_is_not_positive_estimates_nothing() -> None:
    assert estimates(costs({(0, "python3"): one(900.0, -1.0, 3.0)}), NAMES) == ()


@pytest.mark.parametrize("lacks", ["instructions", "task-clock", "clock"])
def test_nothing_is_estimated_without_what_it_stands_on(lacks: str) -> None:
    figures = one(900.0, 100.0, 3.0)
    del figures[lacks]
    assert estimates(costs({(0, "python3"): figures}), NAMES) == ()


def test_counted_cycles_are_not_estimated() -> None:
    assert estimates(costs({(0, "python3"): one(900.0, 100.0, 3.0) | {"cycles": 310.0}}), NAMES) == ()


def test_a_withdrawn_time_estimates_nothing() -> None:
    doubt = Doubt(metric="task-clock", kind="differs", reason="", ratio=1.2, lo=1.1, hi=1.3, proven=True)
    doubted = costs({(0, "python3"): one(900.0, 100.0, 3.0)}, {"task-clock": doubt})
    assert estimates(doubted, NAMES) == ()
