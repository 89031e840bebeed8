"""Which build option the tax is: effects of a factorial plan, and their account of the whole ladder.

Per block the log costs of the combinations, relative to the baseline, are fitted by least squares; the blocks give the
interval. The account walks from the combination that stands for the distribution's program to the one that stands for
its library, averaged over the orders of the factors (Shapley 1953; one that decides if another applies comes first,
Faigle & Kern 1992), so that its steps add up to the whole exactly.
"""

from __future__ import annotations

import math
from itertools import permutations
from typing import TYPE_CHECKING, Any

from profiler.analyze.compare import Costs
from profiler.analyze.effects import UNKNOWN, Share, logs, ratio, share_of
from profiler.causes import EMBEDDER
from profiler.factorial import Built, Effect, Factor, FactorialPlan, Rebuilt, columns, levels_of, separable
from profiler.model import BASELINE, Noun, Run, Rung

if TYPE_CHECKING:
    import pandas as pd


class FactorEffect(Noun, frozen=True, kw_only=True):
    """What a factor of the build, or two of them together, make of the cost per iteration."""

    term: str
    """``pgo``, or ``pgo × lto``."""
    change: str
    """``no-pgo against pgo``; of an interaction: how far one effect depends on the other."""
    cause: str | None
    metric: str
    ratio: float | None
    lo: float | None
    hi: float | None
    confounded_with: tuple[str, ...]
    """Terms that this plan cannot tell from it: the ratio is that of all of them together."""


class Effects(Noun, frozen=True, kw_only=True):
    """What a factorial plan shows."""

    effects: tuple[FactorEffect, ...]
    not_separable: tuple[tuple[str, ...], ...]
    """Terms that the measured combinations cannot tell apart."""
    lack_of_fit: dict[str, float]
    """Metric → the largest relative difference between a combination and the sum of its effects."""


METRICS = ("instructions", "cycles", "task-clock")


def measured(run: Run, rebuilt: Rebuilt) -> tuple[Built, ...]:
    """The combinations whose launcher was seen to run that very file."""
    images = {launcher.name: launcher.image for launcher in run.plan.launchers}
    return tuple(one for one in rebuilt.built if images.get(one.launcher) == one.product)


def effects(costs: Costs, run: Run, rebuilt: Rebuilt) -> Effects:
    """Main effects and two-factor interactions in every metric that was measured."""
    built = measured(run, rebuilt)
    _, aliases = separable(rebuilt.plan, tuple(one.levels for one in built))
    found: list[FactorEffect] = []
    misfit: dict[str, float] = {}
    for metric in METRICS:
        fitted, worst = _fit(costs, rebuilt.plan, built, metric)
        if worst is not None:
            misfit[metric] = worst
        for effect, series, confounded in fitted:
            interval = ratio(series)
            found.append(
                FactorEffect(
                    term=_term(effect),
                    change=_change(rebuilt.plan, effect),
                    cause=rebuilt.plan.factor(effect[0]).cause if len(effect) == 1 else None,
                    metric=metric,
                    ratio=interval.ratio,
                    lo=interval.lo,
                    hi=interval.hi,
                    confounded_with=tuple(map(_term, confounded)),
                )
            )
    return Effects(
        effects=tuple(found), not_separable=tuple(tuple(map(_term, one)) for one in aliases), lack_of_fit=misfit
    )


def account(costs: Costs, run: Run, rebuilt: Rebuilt) -> tuple[tuple[Rung, ...], Share]:
    """The ladder from the baseline to the embedder over the rebuilt combinations, and the share that is left.

    First and last rung are what the rebuilt program and library do not reproduce of the distribution's; together they
    are what is left. Empty where an end was not built.
    """
    built = measured(run, rebuilt)
    rungs: list[Rung] = []
    left = UNKNOWN
    for metric in METRICS:
        walked = walk(costs, rebuilt.plan, built, metric)
        if walked is None:
            continue
        steps, whole = walked
        for from_, to, factor, series in steps:
            interval = ratio(series)
            rungs.append(
                Rung(
                    from_=from_,
                    to=to,
                    factor=factor,
                    metric=metric,
                    ratio=interval.ratio,
                    lo=interval.lo,
                    hi=interval.hi,
                    share=share_of(series, whole).share,
                )
            )
        if metric == METRICS[0]:
            left = share_of(steps[0][3] + steps[-1][3], whole)
    return tuple(rungs), left


def _costs(costs: Costs, built: tuple[Built, ...], metric: str) -> pd.DataFrame:
    """Log costs relative to the baseline: a row per block that has all combinations, a column per launcher."""
    import pandas as pd

    series = {one.launcher: logs(costs, BASELINE, one.launcher, metric) for one in built}
    if not series or any(one.empty for one in series.values()):
        return pd.DataFrame()
    return pd.DataFrame(series).dropna()


