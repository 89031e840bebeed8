"""Quotients and products of events stand on one estimator of both, on rows whose truth is in every reading."""

import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from profiler.analyze.causes.case import make_case
from profiler.analyze.causes.observed import frequency
from profiler.analyze.compare import Costs, compare, cost_table
from profiler.analyze.decompose import decompose
from profiler.analyze.doubts import without
from profiler.analyze.rows import slopes
from profiler.analyze.together import together
from profiler.model import AGAIN, CHUNKS, Doubt
from tests.builders import ROLES, launcher

Row = dict[str, Any]

LO, HI = 1000, 3000
COST = {"python3": 900.0, AGAIN: 900.0, "pyo3": 1080.0}
BESIDE = {"python3": 20_000, AGAIN: 20_000, "pyo3": 60_000}
"""What a chunk counts beside its iterations: 2 to 6 % of them at the lower M."""
START = 40_000_000


def readings(  # noqa: PLR0917 - a reading has many cells
    kind: str, block: int, name: str, m: int, repetition: int, values: dict[str, float]
) -> list[Row]:
    return [
        {"block": block, "pass": kind if kind == CHUNKS else "hardware-1", "kind": kind, "launcher": name,
         "event": event, "m": m, "repetition": repetition, "value": value, "source": "hardware", "reason": ""}
        for event, value in values.items()
    ]  # fmt: skip


def all_anchors(counted: float, cpi: float) -> dict[str, float]:
    """At 2 GHz, and one ns in ten off the CPU."""
    cycles = counted * cpi
    return {"instructions": counted, "cycles": cycles, "task-clock": cycles / 2, "wall": cycles / 1.8}


def chunks(cpi: dict[str, float], blocks: int = 4) -> list[Row]:
    return [
        one
        for block in range(blocks)
        for name, cost in COST.items()
        for turn, m in [*((turn, LO) for turn in range(4)), (4, HI)]
        for one in readings(CHUNKS, block, name, m, turn, all_anchors(BESIDE[name] + cost * m, cpi[name]))
    ]


def whole(cpi: dict[str, float], blocks: int = 4) -> list[Row]:
    return [
        one
        for block in range(blocks)
        for name, cost in COST.items()
        for m in (LO, HI)
        for one in readings("whole", block, name, m, 0, all_anchors(START + cost * m, cpi[name]))
    ]


def costs_of(rows: list[Row]) -> Costs:
    frame = pd.DataFrame(rows)
    sets = together(frame)
    return Costs(
        table=cost_table(slopes(frame), sets),
        together=sets,
        apart=frozenset(),
        sources={},
        reasons={},
        fallback_source="hardware",
        roles=ROLES,
    )


@pytest.mark.parametrize("cpi", [1.0, 2.0])
@pytest.mark.parametrize("processes", [0, 4, 5])
def test_ipc_is_that_of_every_chunk_and_process(cpi: float, processes: int) -> None:
    """Instructions are a slope, cycles the level of chunks: their quotient was 0.98 where every chunk has 1."""
    planted = dict.fromkeys(COST, cpi)
    ipc = costs_of(chunks(planted) + whole(planted, processes)).table["ipc"].dropna()
    assert len(ipc) == max(4, processes) * len(COST)
    assert ipc.tolist() == pytest.approx([1 / cpi] * len(ipc), rel=1e-12)
    if cpi == 1.0 and processes == 0:
        assert set(ipc) == {1.0}, "to the last digit"


