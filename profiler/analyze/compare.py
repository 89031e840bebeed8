"""Compare launchers: paired by block, one interval and one verdict per metric."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Literal

import msgspec

from profiler.analyze.placement import by_placement_alone
from profiler.analyze.price import price
from profiler.analyze.rows import PER_ITERATION, STARTUP
from profiler.analyze.stats import (
    CONFIDENCE,
    FAMILY_ERROR,
    holm,
    log_ratio_interval,
    p_value_of_difference,
    ratio_of_means,
    smallest_detectable_effect,
    spanning,
    verdict,
)
from profiler.catalogue.metrics import METRICS, PER_LAUNCH, QUOTIENTS, Metric
from profiler.model import Comparison, Doubt, Interval, Noun, Roles, SourceName

if TYPE_CHECKING:
    import pandas as pd

MEASURED_ONCE = "measured once (no interval: --blocks 3)"
"""Said of a figure of one block."""

TOO_RARE = "too rare to compare"

RARE = 1e-3
"""Under one event in a thousand iterations in both launchers, the slope is noise of the rest of the process."""
RARELY = f"{TOO_RARE}: fewer than one in {round(1 / RARE)} iterations"


class Costs(Noun, frozen=True, kw_only=True):
    """What the analysis stands on: per-block figures and why some are missing."""

    table: pd.DataFrame
    """Index (block, launcher), one column per metric; NaN where unknown."""
    together: tuple[pd.DataFrame, ...] = ()
    """Costs of events that are combined with each other (``together.together``)."""
    apart: frozenset[tuple[int, str]]
    """(block, launcher) set apart because a process sat on an allocator boundary."""
    sources: dict[str, SourceName]
    reasons: dict[str, str]
    """By metric or by its event."""
    unknown: frozenset[str] = frozenset()
    """Events of the catalogue that the run's version did not know: they are not compared."""
    fallback_source: SourceName
    roles: Roles
    """Of the plan: whose figures are the baseline's, and its twin's."""
    calls: pd.DataFrame | None = None
    """``calls.csv``: who made the calls that are events of their own; None: no process made any."""
    level: float = CONFIDENCE
    """At which intervals are computed to cover ``CONFIDENCE``: higher where the run's length depended on them."""
    sides: dict[int, str] = msgspec.field(default_factory=dict)
    """Block → in which part of its arena the work's objects lay (``placement.sides``)."""
    doubts: dict[str, Doubt] = msgspec.field(default_factory=dict)
    """By metric: those that were withdrawn (``analyze.doubts``); the table has them of the baseline and its twin."""

    def combined(self, metrics: Collection[str]) -> pd.DataFrame:
        """The table to combine ``metrics`` from: that in which all of them are of one estimator, where there is one."""
        return next((table for table in self.together if set(metrics) <= set(table.columns)), self.table)


def cost_table(slopes: pd.DataFrame, together: tuple[pd.DataFrame, ...] = ()) -> pd.DataFrame:
    """One column per metric: costs per iteration and of the start-up from ``rows.slopes``, quotients of two events from
    ``together.together``.
    """
    per_iteration = slopes[PER_ITERATION].unstack("event")
    startup = slopes[STARTUP].unstack("event")
    table = per_iteration.copy()
    for quotient, numerator, denominator in QUOTIENTS:
        for costs in together:
            if {numerator, denominator} <= set(costs.columns):
                table[quotient.name] = costs[numerator] / costs[denominator]
    for metric in PER_LAUNCH:
        if metric.event in startup:
            table[metric.name] = startup[metric.event]
    return table


