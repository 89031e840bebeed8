"""Chunks in their order, for people: do processes warm up, do they reach a steady state?"""

from __future__ import annotations

from profiler.analyze.numbers import pair
from profiler.catalogue.metrics import title
from profiler.model import BASELINE, Series, Verdict, VerdictWord
from profiler.present.section import Section
from profiler.present.table import Cell, Mark, Table, columns
from profiler.present.words import launcher_name

_DRIFTS: dict[VerdictWord, Mark] = {
    "same": Mark(text="steady", tone="plain"),
    "slower": Mark(text="rises", tone="worse"),
    "faster": Mark(text="falls", tone="better"),
    "unresolved": Mark(text="not decided", tone="open"),
}


def sections(verdict: Verdict) -> tuple[Section, ...]:
    """One line per launcher, and the chunks of all of them; nothing where a run has no series."""
    if not verdict.series:
        return ()
    (metric,) = {series.metric for series in verdict.series}
    table = Table(
        title=f"chunks of a living process in their order: {title(metric)} per iteration",
        columns=(
            *columns("word", "launcher"),
            *columns("figure", "chunks"),
            *columns("ratio", "first run"),
            *columns("interval", "95 % interval"),
            *columns("ratio", "ratio later/before"),
            *columns("interval", "95 % interval"),
            *columns("verdict", "later"),
        ),
        rows=tuple(map(_row, verdict.series)),
        notes=(
            "first run: relative to the second half of the process, in no other figure; later/before: the ratio to "
            f"{BASELINE} in the second half of a process's chunks, relative to that in the first half",
        ),
    )
    return (Section(title="Chunks in their order", tables=(table,)),)


def _row(series: Series) -> tuple[Cell, ...]:
    return (
        launcher_name(series.launcher),
        str(sum(turn >= 0 for turn in series.turns)),
        *pair(series.first.ratio, series.first.lo, series.first.hi),
        *pair(series.shift.ratio, series.shift.lo, series.shift.hi),
        Mark(text="", tone="plain") if series.launcher == BASELINE else _DRIFTS[series.steady],
    )
