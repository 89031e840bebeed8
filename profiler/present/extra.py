"""What single commands add to the answer: their tables and pictures, by the kind of their verdict document."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from profiler.analyze.amortized import AmortizeVerdict
from profiler.analyze.causes.rebuilt import RebuildVerdict
from profiler.analyze.eliminated import EliminateVerdict
from profiler.model import Verdict
from profiler.present import amortize, eliminate, rebuilt, series
from profiler.present.grid import Grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def grids(verdict: Verdict) -> tuple[Grid, ...] | None:
    """The tables in place of those of comparisons; None for commands whose answer the comparisons are."""
    if isinstance(verdict, AmortizeVerdict):
        return amortize.grids(verdict)
    if isinstance(verdict, EliminateVerdict):
        return eliminate.grids(verdict)
    if isinstance(verdict, RebuildVerdict):
        return rebuilt.grids(verdict)
    return None


def pictures(verdict: Verdict) -> dict[str, Callable[[Axes], None]]:
    """Name and drawing of each picture in place of that of the comparisons."""
    if isinstance(verdict, AmortizeVerdict) and verdict.model:
        return {"amortize": lambda axes: amortize.draw(axes, verdict)}
    return {}


def grids_besides(verdict: Verdict) -> tuple[Grid, ...]:
    """Tables beside the others, by what was measured and not by command."""
    return (series.grid(verdict),) if verdict.series else ()


def pictures_besides(verdict: Verdict) -> dict[str, Callable[[Axes], None]]:
    """Pictures beside the others, likewise."""
    return {"series": lambda axes: series.draw(axes, verdict)} if verdict.series else {}
