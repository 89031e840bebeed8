"""Cycles and IPC where no cycle was counted: CPU time times the core clock that was timed beside the runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from profiler.analyze.compare import Costs
from profiler.analyze.stats import log_ratio_interval
from profiler.model import EstimatedMetric

if TYPE_CHECKING:
    import pandas as pd

_NEEDED = ("instructions", "task-clock", "clock")
"""Per iteration: a count, nanoseconds; and GHz, which are cycles a nanosecond."""


def estimates(costs: Costs, launchers: Iterable[str]) -> tuple[EstimatedMetric, ...]:
    """Of every launcher: cycles an iteration, IPC, and the core clock; none where cycles are counted, or a figure that
    they stand on is missing or withdrawn.

    In each block cycles = CPU time × clock and IPC = instructions ÷ cycles; over blocks the geometric mean and its
    interval. The clock is that of other moments than the work's, on the same CPU: an interval holds its scatter, and no
    error that all blocks share.
    """
    table = costs.table
    if "cycles" in table or not set(_NEEDED) <= set(table.columns) or set(_NEEDED) & set(costs.doubts):
        return ()
    return tuple(found for name in launchers for found in _of(table, name))


def _of(table: pd.DataFrame, launcher: str) -> Iterator[EstimatedMetric]:
    import numpy as np

    own = table[table.index.get_level_values("launcher") == launcher][list(_NEEDED)].dropna()
    own = own[(own > 0).all(axis=1)]
    if own.empty:
        return
    cycles = own["task-clock"] * own["clock"]
    for metric, values in (("cycles", cycles), ("ipc", own["instructions"] / cycles), ("clock", own["clock"])):
        interval = log_ratio_interval(np.log(values).tolist())
        assert interval.ratio is not None
        yield EstimatedMetric(launcher=launcher, metric=metric, value=interval.ratio, lo=interval.lo, hi=interval.hi)
