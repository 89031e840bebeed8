"""Comparison, decomposition and boundaries on rows with planted truth."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from profiler.analyze.boundary import find_boundaries
from profiler.analyze.compare import Costs, compare, cost_table, pairs
from profiler.analyze.decompose import decompose
from profiler.analyze.rows import slopes
from profiler.analyze.together import together
from profiler.model import AGAIN, Comparison
from tests.builders import ROLES

LAUNCHERS = ("python3", AGAIN, "pyo3", "runmain")
M = (100, 300)


def rows(
    cost: dict[str, dict[str, float]],
    *,
    blocks: int = 6,
    startup: float = 1000.0,
    noise: Callable[[int, str, str], float] = lambda block, launcher, event: 1.0,
) -> pd.DataFrame:
    """Exact rows: ``value = startup + cost × noise × m``."""
    return pd.DataFrame(
        {
            "block": block,
            "pass": "p",
            "kind": "whole",
            "launcher": launcher,
            "event": event,
            "m": m,
            "repetition": 0,
            "value": startup + per_iteration * noise(block, launcher, event) * m,
        }
        for block in range(blocks)
        for launcher, events in cost.items()
        for event, per_iteration in events.items()
        for m in M
    )


def costs(frame: pd.DataFrame, apart: frozenset[tuple[int, str]] = frozenset()) -> Costs:
    return Costs(
        table=cost_table(slopes(frame), together(frame)),
        together=together(frame),
        apart=apart,
        sources={},
        reasons={},
        fallback_source="hardware",
        roles=ROLES,
        level=0.95,
    )


def pick(found: tuple[Comparison, ...], launcher: str, metric: str, baseline: str = "python3") -> Comparison:
    return next(c for c in found if (c.baseline, c.launcher, c.metric) == (baseline, launcher, metric))


TAX = {
    "python3": {"instructions": 900.0, "cycles": 300.0, "task-clock": 100.0, "wall": 110.0},
    AGAIN: {"instructions": 900.0, "cycles": 300.0, "task-clock": 100.0, "wall": 110.0},
    "pyo3": {"instructions": 1080.0, "cycles": 345.0, "task-clock": 115.0, "wall": 126.5},
    "runmain": {"instructions": 1080.0, "cycles": 345.0, "task-clock": 115.0, "wall": 126.5},
}


def test_slope_and_intercept_are_those_planted() -> None:
    found = slopes(rows({"python3": {"instructions": 900.0}}, blocks=1))
    assert found.loc[(0, "python3", "instructions"), "per_iteration"] == pytest.approx(900.0)
    assert found.loc[(0, "python3", "instructions"), "startup"] == pytest.approx(1000.0)


def test_a_block_that_lacks_one_m_is_not_complete() -> None:
    frame = rows({"python3": {"instructions": 900.0}}, blocks=2)
    frame = frame[~((frame["block"] == 1) & (frame["m"] == M[1]))]
    assert set(slopes(frame).index.get_level_values("block")) == {0}


def test_planted_tax_is_found_exactly() -> None:
    found = compare(costs(rows(TAX)), LAUNCHERS)
    assert pick(found, "pyo3", "instructions").ratio == pytest.approx(1.2)
    assert pick(found, "pyo3", "instructions").verdict == "slower"
    assert pick(found, "pyo3", "ipc").ratio == pytest.approx(1.2 / 1.15)
    assert pick(found, AGAIN, "instructions").verdict == "same"
    assert pick(found, "pyo3", "instructions", baseline="runmain").verdict == "same"
    assert pick(found, "pyo3", "dtlb-misses").ratio is None
    assert pick(found, "pyo3", "dtlb-misses").verdict == "unresolved"


def test_every_metric_of_the_contract_is_there_for_every_pair() -> None:
    found = compare(costs(rows(TAX)), LAUNCHERS)
    contract = [
        "instructions",
        "cycles",
        "branches",
        "branch-misses",
        "ipc",
        "dtlb-misses",
        "itlb-misses",
        "l1d-misses",
        "l1i-misses",
        "cache-misses",
        "page-faults",
        "task-clock",
        "wall",
        "startup-wall",
        "startup-instructions",
    ]
    for baseline, launcher in pairs(ROLES, LAUNCHERS):
        assert set(contract) <= {c.metric for c in found if (c.baseline, c.launcher) == (baseline, launcher)}


def test_rare_events_get_no_ratio() -> None:
    table = {name: {"dtlb-misses": 0.0002} for name in LAUNCHERS}
    one = pick(compare(costs(rows(table)), LAUNCHERS), "pyo3", "dtlb-misses")
    assert one.ratio is None
    assert one.reason is not None
    assert "too rare" in one.reason


def test_a_slope_below_zero_falls_back_to_fieller() -> None:
    rng = np.random.default_rng(3)
    frame = rows(TAX, noise=lambda block, launcher, event: 1 + 2.0 * rng.normal() * (event == "wall"))
    one = pick(compare(costs(frame), LAUNCHERS), "pyo3", "wall")
    assert one.verdict == "unresolved"


def test_shares_add_up_to_the_whole() -> None:
    cycles, wall = decompose(costs(rows(TAX)), "pyo3")
    assert [term.term for term in cycles.terms] == ["instructions", "cpi"]
    assert [term.term for term in wall.terms] == ["instructions", "cpi", "frequency", "off-cpu"]
    for split in (cycles, wall):
        assert sum(term.share or 0 for term in split.terms) == pytest.approx(1.0)
        assert split.residual == pytest.approx(0.0, abs=1e-12)
    assert cycles.terms[0].share == pytest.approx(math.log(1.2) / math.log(1.15))


def test_without_cycles_the_core_clock_stands_in_and_says_so() -> None:
    table = {name: {k: v for k, v in events.items() if k != "cycles"} for name, events in TAX.items()}
    found = costs(rows(table))
    found.table["clock"] = 3.0
    _, wall = decompose(found, "pyo3")
    assert [term.term for term in wall.terms] == ["instructions", "cpi", "frequency", "off-cpu"]
    assert wall.reason is not None
    assert "estimates" in wall.reason
    assert wall.terms[2].ratio == pytest.approx(1.0)
    cycles, _ = decompose(found, "pyo3")
    assert all(term.ratio is None for term in cycles.terms)


def test_no_tax_has_no_shares() -> None:
    _, wall = decompose(costs(rows(dict.fromkeys(LAUNCHERS, TAX["python3"]))), "pyo3")
    assert all(term.share is None for term in wall.terms)


def test_a_planted_boundary_is_named_and_does_not_move_the_verdict() -> None:
    def phase(block: int, launcher: str, event: str) -> float:
        jitter = 1 + 1e-5 * ((block * 7 + len(launcher)) % 5)
        return jitter * (1.11 if (block, launcher, event) == (3, "pyo3", "instructions") else 1.0)

    frame = rows(TAX, noise=phase)
    boundaries = find_boundaries(slopes(frame)["per_iteration"].xs("instructions", level="event"))
    assert [(b.block, b.launcher) for b in boundaries] == [(3, "pyo3")]
    assert boundaries[0].excess == pytest.approx(0.11, abs=1e-3)
    apart = frozenset((b.block, b.launcher) for b in boundaries)
    one = pick(compare(costs(frame, apart), LAUNCHERS), "pyo3", "instructions")
    assert one.blocks == 5
    assert one.ratio == pytest.approx(1.2, abs=2e-4)
    assert one.hi is not None
    assert one.lo is not None
    assert one.hi - one.lo < 0.002


def test_scatter_of_the_workload_itself_is_no_boundary() -> None:
    rng = np.random.default_rng(5)
    frame = rows(TAX, blocks=12, noise=lambda block, launcher, event: float(np.exp(rng.normal(0, 0.02))))
    assert not find_boundaries(slopes(frame)["per_iteration"].xs("instructions", level="event"))


def test_a_third_of_exceptional_blocks_is_no_exception() -> None:
    frame = rows(TAX, noise=lambda block, launcher, event: 1.1 if block < 3 else 1.0)
    assert not find_boundaries(slopes(frame)["per_iteration"].xs("instructions", level="event"))


def test_the_baselines_figure_is_the_mean_of_both_its_runs_but_not_against_itself() -> None:
    own = {"python3": 900.0, AGAIN: 990.0, "pyo3": 1134.0, "runmain": 1134.0}
    found = compare(costs(rows({name: {"instructions": cost} for name, cost in own.items()})), LAUNCHERS)
    one = pick(found, "pyo3", "instructions")
    assert one.baseline_value == pytest.approx(945.0)
    assert one.ratio == pytest.approx(1134.0 / 945.0)
    twin = pick(found, AGAIN, "instructions")
    assert (twin.baseline_value, twin.ratio) == (pytest.approx(900.0), pytest.approx(1.1))


def test_where_the_twin_lacks_a_block_that_block_is_not_compared() -> None:
    frame = rows(TAX)
    frame = frame[~((frame["block"] == 2) & (frame["launcher"] == AGAIN))]
    assert pick(compare(costs(frame), LAUNCHERS), "pyo3", "instructions").blocks == 5
