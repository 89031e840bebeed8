"""Where the scatter is: between blocks, between processes of a block, between chunks of a process.

Balanced nested analysis of variance (Searle, Casella & McCulloch 1992): the baseline runs twice in each block, so half
the variance of the difference is that of processes; the variance of the blocks' means less half of that is that of
blocks. Estimates below zero are zero.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from profiler.analyze.rows import turns
from profiler.catalogue.metrics import HEADLINE
from profiler.model import CHUNKS, Roles, Scatter

if TYPE_CHECKING:
    import pandas as pd

_FEWEST_BLOCKS = 3
_MEDIAN = math.pi / 2
"""Variance of a median of normal figures, relative to that of their mean."""
_START_S = 0.1
"""Rough cost of one more process besides its chunks: start-up, heap, two runs to warm up are counted by the chunk."""
_WARM_UP_CHUNKS = 2
FEWEST_TURNS, MOST_TURNS = 8, 64


def components(table: pd.DataFrame, frame: pd.DataFrame, roles: Roles) -> tuple[Scatter, ...]:
    """Components of the baseline per metric; ``table`` as in ``Costs``, ``frame`` as from ``read_rows``."""
    taken = turns(frame)
    return tuple(_of_metric(table[metric], taken, frame, metric, roles) for metric in HEADLINE if metric in table)


def best_turns(taken: pd.DataFrame, frame: pd.DataFrame, metric: str) -> int | None:
    """Turns per process at which a given time buys most precision of the ratios of ``metric``; None: cannot be said.

    ``√(c_process / c_turn · var_chunk / var_process)`` (Kalibera & Jones 2013, section 6). ``taken`` as from
    ``rows.turns``.
    """
    logs = _of_event(taken, metric)
    if logs is None or logs.index.get_level_values("block").nunique() < _FEWEST_BLOCKS:
        return None
    own = logs.sub(logs.mean(axis=1), axis=0)
    by_block = own.groupby(level="block")
    chunk = float(by_block.var().mean().mean())
    pairs = float(by_block.size().mean())
    process = float(by_block.median().var().mean()) - _MEDIAN * chunk / pairs
    seconds = _seconds_per_turn(frame)
    if seconds is None or not math.isfinite(chunk) or chunk == 0:
        return None
    if process <= 0:
        return MOST_TURNS
    start = _START_S + _WARM_UP_CHUNKS * seconds
    best = math.sqrt(start / (2 * seconds) * _MEDIAN * chunk / process)
    return 2 * max(FEWEST_TURNS // 2, min(MOST_TURNS // 2, round(best)))


def _of_metric(costs: pd.Series, taken: pd.DataFrame, frame: pd.DataFrame, metric: str, roles: Roles) -> Scatter:
    wide = costs.unstack("launcher")
    block = process = chunk = None
    logs = _of_event(taken, metric)
    if logs is not None:
        own = logs.sub(logs.mean(axis=1), axis=0)
        chunk = float(own.groupby(level="block").var()[roles.baseline].mean())
    if roles.baselines <= set(wide.columns):
        both = wide[[roles.baseline, roles.twin]].dropna()
        both = both[(both > 0).all(axis=1)].map(math.log)
        if len(both) >= _FEWEST_BLOCKS:
            within = float(((both[roles.baseline] - both[roles.twin]) ** 2).mean()) / 2
            between = float(both.mean(axis=1).var())
            pairs = 1.0 if logs is None else float(logs.groupby(level="block").size().mean())
            process = max(0.0, within - _MEDIAN * (chunk or 0.0) / pairs)
            block = max(0.0, between - within / 2)
    return Scatter(
        metric=metric,
        block=_deviation(block),
        process=_deviation(process),
        chunk=_deviation(chunk),
        turns=best_turns(taken, frame, metric),
    )


def _deviation(variance: float | None) -> float | None:
    return None if variance is None or not math.isfinite(variance) else math.sqrt(variance)


def _of_event(taken: pd.DataFrame, event: str) -> pd.DataFrame | None:
    if taken.empty or event not in taken.index.get_level_values("event"):
        return None
    return taken[taken.index.get_level_values("event") == event].droplevel("event")


def _seconds_per_turn(frame: pd.DataFrame) -> float | None:
    wall = frame[(frame["kind"] == CHUNKS) & (frame["event"] == "wall")]["value"]
    return None if wall.empty else float(wall.median()) * 1e-9
