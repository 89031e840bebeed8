"""What hardware counters are read for, of each launcher: counted, estimated or modelled, and why where it is not."""

from __future__ import annotations

from profiler.analyze.numbers import told, value
from profiler.catalogue.events import ABROAD, BY_NAME, EVENTS
from profiler.catalogue.metrics import METRICS, Metric, model_of
from profiler.model import BASELINE, Comparison, EstimatedMetric, Verdict
from profiler.present.table import UNKNOWN, Cell, Column, Table, columns
from profiler.present.whom import against_baseline, subjects, telling

_MOST = 3
"""Launchers beside the baseline for which a terminal has room."""
_RARE = 0.01
"""An iteration: what a model finds less often than that costs nothing that could be seen."""
_COUNTED, _ESTIMATED, _MODELLED = "counted", "estimated", "modelled"


def table(verdict: Verdict, *, folded: bool = False) -> Table | None:
    """A row for each counter, a column for each launcher; None where no launcher is compared with the baseline.

    ``folded``: as a terminal has room for it, without what its first table tells, and what a model has next to none of
    in one line.
    """
    names = subjects(verdict)[:_MOST]
    compared = [c for c in verdict.comparisons if c.baseline == BASELINE and c.launcher in names]
    if not compared:
        return None
    rows: list[tuple[Cell, ...]] = []
    reasons: dict[str, list[str]] = {}
    rare: list[str] = []
    told_before = {c.metric for name in names for c in telling(against_baseline(verdict, name))} if folded else set()
    for metric in _counters():
        if metric.name in told_before:
            continue
        own = {c.launcher: c for c in compared if c.metric == metric.name}
        guessed = {one.launcher: one for one in verdict.estimates if one.metric == metric.name}
        lacking = {name: _reason(metric, c) for name, c in own.items() if c.value is None}
        if len(lacking) < len(own):
            if folded and _is_rare(metric, own):
                rare.append(metric.title)
            else:
                rows.append(_measured(metric, names, own))
            for name, reason in lacking.items():
                reasons.setdefault(reason, []).append(f"{metric.title} of {name}")
        elif guessed:
            rows.append((metric.title, *(_guess(guessed.get(name)) for name in (BASELINE, *names)), _ESTIMATED))
        else:
            for reason in dict.fromkeys(lacking.values()):
                reasons.setdefault(reason, []).append(metric.title)
    return Table(
        title="counters",
        columns=(
            *columns("name", "counters, per iteration"),
            *columns("figure", BASELINE),
            *(Column(title=name, kind="figure", spare=at > 0) for at, name in enumerate(names)),
            *columns("verdict", "how"),
        ),
        rows=tuple(rows),
        notes=(
            *((f"under {_RARE:g} each, {_MODELLED}: {', '.join(rare)}",) if rare else ()),
            *(f"no {', '.join(titles)}: {reason}" for reason, titles in reasons.items()),
        ),
    )


def _counters() -> list[Metric]:
    """Metrics that take a hardware counter where there is one, a quotient behind the event that it is a quotient of;
    what counts the work of other targets stands first.
    """
    places = {event.name: at for at, event in enumerate((*ABROAD, *EVENTS)) if event.needs_slot or event.emulated}
    found = (metric for metric in METRICS if metric.per == "iteration" and metric.event in places)
    return sorted(found, key=lambda metric: places[metric.event])


def _is_rare(metric: Metric, own: dict[str, Comparison]) -> bool:
    known = [c for c in own.values() if c.value is not None and c.baseline_value is not None]
    if any(model_of(metric.name, c.source) is None for c in known):
        return False
    return all(abs(value) < _RARE for c in known for value in (c.baseline_value or 0.0, c.value or 0.0))


def _reason(metric: Metric, comparison: Comparison) -> str:
    """Without what perf was asked for, so that metrics that lack for one reason stand in one note."""
    asked, colon, why = (comparison.reason or "not measured").partition(": ")
    return why if colon and asked in {event.spec for event in BY_NAME[metric.event].perf} else asked + colon + why


def _measured(metric: Metric, names: tuple[str, ...], own: dict[str, Comparison]) -> tuple[Cell, ...]:
    known = [c for c in own.values() if c.value is not None]
    how = _MODELLED if model_of(metric.name, known[0].source) else _COUNTED
    here = (own[name].value if name in own else None for name in names)
    return metric.title, *(value(metric.name, amount) for amount in (known[0].baseline_value, *here)), how


def _guess(found: EstimatedMetric | None) -> str:
    if found is None:
        return UNKNOWN
    said = told(found.value, found.lo, found.hi)
    return str(said) if said.ratio else f"{value(found.metric, found.lo)} to {value(found.metric, found.hi)}"