def _fit(
    costs: Costs,
    plan: FactorialPlan,
    built: tuple[Built, ...],
    metric: str,
) -> tuple[list[tuple[Effect, pd.Series, tuple[Effect, ...]]], float | None]:
    import numpy as np
    import pandas as pd

    table = _costs(costs, built, metric)
    if table.empty:
        return [], None
    levels = [one.levels for one in built]
    # Of effects that cannot be told apart the first stands for all of its set, as far as it can be estimated at all.
    clear, aliases = separable(plan, tuple(levels))
    chosen = list(clear)
    stands_for: dict[Effect, tuple[Effect, ...]] = {}
    for group in aliases:
        for effect in group:
            with_it = columns(plan, levels, [*chosen, effect])
            if np.linalg.matrix_rank(with_it) == with_it.shape[1]:
                chosen.append(effect)
                stands_for[effect] = tuple(other for other in group if other != effect)
    matrix = columns(plan, levels, chosen)
    solved, *_ = np.linalg.lstsq(matrix, table.to_numpy().T, rcond=None)
    misfit = np.abs((matrix @ solved - table.to_numpy().T).mean(axis=1)).max()
    fitted = [
        (effect, pd.Series(solved[row], index=table.index), stands_for.get(effect, ()))
        for row, effect in enumerate(chosen, 1)
    ]
    return fitted, float(math.expm1(misfit))


def walk(
    costs: Costs, plan: FactorialPlan, built: tuple[Built, ...], metric: str
) -> tuple[list[tuple[str, str, str, pd.Series]], pd.Series] | None:
    """Steps (from, to, what, log effect per block) from the baseline to the embedder, and their sum."""
    if not {"program", "library"} <= plan.reproduces.keys():
        return None
    table = _costs(costs, built, metric)
    whole = logs(costs, BASELINE, EMBEDDER, metric)
    names = {tuple(one.levels.items()): one.launcher for one in built}
    ends = [completed(plan, plan.reproduces[end]) for end in ("program", "library")]
    changing = [factor for factor in plan.factors if ends[0][factor.name] != ends[1][factor.name]]

    def cost(state: dict[str, str]) -> pd.Series | None:
        name = names.get(tuple(levels_of(plan, state).items()))
        return table[name] if name is not None and name in table else None

    first, last = (cost(end) for end in ends)
    if first is None or last is None or whole.empty:
        return None
    blocks = table.index.intersection(whole.index)
    steps: list[tuple[str, str, str, pd.Series]] = []
    orders = [order for order in permutations(changing) if _in_sequence(order)]
    effects: dict[str, pd.Series] = {}
    for order in orders:
        state = dict(ends[0])
        before = first
        for factor in order:
            state[factor.name] = ends[1][factor.name]
            after = cost(state)
            if after is None:
                return None
            effects[factor.name] = effects.get(factor.name, 0.0) + (after - before) / len(orders)
            before = after
    steps.append(
        (BASELINE, names[tuple(levels_of(plan, ends[0]).items())], "what rebuilding does not reproduce", first)
    )
    steps += [_step(factor, ends, effects[factor.name]) for factor in changing]
    steps.append(
        (names[tuple(levels_of(plan, ends[1]).items())], EMBEDDER, "what rebuilding does not reproduce", whole - last)
    )
    return [(*step[:3], step[3][blocks]) for step in steps], whole[blocks]


def _in_sequence(order: tuple[Factor, ...]) -> bool:
    """Whether each factor comes after those that decide if it applies: before them it would change nothing."""
    return all(factor.name not in later.applies for at, later in enumerate(order) for factor in order[at + 1 :])


def _step(factor: Factor, ends: list[dict[str, str]], series: pd.Series) -> tuple[str, str, str, pd.Series]:
    return ends[0][factor.name], ends[1][factor.name], factor.title, series


def completed(plan: FactorialPlan, levels: dict[str, str]) -> dict[str, str]:
    """``levels`` with the first level of each factor that does not apply there."""
    return {factor.name: levels.get(factor.name, factor.levels[0].name) for factor in plan.factors}


def _term(effect: Effect) -> str:
    return " × ".join(effect)


def _change(plan: FactorialPlan, effect: Effect) -> str:
    names: list[Any] = [plan.factor(name).levels for name in effect]
    told = " and ".join(f"{second.name} against {first.name}" for first, second in names)
    return told if len(effect) == 1 else f"interaction of {told}"
