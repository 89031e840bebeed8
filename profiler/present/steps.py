"""The tax taken away: what is left of it without one option, then without the next as well."""

from __future__ import annotations

from collections.abc import Iterator

from profiler.analyze.numbers import digits
from profiler.catalogue.metrics import title
from profiler.model import BASELINE, Comparison, Verdict
from profiler.model.factorial import Levels
from profiler.model.option_effects import Rebuilding
from profiler.model.verdict import part
from profiler.present.cause_tree import CauseRow
from profiler.present.forest import axis_of, ratio_of
from profiler.present.own_tables import options
from profiler.present.table import Cell, Column, Lane, Mark, Table, columns
from profiler.present.whom import against_baseline, subjects, telling
from profiler.present.words import verdict_mark

_METRIC = "instructions"
_FEW = 2
"""Changes that a row names; of more it names what it adds."""
_Step = tuple[str, Comparison]


def table(verdict: Verdict, tree: tuple[CauseRow, ...]) -> Table | None:
    """From libraries that were rebuilt, where there are some; else from what each cause leaves. None without either."""
    found = part(verdict, Rebuilding)
    if found is not None:
        built = list(_built(verdict, found))
        return (
            _table("the library that the unchanged program loads", [_compared(*step) for step in built])
            if built
            else None
        )
    return _causes(verdict, tree)


def _table(title_: str, rows: list[tuple[Cell, ...]]) -> Table | None:
    if len(rows) < 2:
        return None
    lanes = [cell for row in rows for cell in row if isinstance(cell, Lane)]
    axis = axis_of(bound for lane in lanes for bound in (lane.lo, lane.value, lane.hi) if bound is not None)
    return Table(
        title=f"{title(_METRIC)} ÷ {BASELINE}",
        columns=(
            *columns("name", title_),
            Column(title="", kind="lane", axis=axis),
            *columns("ratio", f"÷ {BASELINE}"),
            *columns("interval", ""),
            *columns("verdict", ""),
        ),
        rows=tuple(rows),
    )


def _compared(label: str, comparison: Comparison) -> tuple[Cell, ...]:
    ratio, mark = ratio_of(comparison), verdict_mark(comparison)
    return (
        label,
        Lane(value=comparison.ratio, lo=comparison.lo, hi=comparison.hi, tone=mark.tone),
        ratio.ratio,
        ratio.spread,
        mark,
    )


def _causes(verdict: Verdict, tree: tuple[CauseRow, ...]) -> Table | None:
    names = subjects(verdict)[:1]
    known = against_baseline(verdict, names[0]) if names else {}
    whole = known.get(_METRIC) or next(iter(telling(known)), None)
    if whole is None:
        return None
    rows = [_compared("as it is", whole)]
    rows += [_without(f"without: {row.name}", row.without) for row in tree if row.without is not None]
    left = verdict.unexplained_of.get(whole.launcher, verdict.unexplained).all_met
    if left is not None:
        rows.append(_without("without all of them", left))
    return _table("what is taken away", rows)


def _without(label: str, ratio: float) -> tuple[Cell, ...]:
    return label, Lane(value=ratio, lo=None, hi=None, tone="plain"), digits(ratio), "", Mark(text="", tone="plain")


def _built(verdict: Verdict, found: Rebuilding) -> Iterator[_Step]:
    """The distribution's library, those that differ from it in least, then more and more options in one library."""
    shipped = found.rebuilt.plan.reproduces.get("library")
    libraries = [
        (build.levels, known)
        for build in found.rebuilt.built
        if build.kind == "library" and (known := against_baseline(verdict, build.launcher).get(_METRIC)) is not None
    ]
    names = subjects(verdict)[:1]
    own = against_baseline(verdict, names[0]).get(_METRIC) if names else None
    start = next((known for levels, known in libraries if levels == shipped), own)
    if shipped is None or start is None:
        return
    yield "as the distribution has it", start
    others = [(_changed(shipped, levels), known) for levels, known in libraries if levels != shipped]
    least = min((len(changes) for changes, _ in others), default=0)
    first = sorted((other for other in others if len(other[0]) == least), key=lambda other: -_ratio(other[1]))
    yield from ((f"with {_listed(changes)}", known) for changes, known in first)
    at = first[-1] if first else None
    while at is not None:
        changes, known = at
        more = [other for other in others if set(other[0]) > set(changes) and _ratio(other[1]) < _ratio(known)]
        at = min(more, key=lambda other: (len(other[0]), _ratio(other[1])), default=None)
        if at is not None:
            added = {factor: level for factor, level in at[0].items() if factor not in changes}
            told = f"with {_listed(at[0])}" if len(at[0]) <= _FEW else f"the same, and {_listed(added)}"
            yield told, at[1]


def _ratio(known: Comparison) -> float:
    return known.ratio or 0.0


def _changed(shipped: Levels, levels: Levels) -> Levels:
    return {factor: level for factor, level in levels.items() if shipped.get(factor) != level}


def _listed(changes: Levels) -> str:
    words = [options(level) for level in changes.values()]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
