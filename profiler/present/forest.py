"""The tables that answer the question: the metrics that count, and what the time is made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from profiler.analyze.numbers import RatioText, told, value
from profiler.analyze.points import Points
from profiler.analyze.wording import measured_once
from profiler.catalogue.metrics import METRIC, title
from profiler.model import AGAIN, BASELINE, Comparison, Decomposition, Term, Verdict
from profiler.present.table import UNKNOWN, Axis, Cell, Column, Lane, Mark, Table, columns
from profiler.present.whom import against_baseline, itself, subjects, telling
from profiler.present.words import of_exact_source, verdict_mark

MOST_LAUNCHERS = 4
"""Of so many a terminal shows the metrics; the others stand behind."""
_WIDEST = (0.5, 2.5)
"""A lane reaches no farther: what lies beyond is drawn as leaving it."""
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_TICKS = 5
_TERMS = {
    "instructions": "instructions",
    "cpi": "cycles per instruction",
    "frequency": "core clock",
    "off-cpu": "waiting for a CPU",
    "time-per-instruction": "time per instruction",
    "task-clock": "CPU time",
}


def table(verdict: Verdict, points: Sequence[Points]) -> Table | None:
    """Each launcher's telling metrics against the baseline, and one row of the baseline against itself."""
    shown = subjects(verdict)[:MOST_LAUNCHERS]
    rows = [(name, comparison) for name in shown for comparison in telling(against_baseline(verdict, name))]
    if not rows:
        return None
    again = telling(itself(verdict))
    rows += [(BASELINE, again[-1])] if again else []
    blocks = {(point.baseline, point.launcher, point.metric): point.ratios for point in points}
    found = [
        (name, comparison, blocks.get((comparison.baseline, comparison.launcher, comparison.metric), ()))
        for name, comparison in rows
    ]
    axis = axis_of(
        [
            bound
            for _, comparison, _ in found
            for bound in (comparison.lo, comparison.ratio, comparison.hi)
            if bound is not None
        ]
    )
    last, cells = "", []
    for name, comparison, ratios in found:
        cells.append(("" if name == last else name, *_cells(comparison, ratios)))
        last = name
    return Table(
        title="per iteration",
        columns=(
            *columns("name", "per iteration", ""),
            Column(title=BASELINE, kind="figure", spare=True),
            Column(title="here", kind="figure", spare=True),
            *columns("ratio", f"÷ {BASELINE}"),
            *columns("interval", ""),
            Column(title="", kind="lane", axis=axis),
            *columns("verdict", ""),
        ),
        rows=tuple(cells),
        groups=True,
    )


def _cells(comparison: Comparison, ratios: tuple[float, ...]) -> tuple[Cell, ...]:
    ratio = ratio_of(comparison)
    mark = itself_mark(comparison) if comparison.launcher == AGAIN else verdict_mark(comparison)
    return (
        title(comparison.metric),
        value(comparison.metric, comparison.baseline_value),
        value(comparison.metric, comparison.value),
        ratio.ratio,
        ratio.spread,
        Lane(
            value=comparison.ratio if ratio.ratio else None,
            lo=comparison.lo,
            hi=comparison.hi,
            tone=mark.tone,
            points=ratios,
        ),
        mark,
    )


def ratio_of(comparison: Comparison) -> RatioText:
    """A comparison's ratio as it is written."""
    return told(comparison.ratio, comparison.lo, comparison.hi, exact=of_exact_source(comparison))


def itself_mark(comparison: Comparison) -> Mark:
    """Of A/A: whether its interval holds 1."""
    if measured_once(comparison):
        return Mark(text="measured once", tone="open")
    holds = comparison.verdict == "same" or (
        comparison.lo is not None and comparison.hi is not None and comparison.lo <= 1 <= comparison.hi
    )
    return Mark(text="holds 1" if holds else "is not 1", tone="plain" if holds else "open")


def axis_of(values: Iterable[float], *, one: float | None = 1.0) -> Axis | None:
    """An axis that holds ``values`` and ``one``, with a few round ticks; None without values."""
    inside = [min(max(value, _WIDEST[0]), _WIDEST[1]) for value in values]
    if not inside:
        return None
    inside += [] if one is None else [one]
    lo, hi = min(inside), max(inside)
    pad = max(0.06 * (hi - lo), 0.002)
    return axis(lo - pad, hi + pad, one=one)


def axis(lo: float, hi: float, *, one: float | None, unit: str = "") -> Axis:
    """From ``lo`` to ``hi``, with a few round ticks between."""
    scale = 10.0 ** math.floor(math.log10(max(abs(lo), abs(hi), 1e-9))) if hi > 1.5 * _STEPS[-1] * _TICKS else 1.0
    step = next((step * scale for step in _STEPS if (hi - lo) / (step * scale) <= _TICKS), (hi - lo) / 2)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(lo / step - 1e-9), math.floor(hi / step + 1e-9)
    ticks = tuple((at * step, f"{at * step:,.{max(decimals, 1 if scale == 1.0 else 0)}f}{unit}")
                  for at in range(first, last + 1))  # fmt: skip
    return Axis(lo=lo, hi=hi, ticks=ticks, one=one)


def terms(verdict: Verdict) -> Table | None:
    """What the time is made of, a column for each launcher; the last row is their product."""
    splits = [split for name in subjects(verdict)[:2] if (split := time_split(verdict, name)) is not None]
    if not splits or len({tuple(term.term for term in split.terms) for split in splits}) > 1:
        return None
    estimated = {term.term for split in splits for term in split.terms if is_estimated(verdict, split, term.term)}
    rows = []
    for at, term in enumerate(splits[0].terms):
        told_ = [term_ratio(verdict, split, split.terms[at]) for split in splits]
        name = term_name(term.term) + (", est." if term.term in estimated else "")
        rows.append((f"{'×' if at else ' '} {name}", *(cell for text in told_ for cell in (text.ratio, text.spread))))
    whole = [against_baseline(verdict, split.launcher).get(split.of) for split in splits]
    totals = [
        RatioText(ratio=UNKNOWN, spread="") if comparison is None else ratio_of(comparison) for comparison in whole
    ]
    rows.append((f"= {title(splits[0].of)}", *(cell for total in totals for cell in (total.ratio, total.spread))))
    return Table(
        title="what the time is made of",
        columns=(
            *columns("name", "what the time is made of"),
            *(column for split in splits for column in (*columns("ratio", split.launcher), *columns("interval", ""))),
        ),
        rows=tuple(rows),
    )


def time_split(verdict: Verdict, launcher: str) -> Decomposition | None:
    """The split of the launcher's time, where all its terms are known."""
    return next(
        (
            split
            for split in verdict.decomposition
            if split.launcher == launcher and split.of in ("wall", "task-clock")
            if split.terms and all(term.ratio is not None for term in split.terms)
        ),
        None,
    )


def term_ratio(verdict: Verdict, split: Decomposition, term: Term) -> RatioText:
    """A term as it is written; one that is compared by itself as it is there, so that no figure has two intervals."""
    own = against_baseline(verdict, split.launcher).get(term.term)
    return told(term.ratio, term.lo, term.hi) if own is None else ratio_of(own)


def is_estimated(verdict: Verdict, split: Decomposition, term: str) -> bool:
    """Without a cycle counter CPI and core clock come from a timed chain."""
    return term in ("cpi", "frequency") and "cycles" not in against_baseline(verdict, split.launcher)


def term_name(term: str) -> str:
    """A term for people."""
    return _TERMS.get(term, METRIC[term].title if term in METRIC else term)
