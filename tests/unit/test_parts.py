"""Readings of parts of a process (turns, phases, counters) and where the scatter is, on rows with planted truth."""

import math

import numpy as np
import pandas as pd
import pytest

from profiler.analyze.agreement import disagreement
from profiler.analyze.compare import cost_table
from profiler.analyze.rows import phases, slopes, steps_between_phases
from profiler.analyze.variance import components
from profiler.model import AGAIN, CHUNKS, REGIONS
from tests.builders import ROLES

LAUNCHERS = {"python3": 100.0, AGAIN: 100.0, "pyo3": 120.0}
M = 1000


def row(  # noqa: PLR0917 - a row has many cells
    block: int, what: str, launcher: str, m: int, repetition: int, value: float, event: str = "wall"
) -> dict[str, object]:
    source = "software" if event == "wall" else "hardware"
    kind = what if what in {CHUNKS, REGIONS} else "whole"
    return {"block": block, "pass": what, "kind": kind, "launcher": launcher, "m": m, "repetition": repetition,
            "event": event, "value": value, "source": source}  # fmt: skip


def chunk_rows(
    blocks: int, *, process: float = 0.0, chunk: float = 0.0, block: float = 0.0, seed: int = 1
) -> pd.DataFrame:
    """The machine slows down by a third within each block, chunk by chunk in the order A B B A."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(blocks):
        shared = rng.normal(0, block)
        own = {name: rng.normal(0, process) for name in LAUNCHERS}
        done = 0
        for turn in range(16):
            for name in LAUNCHERS if turn % 2 == 0 else reversed(LAUNCHERS):
                slow = shared + own[name] + rng.normal(0, chunk) + 0.3 * done / 48
                rows.append(row(number, CHUNKS, name, M, turn, M * LAUNCHERS[name] * math.exp(slow)))
                done += 1
    return pd.DataFrame(rows)


def test_a_drift_cancels_between_launchers_that_take_turns() -> None:
    found = slopes(chunk_rows(2))["per_iteration"].xs("wall", level="event").unstack("launcher")
    assert (found["pyo3"] / found["python3"]).tolist() == pytest.approx([1.2, 1.2], rel=1e-9)
    assert (found[AGAIN] / found["python3"]).tolist() == pytest.approx([1.0, 1.0], rel=1e-9)


def test_chunks_have_no_start_up_and_stand_before_whole_processes() -> None:
    whole = [row(0, "timed", name, m, 0, 7e6 + 2 * cost * m) for name, cost in LAUNCHERS.items() for m in (M, 3 * M)]
    found = slopes(pd.concat([chunk_rows(1), pd.DataFrame(whole)]))
    assert found.loc[(0, "python3", "wall"), "startup"] == pytest.approx(7e6)
    assert found["per_iteration"].loc[(0, "python3", "wall")] < 150


def test_variance_components_are_those_planted() -> None:
    frame = chunk_rows(400, block=0.03, process=0.01, chunk=0.02)
    (wall,) = components(cost_table(slopes(frame)), frame, ROLES)
    assert wall.block == pytest.approx(0.03, rel=0.15)
    assert wall.process == pytest.approx(0.01, rel=0.15)
    # Per pair of turns, and less the mean of three launchers: 0.02 × √(1/2) × √(2/3).
    assert wall.chunk == pytest.approx(0.02 * math.sqrt(1 / 3), rel=0.1)


def test_repetitions_go_where_the_variance_is() -> None:
    many, few = (
        components(cost_table(slopes(frame)), frame, ROLES)[0].turns
        for frame in (chunk_rows(30, process=0.0, chunk=0.05), chunk_rows(30, process=0.05, chunk=0.005))
    )
    assert many is not None
    assert few is not None
    assert many == 64
    assert few == 8


def test_between_no_and_many_repetitions_it_is_the_square_root_of_both_ratios() -> None:
    """Start 0.1 s against 2 × 0.12 ms a turn: √(417 · π/2 · 0.01² / 3 ÷ 0.02²) = 7.4 pairs."""
    frame = chunk_rows(60, process=0.02, chunk=0.01)
    turns = components(cost_table(slopes(frame)), frame, ROLES)[0].turns
    assert turns is not None
    assert 12 <= turns <= 18


def test_the_scatter_of_chunks_is_not_called_the_processes() -> None:
    frame = chunk_rows(200, process=0.0, chunk=0.03)
    (wall,) = components(cost_table(slopes(frame)), frame, ROLES)
    assert wall.process is not None
    # Medians over 8 pairs of turns scatter by 0.03 × √(1/2) × √(π/2 / 8) = 0.0094.
    assert wall.process < 0.007


def region_rows(steps: dict[tuple[int, int], float], event: str = "instructions") -> pd.DataFrame:
    """Three blocks of three phases; ``steps`` are planted (block, phase): factor, for pyo3 only."""
    return pd.DataFrame(
        [
            row(block, REGIONS, name, m, phase, 500 + cost * m * factor, event)
            for block in range(3)
            for phase in range(3)
            for name, cost in LAUNCHERS.items()
            for factor in [steps.get((block, phase), 1.0) if name == "pyo3" else 1.0]
            for m in (M, 2 * M)
        ]
    )


@pytest.mark.parametrize("steps", [{(1, 2): 1.11}, {(0, 0): 1.01, (0, 1): 1.02, (2, 2): 1.11}])
def test_a_phase_on_a_pool_boundary_is_named_and_moves_nothing(steps: dict[tuple[int, int], float]) -> None:
    frame = region_rows(steps)
    found = steps_between_phases(phases(frame))
    assert {(one.block, one.phase) for one in found} == set(steps)
    assert {one.launcher for one in found} == {"pyo3"}
    assert slopes(frame)["per_iteration"].xs("pyo3", level="launcher").tolist() == pytest.approx([120.0] * 3)


def test_what_a_hash_seed_does_to_all_phases_of_a_block_is_no_boundary() -> None:
    """Fewer collisions in a dictionary: every launcher is faster by some other per cents, in all phases but one."""
    frame = region_rows({(1, 2): 1.11})
    frame.loc[frame["block"] == 1, "value"] -= 0.04 * 110 * frame["m"]
    assert [(one.block, one.phase) for one in steps_between_phases(phases(frame))] == [(1, 2)]
    found = slopes(frame)["per_iteration"].xs("instructions", level="event")
    assert found.xs("pyo3", level="launcher").tolist() == pytest.approx([120.0, 120.0 - 4.4, 120.0])
    assert found.xs("python3", level="launcher").tolist() == pytest.approx([100.0, 100.0 - 4.4, 100.0])


@pytest.mark.parametrize(
    ("offs", "warned"), [((1.03, 0.99, 1.005), False), ((1.03, 1.031, 1.029), True), ((1.03,), True)]
)
def test_readings_that_scatter_by_more_than_they_differ_agree(offs: tuple[float, ...], warned: bool) -> None:
    rows = []
    for block, off in enumerate(offs):
        rows += [row(block, "hardware-1", "pyo3", m, 0, 9e6 + 120 * m, "instructions") for m in (M, 3 * M)]
        rows += [row(block, CHUNKS, "pyo3", m, m, 70 + off * 120 * m, "instructions") for m in (M, 3 * M)]
    assert bool(disagreement(pd.DataFrame(rows))) is warned


@pytest.mark.parametrize(("off", "warned"), [(1.0005, False), (1.002, True), (0.998, True)])
def test_both_readings_of_instructions_must_agree(off: float, warned: bool) -> None:
    rows = []
    for block in range(3):
        for name, cost in LAUNCHERS.items():
            rows += [row(block, "hardware-1", name, m, 0, 9e6 + cost * m, "instructions") for m in (M, 3 * M)]
            rows += [row(block, CHUNKS, name, m, m, 70 + off * cost * m, "instructions") for m in (M, 3 * M)]
    caveats = disagreement(pd.DataFrame(rows))
    assert bool(caveats) is warned
    assert all("perf stat is trusted" in one.message for one in caveats)
    # Trusted means used: the cost is perf stat's.
    found = slopes(pd.DataFrame(rows))["per_iteration"].xs("instructions", level="event")
    assert found.loc[(0, "pyo3")] == pytest.approx(120.0)


def test_where_perf_reads_nothing_the_processes_own_counters_give_the_instructions() -> None:
    chunks = chunk_rows(2)
    found = slopes(pd.concat([chunks, pd.DataFrame(own_counts(blocks=2))]))["per_iteration"]
    counted = found.xs("instructions", level="event").unstack("launcher")
    assert counted["pyo3"].tolist() == pytest.approx([1128.0, 1128.0])
    assert (found.xs("wall", level="event") > 0).all()


@pytest.mark.parametrize(("blocks", "cost"), [(1, 936.0), (3, 900.0)])
def test_the_kind_that_read_an_event_in_most_blocks_is_the_cost(blocks: int, cost: float) -> None:
    """Cycles: chunks of ``blocks`` blocks against whole processes of two; chunks say 900, perf stat says 936."""
    whole = [
        row(block, "hardware-1", name, m, 0, 5e6 + 936.0 * m, "cycles")
        for block in range(2)
        for name in LAUNCHERS
        for m in (M, 3 * M)
    ]
    chunks = [
        row(block, CHUNKS, name, M, turn, 900.0 * M, "cycles")
        for block in range(blocks)
        for name in LAUNCHERS
        for turn in range(4)
    ]
    found = slopes(pd.DataFrame([*whole, *chunks]))["per_iteration"].xs("cycles", level="event")
    assert found.tolist() == pytest.approx([cost] * len(LAUNCHERS) * max(2, blocks if cost == 900.0 else 2))


def own_counts(blocks: int) -> list[dict[str, object]]:
    """Instructions of the process's own counters: some 200 per chunk belong to the counting itself."""
    return [
        row(block, CHUNKS, name, m, turn, 200 + m * (1128.0 if name == "pyo3" else 936.4), "instructions")
        for block in range(blocks)
        for name in LAUNCHERS
        for m, turns in ((M, range(16)), (3 * M, (16,)))
        for turn in turns
    ]