def pairs(roles: Roles, launchers: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Which launchers are compared: each with the baseline, and the embedder with the other start on the same image."""
    names = tuple(launchers)
    yield from ((roles.baseline, name) for name in names if name != roles.baseline)
    if roles.same_start in names and roles.embedder in names:
        yield roles.same_start, roles.embedder


def compare(costs: Costs, launchers: tuple[str, ...]) -> tuple[Comparison, ...]:
    """All pairs in all metrics; what cannot be known is present with its reason.

    The metrics of one pair are a family: launchers that do not differ are called slower or faster in anything with a
    probability of ``FAMILY_ERROR`` at most (Holm).
    """
    known = tuple(metric for metric in METRICS if metric.event not in costs.unknown)
    return tuple(
        comparison
        for baseline, launcher in pairs(costs.roles, launchers)
        for comparison in compare_metrics(costs, baseline, launcher, known)
    )


def compare_metrics(
    costs: Costs, baseline: str, launcher: str, metrics: tuple[Metric, ...] = METRICS
) -> tuple[Comparison, ...]:
    """One pair in ``metrics``, which are one family."""
    return tuple(_as_family([_compare_one(costs, baseline, launcher, metric) for metric in metrics]))


def _as_family(found: list[Comparison]) -> Iterator[Comparison]:
    adjusted = holm([comparison.p_value for comparison in found])
    for comparison, p_value in zip(found, adjusted, strict=True):
        word, reason = comparison.verdict, comparison.reason
        if word in {"slower", "faster"} and (p_value is None or p_value > FAMILY_ERROR):
            word = "unresolved"
            reason = f"a difference as large comes by chance too often among {len(found)} metrics (Holm); more --blocks"
        judged = msgspec.structs.replace(comparison, verdict=word, reason=reason, p_value=p_value)
        yield msgspec.structs.replace(judged, blocks_needed=price(judged))


def paired(costs: Costs, baseline: str, launcher: str, metric: str, *, beside: Collection[str] = ()) -> pd.DataFrame:
    """The blocks in which both launchers have the metric and neither was set apart: columns ``base``, ``other``.

    Where the baseline ran twice, its figure is the mean of both runs, except when it is compared with itself. A figure
    to be combined with those of the metrics ``beside`` it is of the same estimator as theirs (``Costs.combined``).
    """
    import pandas as pd

    table = costs.combined({metric, *beside}) if beside else costs.table
    if metric not in table:
        return pd.DataFrame(columns=["base", "other"], dtype=float)
    wide = table[metric].unstack("launcher")
    for block, name in costs.apart:
        if block in wide.index and name in wide.columns:
            wide.loc[block, name] = float("nan")
    if not {baseline, launcher} <= set(wide.columns):
        return pd.DataFrame(columns=["base", "other"], dtype=float)
    base, twin = wide[baseline], costs.roles.twin
    if baseline == costs.roles.baseline and launcher != twin and twin in wide:
        base = (base + wide[twin]) / 2
    return pd.DataFrame({"base": base, "other": wide[launcher]}).dropna()


def _compare_one(costs: Costs, baseline: str, launcher: str, metric: Metric) -> Comparison:
    import pandas as pd

    both = paired(costs, baseline, launcher, metric.name)
    reason = None
    interval = Interval(ratio=None, lo=None, hi=None)
    effect = p_value = None
    over: Literal["placements"] | None = None
    base, other = both["base"].tolist(), both["other"].tolist()
    if both.empty:
        reason = costs.reasons.get(metric.name) or costs.reasons.get(metric.event, "no complete block")
    elif float(both.abs().mean().max()) < RARE:
        reason = RARELY
    elif (both > 0).all(axis=None):
        logs = [math.log(a / b) for a, b in zip(other, base, strict=True)]
        interval = log_ratio_interval(logs, confidence=costs.level)
        if costs.sources.get(metric.event) in metric.exact_by:
            over = "placements" if by_placement_alone(pd.Series(logs, index=both.index), costs.sides) else None
            interval = spanning(interval, logs, all_seen=over is not None)
        effect = smallest_detectable_effect(logs)
        p_value = p_value_of_difference(other, base, margin=metric.margin)
    else:
        interval = ratio_of_means(other, base, confidence=costs.level)
        p_value = p_value_of_difference(other, base, margin=metric.margin)
    word = verdict(interval, margin=metric.margin, better=metric.better)
    if reason is None and interval.lo is None:
        reason = MEASURED_ONCE if len(both) < 2 else "the interval is unbounded; more --blocks"
    return Comparison(
        baseline=baseline,
        launcher=launcher,
        metric=metric.name,
        baseline_value=None if both.empty else float(both["base"].mean()),
        value=None if both.empty else float(both["other"].mean()),
        ratio=interval.ratio,
        lo=interval.lo,
        hi=interval.hi,
        confidence=CONFIDENCE,
        verdict=word,
        p_value=p_value,
        blocks=len(both),
        detectable_effect=effect,
        source=costs.sources.get(metric.event, costs.fallback_source),
        reason=reason,
        over=over,
    )
