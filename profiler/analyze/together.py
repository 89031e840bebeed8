"""Costs of several events by one estimator, from the readings that have them all: what quotients and products stand on.

A slope over M is free of what a process or a chunk takes beside its iterations, the level of chunks is not. A quotient
of the one and the other is off by that part: IPC read 1.01 where every chunk had as many instructions as cycles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from profiler.analyze.rows import PER_ITERATION, of_chunks, of_processes
from profiler.catalogue.events import EVENTS, QUEUED
from profiler.model import CHUNKS, REGIONS

if TYPE_CHECKING:
    import pandas as pd

_SETS: tuple[frozenset[str], ...] = (
    frozenset(event.name for event in EVENTS if event.anchor),
    frozenset({QUEUED, "wall"}),
)
"""Events that are multiplied or divided with each other, and that some source reads at once."""
_READING = ["kind", "pass", "block", "launcher", "m", "repetition"]


def together(frame: pd.DataFrame) -> tuple[pd.DataFrame, ...]:
    """One table for each set of events that was read at once: index (block, launcher), an event's cost per iteration a
    column, in its unit.

    Chunks: the level at the lower M, instructions too; whole processes: the slope (``rows.slopes``). The kind that read
    the set in most blocks is taken, in all of them; of equals chunks. A set of which no reading has all the events that
    the run has (counts of callgrind, times of other processes) has no table.
    """
    return tuple(table for events in _SETS if (table := _one(frame, events)) is not None)


def _one(frame: pd.DataFrame, events: frozenset[str]) -> pd.DataFrame | None:
    own = frame[frame["event"].isin(events) & frame["value"].notna()]
    known = own["event"].nunique()
    if known < 2:
        return None
    complete = own.groupby(_READING, observed=True)["event"].transform("count") == known
    own = own[complete]
    inside = own["kind"].isin([REGIONS, CHUNKS])
    kinds = (of_chunks(own[own["kind"] == CHUNKS], instructions=True), of_processes(own[~inside]))
    tables = [costs[PER_ITERATION].unstack("event").dropna() for costs in kinds if not costs.empty]
    # The first of those with as many blocks: max keeps the order.
    return max(tables, key=_blocks, default=None)


def _blocks(table: pd.DataFrame) -> int:
    return int(table.index.get_level_values("block").nunique())
