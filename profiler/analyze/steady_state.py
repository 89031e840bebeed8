"""Chunks of a process in their order: what its first runs cost, and whether the ratio still moves later on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from profiler.analyze.stats import log_ratio_interval, verdict
from profiler.catalogue.caveats import NOT_STEADY, caveat
from profiler.catalogue.events import BY_NAME
from profiler.model import CHUNKS, Caveat, Interval, Plan, Roles, Series

if TYPE_CHECKING:
    import pandas as pd

_CLOCK = "task-clock"
_LEAST_TURNS = 4
_UNKNOWN = Interval(ratio=None, lo=None, hi=None)


def series(plan: Plan, frame: pd.DataFrame) -> tuple[Series, ...]:
    """One per launcher that did chunks, in the metric of the run's precision or else CPU time.

    ``frame`` as from ``rows.read_all``: the first runs of a process are turns below 0.
    """
    costs = _costs(plan, frame)
    if costs.empty:
        return ()
    names = [
        launcher.name for launcher in plan.launchers if launcher.name in costs.columns.get_level_values("launcher")
    ]
    return tuple(_of_launcher(costs, name, plan.roles.baseline) for name in names)


def not_steady(found: tuple[Series, ...], roles: Roles) -> tuple[Caveat, ...]:
    """A caveat per launcher whose ratio to the baseline moved between the halves of its processes."""
    return tuple(
        caveat(
            NOT_STEADY,
            f"{series_.launcher}: its ratio to {roles.baseline} in {series_.metric} is {series_.shift.ratio:.4f} times "
            "as large in the second half of a process's chunks as in the first: it has no steady state within a run, "
            "and the figure depends on its length",
        )
        for series_ in found
        if series_.steady in ("slower", "faster") and series_.launcher != roles.twin
    )


def _costs(plan: Plan, frame: pd.DataFrame) -> pd.DataFrame:
    """Logarithm of the cost per iteration; index block and turn, columns event and launcher (of one event)."""
    import numpy as np
    import pandas as pd

    chunks = frame[(frame["kind"] == CHUNKS) & (frame["value"] > 0)]
    wanted = plan.precision.metric if plan.precision else _CLOCK
    event = wanted if wanted in set(chunks["event"]) else _CLOCK
    chosen = chunks[(chunks["event"] == event) & (chunks["m"] == chunks["m"].min())]
    table = pd.DataFrame(
        {
            "block": chosen["block"],
            "turn": chosen["repetition"],
            "event": event,
            "launcher": chosen["launcher"].astype(str),
            "cost": np.log(chosen["value"] / chosen["m"]),
        }
    )
    return table.pivot_table(index=["block", "turn"], columns=["event", "launcher"], values="cost")


def _of_launcher(costs: pd.DataFrame, name: str, baseline: str) -> Series:
    (event,) = set(costs.columns.get_level_values("event"))
    own = costs[event, name].dropna()
    usual = _half(own, late=True)
    relative = own.sub(usual, level="block")
    by_turn = relative.groupby(level="turn").median()
    first = relative[relative.index.get_level_values("turn") == by_turn.index.min()]
    both = costs[event].dropna()
    shift = _UNKNOWN
    if name != baseline and baseline in both and (both.index.get_level_values("turn") >= 0).sum() >= _LEAST_TURNS:
        against = both[name] - both[baseline]
        moved = (_half(against, late=True) - _half(against, late=False)).dropna()
        shift = log_ratio_interval(moved.tolist()) if len(moved) else _UNKNOWN
    return Series(
        launcher=name,
        metric=str(event),
        turns=tuple(int(turn) for turn in by_turn.index),
        relative=tuple(math.exp(value) for value in by_turn),
        first=log_ratio_interval(first.dropna().tolist()),
        shift=shift,
        steady=verdict(shift, margin=BY_NAME[str(event)].margin, better="lower"),
    )


def _half(own: pd.Series, *, late: bool) -> pd.Series:
    """Median of the first or second half of the turns from 0 on, by block."""
    later = own[own.index.get_level_values("turn") >= 0]
    turns, middle = later.index.get_level_values("turn"), later.groupby(level="block").transform("size") // 2
    median: pd.Series = later[(turns >= middle) == late].groupby(level="block").median()
    return median
