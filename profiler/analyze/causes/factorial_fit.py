"""Which build option the tax is: effects of a factorial plan, and their account of the whole ladder.

Per block the log costs of the combinations, relative to the baseline, are fitted by least squares; the blocks give the
interval. The account walks from the combination that stands for the distribution's program to the one that stands for
its library, averaged over the orders of the factors (``walked``), so that its steps add up to the whole exactly.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from profiler.analyze.causes.option_walk import Stride, costs_of_builds, walk
from profiler.analyze.compare import Costs
from profiler.analyze.effects import UNKNOWN, Share, ratio, share_of
from profiler.catalogue.factorial_design import columns, separable
from profiler.model import Run, Rung
from profiler.model.factorial import Built, Effect, FactorialPlan, Rebuilt
from profiler.model.option_effects import FactorEffect, OptionEffects

if TYPE_CHECKING:
    import pandas as pd


METRICS = ("instructions", "cycles", "task-clock")


def measured(run: Run, rebuilt: Rebuilt) -> tuple[Built, ...]:
    """The combinations whose launcher was seen to run that very file."""
    images = {launcher.name: launcher.image for launcher in run.plan.launchers}
    return tuple(build for build in rebuilt.built if images.get(build.launcher) == build.product)


def effects(costs: Costs, run: Run, rebuilt: Rebuilt) -> OptionEffects:
    """Main effects and two-factor interactions in every metric that was measured."""
    built = measured(run, rebuilt)
    _, aliases = separable(rebuilt.plan, tuple(build.levels for build in built))
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
    return OptionEffects(
        effects=tuple(found), not_separable=tuple(tuple(map(_term, alias)) for alias in aliases), lack_of_fit=misfit
    )


def account(costs: Costs, run: Run, rebuilt: Rebuilt) -> tuple[tuple[Rung, ...], Share]:
    """The ladder from the baseline to the embedder over the rebuilt combinations, and the share that is left.

    First and last rung are what the rebuilt program and library do not reproduce of the distribution's; together they
    are what is left. The rungs between are means over the orders of the factors. Empty where an end was not built.
    """
    built = measured(run, rebuilt)
    rungs: list[Rung] = []
    left = UNKNOWN
    for metric in METRICS:
        walked = walk(costs, rebuilt.plan, built, metric)
        if walked is None:
            continue
        rungs += [
            _rung(costs.roles.baseline, walked.program, _NOT_REPRODUCED, metric, walked.before, walked.whole),
            *(_averaged(stride, metric, walked.whole) for stride in walked.strides),
            _rung(walked.library, walked.embedder, _NOT_REPRODUCED, metric, walked.after, walked.whole),
        ]
        if metric == METRICS[0]:
            left = walked.left
    return tuple(rungs), left


_NOT_REPRODUCED = "what rebuilding does not reproduce"


def _rung(from_: str, to: str, factor: str, metric: str, effect: pd.Series, whole: pd.Series) -> Rung:  # noqa: PLR0917
    interval = ratio(effect)
    return Rung(
        from_=from_,
        to=to,
        factor=factor,
        metric=metric,
        ratio=interval.ratio,
        lo=interval.lo,
        hi=interval.hi,
        share=share_of(effect, whole).share,
    )


def _averaged(stride: Stride, metric: str, whole: pd.Series) -> Rung:
    rung = _rung(stride.from_, stride.to, stride.factor.title, metric, stride.effect, whole)
    ratios = [figure for pair in stride.pairs if (figure := ratio(pair.effect).ratio) is not None]
    if stride.orders < 2 or not ratios:
        return rung
    return msgspec.structs.replace(rung, orders=stride.orders, least=min(ratios), most=max(ratios))


def _fit(
    costs: Costs,
    plan: FactorialPlan,
    built: tuple[Built, ...],
    metric: str,
) -> tuple[list[tuple[Effect, pd.Series, tuple[Effect, ...]]], float | None]:
    import numpy as np
    import pandas as pd

    table = costs_of_builds(costs, built, metric)
    if table.empty:
        return [], None
    levels = [build.levels for build in built]
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


def _term(effect: Effect) -> str:
    return " × ".join(effect)


def _change(plan: FactorialPlan, effect: Effect) -> str:
    names: list[Any] = [plan.factor(name).levels for name in effect]
    told = " and ".join(f"{second.name} against {first.name}" for first, second in names)
    return told if len(effect) == 1 else f"interaction of {told}"