@pytest.mark.parametrize("rows", [chunks, lambda cpi: chunks(cpi) + whole(cpi), whole])
def test_what_a_chunk_counts_beside_its_iterations_is_no_cpi(rows: Callable[[dict[str, float]], list[Row]]) -> None:
    planted = {"python3": 0.5, AGAIN: 0.5, "pyo3": 0.6}
    costs = costs_of(rows(planted))
    for split in decompose(costs, "pyo3"):
        terms = {term.term: term.ratio for term in split.terms}
        assert terms["cpi"] == pytest.approx(1.2, rel=1e-12)
        assert split.residual == pytest.approx(0.0, abs=1e-12)
        if split.of == "wall":
            assert (terms["frequency"], terms["off-cpu"]) == (pytest.approx(1.0), pytest.approx(1.0))
    (ipc,) = (one for one in compare(costs, ("python3", "pyo3")) if one.metric == "ipc")
    assert (ipc.baseline_value, ipc.ratio) == (pytest.approx(2.0), pytest.approx(1 / 1.2))


def test_the_clock_is_that_of_the_same_readings() -> None:
    """Cycles are missing in the chunks of one block, so that each has an estimator of its own."""
    planted = dict.fromkeys(COST, 0.5)
    rows = [
        one
        for one in chunks(planted) + whole(planted)
        if (one["kind"], one["block"], one["event"]) != (CHUNKS, 3, "cycles")
    ]
    costs = costs_of(rows)
    found = frequency(costs, make_case(costs, launcher("pyo3"), "hardware"))
    assert found is not None
    assert "CPU time ÷ cycles: 1.0000" in found.evidence
    assert costs.table["ipc"].tolist() == pytest.approx([2.0] * len(costs.table))


def test_a_reading_without_one_of_the_events_is_in_none_of_their_figures() -> None:
    """Instructions have a counter of their own, cycles were multiplexed in a process that was slow."""
    rows = whole(dict.fromkeys(COST, 0.5))
    slow = [one | {"pass": "hardware-2", "value": 3 * one["value"]} for one in rows if one["event"] != "cycles"]
    costs = costs_of(rows + slow)
    assert costs.table["instructions"].xs("python3", level="launcher").tolist() == pytest.approx([1800.0] * 4)
    assert costs.table["ipc"].tolist() == pytest.approx([2.0] * len(costs.table))


def test_events_that_no_reading_has_together_have_no_quotient() -> None:
    """Cycles by other processes than instructions: what both are is known, what their quotient would be of is not."""
    rows = whole(dict.fromkeys(COST, 0.5))
    apart = [one | {"pass": f"hardware-{one['event']}"} for one in rows]
    costs = costs_of(apart)
    assert costs.together == ()
    assert "ipc" not in costs.table
    assert costs.table["cycles"].notna().all()


def test_waiting_is_a_part_of_the_wall_time_of_the_same_processes() -> None:
    """Chunks waited for nothing and took a tenth of the time: of whole processes half was waiting."""
    rows = [
        one
        for block in range(3)
        for name in COST
        for m in (LO, HI)
        for one in readings("whole", block, name, m, 0, {"wall": 1e6 + 200.0 * m, "queued": 1e3 + 100.0 * m})
    ] + [
        one
        for block in range(3)
        for name in COST
        for turn in range(4)
        for one in readings(CHUNKS, block, name, LO, turn, {"wall": 20.0 * LO})
    ]
    costs = costs_of(rows)
    table = costs.combined({"queued", "wall"})
    assert (table["queued"] / table["wall"]).tolist() == pytest.approx([0.5] * len(table))
    assert costs.table["wall"].tolist() == pytest.approx([20.0] * len(costs.table))


def test_what_is_withdrawn_is_in_no_product_either() -> None:
    costs = costs_of(chunks(dict.fromkeys(COST, 0.5)))
    doubt = Doubt(metric="cycles", kind="differs", ratio=1.2, lo=1.1, hi=1.3, proven=True, reason="planted")
    cycles, wall = decompose(without(costs, {"cycles": doubt}), "pyo3")
    assert {term.ratio for term in cycles.terms} == {None}
    assert cycles.reason == "planted"
    assert [term.term for term in wall.terms] == ["instructions", "time-per-instruction", "off-cpu"]
    assert math.prod(term.ratio or math.nan for term in wall.terms) == pytest.approx(1140 / 920)
