"""Launchers against each other: a table for each pair that matters, and one for all others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from profiler.analyze.numbers import bounds, pair, value
from profiler.analyze.wording import measured_once
from profiler.catalogue.metrics import METRIC, METRICS, meaning, title
from profiler.catalogue.variant_rules import is_host
from profiler.model import AGAIN, BASELINE, Comparison, Run, Verdict
from profiler.present.section import Section
from profiler.present.table import Cell, Table, columns, filled, notes
from profiler.present.words import (
    detectable,
    launcher_name,
    metric_name,
    of_exact_source,
    price,
    reach,
    verdict_mark,
)

_BESIDE = (BASELINE, "pyo3", "runmain", f"{BASELINE}+malloc", "pyo3+malloc")
"""Launchers to be seen beside each other, where a run has them."""
_FIGURES = (
    *columns("ratio", "ratio"),
    *columns("interval", "95 % interval"),
    *columns("share", "detectable"),
    *columns("verdict", "verdict"),
    *columns("figure", "blocks needed"),
)
_PRICE = "blocks needed: of this scatter, to show a difference of so much with 80 % power; –: over 200, or not known"


def section(verdict: Verdict, run: Run, *, shown: Collection[str]) -> Section:
    """The pairs of ``shown`` launchers; of the baseline against itself the metrics that answer."""
    pairs = [pair for pair in _pairs(verdict.comparisons) if pair[1] in shown]
    tables = tuple(_pair(verdict, run, *pair) for pair in pairs)
    return Section(title="Comparisons", tables=tuple(table for table in tables if table.rows or table.notes))


def others(verdict: Verdict, run: Run, *, shown: Collection[str]) -> Section:
    """What ``section`` leaves out, in one table."""
    left = [
        c
        for c in verdict.comparisons
        if c.launcher not in shown or (c.launcher == AGAIN and METRIC[c.metric].rank > 1)
        if c.ratio is not None and _tells(c)
    ]
    unknown = [c for c in verdict.comparisons if c.launcher not in shown and c.ratio is None]
    table = Table(
        title="all other comparisons, per iteration",
        columns=(*columns("word", "launcher", "against", "metric"), *columns("figure", "baseline", "value"), *_FIGURES),
        rows=tuple((launcher_name(c.launcher), c.baseline, *_cells(c)) for c in left),
        notes=notes(*_unmeasured(unknown), *_about(left, run)),
    )
    return Section(title="Other comparisons", tables=(filled(table),) if left else (), folded=True)


def _pairs(comparisons: Iterable[Comparison]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((c.baseline, c.launcher) for c in comparisons))


def _pair(verdict: Verdict, run: Run, baseline: str, launcher: str) -> Table:
    twin = launcher == AGAIN
    found = [c for c in verdict.comparisons if (c.baseline, c.launcher) == (baseline, launcher)]
    known = [c for c in found if c.ratio is not None and not (twin and METRIC[c.metric].rank > 1)]
    rows = [c for c in known if twin or _tells(c)]
    unknown = [] if twin else [c for c in found if c.ratio is None]
    table = Table(
        title=f"{'A/A: the baseline against itself' if twin else f'{launcher} against {baseline}'}, per iteration",
        columns=(
            *columns("word", "metric"),
            *columns("figure", baseline, "again" if twin else launcher),
            *_FIGURES,
        ),
        rows=tuple(_cells(c) for c in rows),
        notes=notes(_undecided(known, rows), *_unmeasured(unknown), *_about(rows, run)),
    )
    return filled(table)


def _tells(c: Comparison) -> bool:
    return c.verdict != "unresolved" or measured_once(c)


def _undecided(known: Iterable[Comparison], rows: Collection[Comparison]) -> str | None:
    """A line for what has an interval that decides nothing."""
    left = [c for c in known if c not in rows and c.lo is not None and c.hi is not None]
    told = ", ".join(f"{title(c.metric)} {bounds(c.lo or 0.0, c.hi or 0.0)}" for c in left)
    return f"not decided: {told}" if told else None


def _cells(c: Comparison) -> tuple[Cell, ...]:
    return (
        metric_name(c),
        value(c.metric, c.baseline_value),
        value(c.metric, c.value),
        *pair(c.ratio, c.lo, c.hi, exact=of_exact_source(c)),
        reach(c),
        verdict_mark(c),
        price(c),
    )


def _unmeasured(unknown: Iterable[Comparison]) -> list[str]:
    """A line for each reason, with the metrics that it keeps out of the table."""
    reasons: dict[str, list[str]] = {}
    for c in unknown:
        reasons.setdefault(c.reason or "not measured", []).append(title(c.metric))
    return [f"no {', '.join(dict.fromkeys(names))}: {reason}" for reason, names in reasons.items()]


def _about(rows: Sequence[Comparison], run: Run) -> list[str | None]:
    """What a reader of these figures must know."""
    priced = any(c.verdict == "unresolved" and not measured_once(c) for c in rows)
    return [*_meanings(rows, run), _PRICE if priced else None]


def _meanings(rows: Iterable[Comparison], run: Run) -> list[str]:
    cpu = run.machine.get("vendor"), run.machine.get("family")
    counted = {c.metric: meaning(c.metric, *cpu) for c in rows if c.source == "hardware"}
    return [f"{title(metric)}: {said}" for metric, said in counted.items() if said is not None]


def side_by_side(verdict: Verdict, run: Run) -> Section:
    """Launchers as columns: what each of them takes, per iteration."""
    known = {(c.launcher, c.metric): c for c in verdict.comparisons if c.baseline == BASELINE}
    hosts = [launcher.name for launcher in run.plan.launchers if is_host(launcher)]
    names = list(dict.fromkeys(name for name in (*_BESIDE, *hosts) if name == BASELINE or (name, "wall") in known))
    compared = {c.metric for c in known.values() if c.ratio is not None}
    metrics = [metric.name for metric in METRICS if metric.per == "iteration" and metric.name in compared]
    table = Table(
        title="side by side, per iteration",
        columns=(*columns("word", "metric"), *columns("figure", *names)),
        rows=tuple((title(metric), *_values(known, metric, names[1:])) for metric in metrics),
        notes=notes(detectable(verdict.comparisons, metrics, names[1:])),
    )
    return Section(title="Side by side", tables=(table,) if metrics else ())


def _values(known: Mapping[tuple[str, str], Comparison], metric: str, names: Iterable[str]) -> Iterator[str]:
    """The baseline's figure from its first run, then those of ``names``."""
    yield value(metric, known[AGAIN, metric].baseline_value if (AGAIN, metric) in known else None)
    for name in names:
        yield value(metric, known[name, metric].value if (name, metric) in known else None)
