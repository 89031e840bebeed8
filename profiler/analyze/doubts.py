"""A/A decides which metrics count: what the baseline is not itself in is withdrawn, of all launchers, in one place.

Withdrawn costs are unknown from here on, so that no comparison, split, rung, effect, cause or picture can stand on
them; those of the baseline and its twin stay, as the proof.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Literal

import msgspec

from profiler.analyze.compare import Costs, compare_metrics
from profiler.analyze.stats import too_wide
from profiler.catalogue.metrics import METRIC, QUOTIENTS
from profiler.model import Comparison, Doubt

if TYPE_CHECKING:
    import pandas as pd


def withdraw(costs: Costs) -> Costs:
    """``costs`` without the metrics in which A/A fails or shows nothing, and without the quotients of these."""
    base, twin = costs.roles.baseline, costs.roles.twin
    if twin is None:
        return costs
    found = {c.metric: doubt for c in compare_metrics(costs, base, twin) if (doubt := doubt_of(c)) is not None}
    for quotient, numerator, denominator in QUOTIENTS:
        parts = [found[name] for name in (numerator, denominator) if name in found]
        if parts and quotient.name in costs.table:
            own = compare_metrics(costs, base, twin, (quotient,))[0]
            found[quotient.name] = Doubt(
                metric=quotient.name,
                kind=parts[0].kind,
                proven=parts[0].proven,
                ratio=own.ratio,
                lo=own.lo,
                hi=own.hi,
                reason=f"stands on {parts[0].metric}: {parts[0].reason}",
            )
    return without(costs, found)


def without(costs: Costs, doubts: dict[str, Doubt]) -> Costs:
    """``costs`` of which all launchers but the baseline and its twin have lost the metrics of ``doubts``."""
    lost = [name for name in doubts if name in costs.table]
    if not lost:
        return costs
    baselines = costs.roles.baselines
    return msgspec.structs.replace(
        costs,
        table=_blanked(costs.table, lost, baselines),
        together=tuple(_blanked(table, lost, baselines) for table in costs.together),
        reasons=costs.reasons | {name: doubts[name].reason for name in lost},
        doubts=costs.doubts | {name: doubts[name] for name in lost},
    )


def _blanked(table: pd.DataFrame, metrics: Collection[str], but: Collection[str | None]) -> pd.DataFrame:
    """``table`` without ``metrics`` of all launchers that are none of ``but``."""
    table = table.copy()
    others = ~table.index.get_level_values("launcher").isin(list(but))
    table.loc[others, table.columns.intersection(list(metrics))] = float("nan")
    return table


def doubt_of(twin: Comparison) -> Doubt | None:
    """What the A/A comparison ``twin`` says against its metric.

    A difference counts when it stays one among all metrics (Holm), or when the interval, wide as it is, excludes 1. One
    block has no interval, and says nothing for or against a metric, unless an iteration would have cost less than
    nothing in it.
    """
    if twin.ratio is None:
        return None
    if twin.blocks < 2:
        wide = twin.ratio < 0 or (twin.baseline_value or 0.0) < 0
    else:
        wide = twin.lo is None or twin.hi is None or too_wide(twin.lo, twin.hi)
    told = told_of(twin)
    proven = twin.verdict in ("slower", "faster")
    kind: Literal["differs", "useless"]
    if proven or (wide and _excludes(twin)):
        kind, reason = "differs", f"the baseline differs from itself in {twin.metric} ({told})"
    elif wide:
        kind, reason = "useless", f"the baseline's own two runs leave {twin.metric} open ({told})"
    else:
        return None
    return Doubt(
        metric=twin.metric,
        kind=kind,
        ratio=twin.ratio,
        lo=twin.lo,
        hi=twin.hi,
        proven=proven,
        reason=reason,
    )


def _excludes(twin: Comparison) -> bool:
    margin = METRIC[twin.metric].margin
    return (twin.lo is not None and twin.lo > 1 + margin) or (twin.hi is not None and twin.hi < 1 - margin)


def told_of(twin: Comparison | Doubt) -> str:
    """``A/A 4.17 [1.32, 13.2]``."""
    if twin.lo is None or twin.hi is None:
        return f"A/A {twin.ratio:.3g}, with no bounded interval"
    fine = twin.hi - twin.lo < _FINE
    told = [f"{figure:.4f}" if fine else f"{figure:.3g}" for figure in (twin.ratio or 0.0, twin.lo, twin.hi)]
    return f"A/A {told[0]} [{told[1]}, {told[2]}]"


_FINE = 0.05
"""Bounds that are closer than this need four decimals to differ."""
