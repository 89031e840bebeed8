"""From the baseline to the embedder in steps that change one thing each; the steps telescope to the whole."""

from __future__ import annotations

from profiler.analyze.compare import Costs
from profiler.analyze.effects import logs, ratio, share_of
from profiler.catalogue.causes import LADDERS, LadderStep
from profiler.model import Rung

METRICS = ("instructions", "cycles", "task-clock")


def climb(costs: Costs, launchers: tuple[str, ...]) -> tuple[Rung, ...]:
    """Both paths in every metric that was measured, over the rungs that exist."""
    return tuple(
        rung
        for metric in METRICS
        for path in LADDERS
        if metric in costs.table
        for rung in _path(costs, _present(path, set(launchers)), metric)
    )


def _present(path: tuple[LadderStep, ...], launchers: set[str]) -> tuple[LadderStep, ...]:
    """The path over existing launchers: a missing rung joins its two steps, which then share their effect."""
    joined: list[LadderStep] = []
    pending: LadderStep | None = None
    for step in path:
        merged = step
        if pending is not None:
            merged = LadderStep(from_=pending.from_, to=step.to, factor=f"{pending.factor} + {step.factor}")
        if step.to in launchers:
            joined.append(merged)
            pending = None
        else:
            pending = merged
    return tuple(joined)


def _path(costs: Costs, path: tuple[LadderStep, ...], metric: str) -> list[Rung]:
    if not path:
        return []
    steps = [logs(costs, step.from_, step.to, metric) for step in path]
    common = steps[0].index
    for effect in steps[1:]:
        common = common.intersection(effect.index)
    if common.empty:
        return []
    steps = [effect[common] for effect in steps]
    whole = sum(steps[1:], start=steps[0])
    rungs = []
    for step, effect in zip(path, steps, strict=True):
        interval = ratio(effect)
        rungs.append(
            Rung(
                from_=step.from_,
                to=step.to,
                factor=step.factor,
                metric=metric,
                ratio=interval.ratio,
                lo=interval.lo,
                hi=interval.hi,
                share=share_of(effect, whole).share,
            )
        )
    return rungs
