"""Each suspect with two rows: the ratio as it was, and what it is without the suspect."""

from __future__ import annotations

from profiler.analyze.numbers import share, told
from profiler.catalogue.metrics import title
from profiler.model import BASELINE, Verdict
from profiler.model.suspects import Eliminated, Suspects
from profiler.model.verdict import part
from profiler.present.drawing import tone_of
from profiler.present.forest import axis_of
from profiler.present.own_tables import STATUS
from profiler.present.table import Cell, Column, Lane, Mark, Table, columns
from profiler.present.words import exact_metrics

_WHOLE = "whole-"


def table(verdict: Verdict) -> Table | None:
    """In the metric that decides; None where nothing was removed."""
    found = part(verdict, Suspects)
    if found is None or not found.eliminations:
        return None
    first: dict[tuple[str, str], Eliminated] = {}
    for eliminated in found.eliminations:
        first.setdefault((eliminated.launcher, eliminated.elimination), eliminated)
    several = len({launcher for launcher, _ in first}) > 1
    exact = exact_metrics(verdict)
    return Table(
        title="each suspect, removed",
        columns=(
            *columns("name", "suspect", ""),
            *columns("ratio", f"÷ {BASELINE}"),
            *columns("interval", ""),
            Column(
                title="",
                kind="lane",
                axis=axis_of(bound for eliminated in first.values() for bound in _bounds(eliminated)),
            ),
            *columns("share", "of the tax"),
            *columns("verdict", ""),
        ),
        rows=tuple(
            row
            for eliminated in first.values()
            for row in _rows(
                eliminated,
                f"{eliminated.launcher}: {eliminated.elimination}" if several else eliminated.elimination,
                eliminated.metric in exact,
            )
        ),
        groups=True,
    )


def _bounds(eliminated: Eliminated) -> tuple[float, ...]:
    all_ = (
        eliminated.before_lo,
        eliminated.before,
        eliminated.before_hi,
        eliminated.after_lo,
        eliminated.after,
        eliminated.after_hi,
    )
    return tuple(bound for bound in all_ if bound is not None)


def _rows(eliminated: Eliminated, name: str, exact: bool) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    before = told(eliminated.before, eliminated.before_lo, eliminated.before_hi, exact=exact)
    after = told(eliminated.after, eliminated.after_lo, eliminated.after_hi, exact=exact)
    word, tone = STATUS[eliminated.status]
    lanes = (
        Lane(value=ratio, lo=lo, hi=hi, tone=tone_of(ratio, lo, hi))
        for ratio, lo, hi in (
            (eliminated.before, eliminated.before_lo, eliminated.before_hi),
            (eliminated.after, eliminated.after_lo, eliminated.after_hi),
        )
    )
    metric = _metric(eliminated.metric)
    nothing = Mark(text="", tone="plain")
    return (
        (name, f"with it, {metric}", before.ratio, before.spread, next(lanes), "", nothing),
        (
            "",
            f"without it, {metric}",
            after.ratio,
            after.spread,
            next(lanes),
            "" if eliminated.status == "unresolved" else share(eliminated.share),
            Mark(text=word, tone=tone),
        ),
    )


def _metric(name: str) -> str:
    """Of a whole process, start-up and work, the name says so."""
    return f"whole {title(name.removeprefix(_WHOLE))}" if name.startswith(_WHOLE) else title(name)
