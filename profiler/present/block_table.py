"""The metric that decides, block by block: the baseline's two runs, their mean, and the launcher asked about."""

from __future__ import annotations

from collections.abc import Sequence

from profiler.analyze.numbers import digits, value
from profiler.analyze.points import Points
from profiler.catalogue.metrics import METRIC, title
from profiler.model import AGAIN, BASELINE, Verdict
from profiler.present.drawing import thinned
from profiler.present.forest import axis
from profiler.present.table import Axis, Cell, Column, Lane, Table, columns
from profiler.present.whom import against_baseline, subjects, telling

_MOST_BLOCKS = 24
"""So many rows are drawn; all stand in the CSV."""


def table(verdict: Verdict, points: Sequence[Points]) -> Table | None:
    """A row for each block; None where there are fewer than two of the launcher that was asked about."""
    names = subjects(verdict)[:1]
    found = telling(against_baseline(verdict, names[0])) if names else ()
    known = {(point.launcher, point.metric): point for point in points if point.baseline == BASELINE}
    own = next(
        (
            known[comparison.launcher, comparison.metric]
            for comparison in reversed(found)
            if (comparison.launcher, comparison.metric) in known
        ),
        None,
    )
    if own is None or len(own.blocks) < 2 or min(own.base) <= 0:
        return None
    again = known.get((AGAIN, own.metric))
    twins = {} if again is None else dict(zip(again.blocks, zip(again.base, again.here, strict=True), strict=True))
    scale, unit = METRIC[own.metric].shown
    shown = {int(block) for block in thinned(own.blocks, _MOST_BLOCKS)}
    rows = [
        (block, base, here) for block, base, here in zip(own.blocks, own.base, own.here, strict=True) if block in shown
    ]
    drawn = [amount * scale for block, base, here in rows for amount in (base, here, *twins.get(block, ()))]
    slower = sum(here > base for base, here in zip(own.base, own.here, strict=True))
    return Table(
        title=f"In {slower:,} of {len(own.blocks):,} blocks {own.launcher} takes more {title(own.metric)} than "
        f"{BASELINE}",
        columns=(
            *columns("name", "block"),
            Column(title=BASELINE, kind="figure", spare=True),
            Column(title=own.launcher, kind="figure", spare=True),
            Column(title=f"{title(own.metric)}{', ' + unit if unit else ''}", kind="lane", axis=_axis(drawn)),
            *columns("ratio", f"÷ {BASELINE}"),
        ),
        rows=tuple(_row(own.metric, block, base, here, twins.get(block, ())) for block, base, here in rows),
        notes=(
            f"Hollow: {BASELINE}, the mean of its two runs (strokes). Filled: {own.launcher}. A block shares hash "
            "seed, environment size and heap phase.",
            *((f"{len(rows)} of {len(own.blocks):,} blocks; all are in points.csv.",) * (len(rows) < len(own.blocks))),
        ),
    )


def _row(metric: str, block: int, base: float, here: float, twins: Sequence[float]) -> tuple[Cell, ...]:
    scale, _ = METRIC[metric].shown
    return (
        f"block {block}",
        value(metric, base),
        value(metric, here),
        Lane(
            value=here * scale,
            lo=None,
            hi=None,
            tone="worse" if here > base else "better" if here < base else "plain",
            points=tuple(twin * scale for twin in twins),
            base=base * scale,
        ),
        digits(here / base),
    )


def _axis(drawn: Sequence[float]) -> Axis:
    lo, hi = min(drawn), max(drawn)
    pad = 0.06 * (hi - lo) or 0.01 * abs(hi) or 1.0
    found = axis(lo - pad, hi + pad, one=None)
    widest = max((len(text) for _, text in found.ticks), default=0)
    # Of long labels every other one stands, so that none meets the next.
    ticks = found.ticks[::2] if widest > 6 and len(found.ticks) > 3 else found.ticks
    return Axis(lo=found.lo, hi=found.hi, ticks=ticks, one=None)
