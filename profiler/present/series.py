"""Chunks in their order, for people: do processes warm up, do they reach a steady state?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from profiler.model import AGAIN, BASELINE, Series, Verdict
from profiler.present.grid import Grid
from profiler.present.words import ratio, ratio_interval, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TOLD = {"same": "steady", "slower": "rises", "faster": "falls", "unresolved": "unresolved"}


def grid(verdict: Verdict) -> Grid:
    """One line per launcher; for a verdict that has series."""
    (metric,) = {one.metric for one in verdict.series}
    return Grid(
        title=f"chunks of a living process in their order: {title(metric)} per iteration",
        columns=("launcher", "chunks", "first run", "95 % interval", "ratio later/before", "95 % interval", "later"),
        text=frozenset({0, 6}),
        rows=tuple(map(_row, verdict.series)),
        note="first run: relative to the second half of the process, in no other figure; later/before: the ratio to "
        f"{BASELINE} in the second half of a process's chunks, relative to that in the first half",
    )


def _row(one: Series) -> tuple[str, ...]:
    return (
        "A/A" if one.launcher == AGAIN else one.launcher,
        str(sum(turn >= 0 for turn in one.turns)),
        ratio(one.first.ratio, one.first.lo, one.first.hi),
        ratio_interval(one.first.lo, one.first.hi),
        ratio(one.shift.ratio, one.shift.lo, one.shift.hi),
        ratio_interval(one.shift.lo, one.shift.hi),
        "–" if one.launcher == BASELINE else _TOLD[one.steady],
    )


def draw(axes: Axes, verdict: Verdict) -> None:
    """Cost of each chunk, relative to the second half of its process; median over blocks."""
    for one in verdict.series:
        axes.plot(one.turns, one.relative, "o-", markersize=3, linewidth=0.9, label=one.launcher)
    axes.axhline(1.0, color="#888888", linewidth=0.8)
    axes.axvline(-0.5, color="#888888", linewidth=0.8, linestyle="--")
    axes.set_xlabel("chunk of the process, in order (left of the dashed line: first runs, in no other figure)")
    axes.set_ylabel(f"{title(verdict.series[0].metric)} per iteration, relative")
    axes.grid(linewidth=0.3)
    axes.legend(fontsize=8)
