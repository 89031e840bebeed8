"""The baseline against itself, and what these blocks would have shown."""

from __future__ import annotations

from profiler.analyze.numbers import digits
from profiler.catalogue.metrics import METRICS, is_simulated, title
from profiler.model import AGAIN, BASELINE, Comparison, Verdict
from profiler.present.forest import axis_of, itself_mark, ratio_of
from profiler.present.table import Cell, Column, Lane, Mark, Table, columns
from profiler.present.whom import against_baseline, subjects
from profiler.present.words import is_exact

_LEAST = 1.001


def table(verdict: Verdict) -> Table | None:
    """A row for each metric of A/A that is no model's; None where nothing was measured twice."""
    withdrawn = {doubt.metric for doubt in verdict.withdrawn}
    known = against_baseline(verdict, AGAIN)
    rows = [
        known[metric.name]
        for metric in METRICS
        if metric.name in known and not is_simulated(metric.name, known[metric.name].source)
    ]
    if not rows:
        return None
    names = subjects(verdict)[:1]
    own = against_baseline(verdict, names[0]) if names else {}
    kept = [comparison for comparison in rows if comparison.metric not in withdrawn]
    axis = axis_of(
        bound for comparison in kept for bound in (comparison.lo, comparison.ratio, comparison.hi) if bound is not None
    )
    return Table(
        title=f"{BASELINE} against itself",
        columns=(
            *columns("name", f"{BASELINE} ÷ itself"),
            *columns("ratio", "ratio"),
            *columns("interval", ""),
            Column(title="", kind="lane", axis=axis),
            *columns("verdict", ""),
            *columns("ratio", "shown from"),
        ),
        rows=tuple(
            _row(comparison, own.get(comparison.metric), withdrawn=comparison.metric in withdrawn)
            for comparison in rows
        ),
        notes=(
            "Shown from: the smallest ratio that these blocks of this scatter would show of "
            f"{names[0] if names else 'a launcher'} with 80 % power; a count that is equal in all blocks shows any.",
        ),
    )


def _row(comparison: Comparison, own: Comparison | None, *, withdrawn: bool) -> tuple[Cell, ...]:
    ratio = ratio_of(comparison)
    mark = Mark(text="withdrawn", tone="open") if withdrawn else itself_mark(comparison)
    lane = Lane(value=comparison.ratio if ratio.ratio else None, lo=comparison.lo, hi=comparison.hi, tone=mark.tone)
    return title(comparison.metric), ratio.ratio, ratio.spread, lane, mark, "" if withdrawn else _reach(own)


def _reach(own: Comparison | None) -> str:
    if own is None or own.detectable_effect is None:
        return "–"
    if is_exact(own):
        return "any"
    return f"< {_LEAST}" if 1 + own.detectable_effect < _LEAST else digits(1 + own.detectable_effect)
