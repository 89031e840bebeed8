"""From the baseline to the embedder in steps that change one thing each; the steps telescope to the whole."""

from __future__ import annotations

from collections.abc import Iterator

from profiler.analyze.compare import Costs
from profiler.analyze.effects import logs, ratio, share_of
from profiler.catalogue.causes import LADDERS, LadderStep
from profiler.model import Launcher, Rung

METRICS = ("instructions", "cycles", "task-clock")


def climb(costs: Costs, launchers: tuple[Launcher, ...]) -> tuple[Rung, ...]:
    """Both paths in every metric that was measured, over the rungs that exist."""
    return tuple(
        rung
        for metric in METRICS
        for path in LADDERS
        if metric in costs.table
        for rung in _path(costs, tuple(_present(path, launchers)), metric)
    )


def _present(path: tuple[LadderStep, ...], launchers: tuple[Launcher, ...]) -> Iterator[tuple[str, str, str]]:
    """(from, to, factor) over existing launchers: a missing rung joins its two steps, which then share their effect."""
    init = {launcher.role: launcher.init for launcher in launchers if launcher.role is not None}
    names = {
        (launcher.init, launcher.link): launcher.name
        for launcher in launchers
        if launcher.variant is None and (launcher.kind == "bundled" or launcher.role == "embedder")
    }
    before, factors = next(launcher.name for launcher in launchers if launcher.role == "baseline"), []
    for step in path:
        factors.append(step.factor)
        name = names.get((init.get(step.starts_as), step.link))
        if name is not None:
            yield before, name, " + ".join(factors)
            before, factors = name, []


def _path(costs: Costs, path: tuple[tuple[str, str, str], ...], metric: str) -> list[Rung]:
    if not path:
        return []
    steps = [logs(costs, from_, to, metric) for from_, to, _ in path]
    common = steps[0].index
    for effect in steps[1:]:
        common = common.intersection(effect.index)
    if common.empty:
        return []
    steps = [effect[common] for effect in steps]
    whole = sum(steps[1:], start=steps[0])
    rungs = []
    for (from_, to, factor), effect in zip(path, steps, strict=True):
        interval = ratio(effect)
        rungs.append(
            Rung(
                from_=from_,
                to=to,
                factor=factor,
                metric=metric,
                ratio=interval.ratio,
                lo=interval.lo,
                hi=interval.hi,
                share=share_of(effect, whole).share,
            )
        )
    return rungs
