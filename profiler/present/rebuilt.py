"""What ``rebuild`` adds to the answer: combinations, effects of the options, how they were built, the remedy."""

from __future__ import annotations

from collections.abc import Iterator

from profiler.analyze.causes.options import FactorEffect
from profiler.analyze.causes.rebuilt import RebuildVerdict, trainings, untrained
from profiler.model import AGAIN, BASELINE, Comparison
from profiler.model.factorial import Remedy, cell_name
from profiler.present.grid import Grid
from profiler.present.words import detectable, figure, ratio, ratio_interval, title

_METRICS = ("instructions", "cycles", "task-clock", "wall")
_PASSED = {True: "passed", False: "failed", None: "not checked"}


def grids(verdict: RebuildVerdict) -> tuple[Grid, ...]:
    """All tables of the command."""
    checked = () if verdict.remedy is None else (_remedy(verdict.remedy),)
    return (_combinations(verdict), _effects(verdict), *checked, _builds(verdict))


def _combinations(verdict: RebuildVerdict) -> Grid:
    found: dict[str, dict[str, Comparison]] = {}
    for one in verdict.comparisons:
        if one.baseline == BASELINE and one.metric in _METRICS:
            found.setdefault("A/A" if one.launcher == AGAIN else one.launcher, {})[one.metric] = one
    withdrawn = {one.metric: one.reason for one in verdict.withdrawn}
    metrics = [
        metric
        for metric in _METRICS
        if metric not in withdrawn and any(metric in own and own[metric].ratio for own in found.values())
    ]
    cheapest = sorted(found.items(), key=lambda item: item[1][metrics[0]].ratio or 0.0 if metrics else 0.0)
    return Grid(
        title=f"combinations against {BASELINE}, per iteration",
        columns=("launcher", *(column for metric in metrics for column in (metric, "ratio", "95 % interval"))),
        text=frozenset({0}),
        rows=tuple(
            (name, *(cell for metric in metrics for cell in _figures(own.get(metric)))) for name, own in cheapest
        ),
        note="\n".join(
            filter(
                None,
                (
                    detectable(verdict.comparisons, metrics),
                    *(f"no {title(metric)}: {withdrawn[metric]}" for metric in _METRICS if metric in withdrawn),
                ),
            )
        ),
    )


def _figures(one: Comparison | None) -> tuple[str, str, str]:
    if one is None or one.ratio is None:
        return ("–", "–", "–")
    return (figure(one.value), ratio(one.ratio, one.lo, one.hi), ratio_interval(one.lo, one.hi))


def _effects(verdict: RebuildVerdict) -> Grid:
    return Grid(
        title="effects of the build options",
        columns=("term", "change", "metric", "ratio", "95 % interval"),
        text=frozenset({0, 1, 2}),
        rows=tuple(map(_effect, verdict.factorial.effects)),
        note="\n".join(filter(None, _notes(verdict))),
    )


def _effect(effect: FactorEffect) -> tuple[str, ...]:
    change = effect.change
    if effect.confounded_with:
        change += f" (cannot be told from {', '.join(effect.confounded_with)})"
    bounds = effect.lo, effect.hi
    return effect.term, change, effect.metric, ratio(effect.ratio, *bounds), ratio_interval(*bounds)


def _notes(verdict: RebuildVerdict) -> Iterator[str]:
    """What the plan cannot tell, and how well sums of effects describe the combinations."""
    for group in verdict.factorial.not_separable:
        alone = "does not show in these combinations"
        yield f"{' and '.join(group)}: " + (alone if len(group) == 1 else "cannot be told apart by these combinations")
    for metric, worst in verdict.factorial.lack_of_fit.items():
        yield f"{metric}: sums of effects describe each combination within {worst:.2%}"
    yield detectable(verdict.comparisons, (effect.metric for effect in verdict.factorial.effects))
    yield "intervals are over blocks (hash seeds, heap phases); another training run may shift a build by itself"


def _builds(verdict: RebuildVerdict) -> Grid:
    rebuilt = verdict.rebuilt
    return Grid(
        title="how they were built",
        columns=("combination", "build-id", "compiler flags", "linker flags", "functions without counts"),
        text=frozenset({0, 1, 2, 3}),
        rows=tuple(
            (
                cell_name(one.levels),
                (one.build_id or "–")[:12],
                " ".join(one.cflags),
                " ".join(one.ldflags),
                "–" if one.mismatched_functions is None else str(one.mismatched_functions),
            )
            for one in rebuilt.built
        ),
        note="\n".join(
            (
                f"source: {rebuilt.source}; {rebuilt.compiler}; not as sysconfig says: {'; '.join(rebuilt.changed)}",
                *(f"{one.key}: {untrained(one)}" for one in trainings(rebuilt.built) if one.failed_tests),
            )
        ),
    )


def _remedy(remedy: Remedy) -> Grid:
    return Grid(
        title=f"remedy: {remedy.launcher}",
        columns=("check", "result", "evidence"),
        text=frozenset({0, 1, 2}),
        rows=tuple((check.name, _PASSED[check.passed], check.evidence) for check in remedy.checks),
        note="\n".join((f"library: {remedy.library} (build-id {remedy.build_id})", *remedy.build)),
    )
