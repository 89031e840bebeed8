"""What ``rebuild`` adds to the answer: combinations, effects of the options, how they were built, the remedy."""

from __future__ import annotations

from collections.abc import Iterator

from profiler.analyze.causes.option_verdicts import trainings, untrained
from profiler.analyze.numbers import pair, value
from profiler.catalogue.metrics import HEADLINE, title
from profiler.model import BASELINE, Comparison, Verdict
from profiler.model.factorial import Rebuilt, Remedy, cell_name
from profiler.model.option_effects import FactorEffect, OptionEffects, Rebuilding
from profiler.model.verdict import part
from profiler.present.section import Section
from profiler.present.table import UNKNOWN, Cell, Column, Mark, Table, Tone, columns, notes
from profiler.present.words import (
    detectable,
    exact_metrics,
    launcher_name,
    of_exact_source,
)

_CHECKS: dict[bool | None, tuple[str, Tone]] = {
    True: ("passed", "better"), False: ("failed", "worse"), None: ("not checked", "open"),
}  # fmt: skip


def sections(verdict: Verdict) -> tuple[Section, ...]:
    """Combinations, effects, the remedy, how they were built; nothing where nothing was built."""
    found = part(verdict, Rebuilding)
    if found is None:
        return ()
    checked = () if found.remedy is None else (Section(title="Remedy", tables=(_remedy(found.remedy),)),)
    return (
        Section(title="Combinations", tables=(_combinations(verdict),)),
        Section(title="Effects of the build options", tables=(_effects(verdict, found.factorial),)),
        *checked,
        Section(title="Builds", tables=(_builds(found.rebuilt),)),
    )


def _combinations(verdict: Verdict) -> Table:
    found: dict[str, dict[str, Comparison]] = {}
    for comparison in verdict.comparisons:
        if comparison.baseline == BASELINE and comparison.metric in HEADLINE:
            found.setdefault(launcher_name(comparison.launcher), {})[comparison.metric] = comparison
    withdrawn = {doubt.metric: doubt.reason for doubt in verdict.withdrawn}
    metrics = [
        metric
        for metric in HEADLINE
        if metric not in withdrawn and any(metric in own and own[metric].ratio for own in found.values())
    ]
    cheapest = sorted(found.items(), key=lambda item: item[1][metrics[0]].ratio or 0.0 if metrics else 0.0)
    return Table(
        title=f"combinations against {BASELINE}, per iteration",
        columns=(*columns("word", "launcher"), *(column for metric in metrics for column in _of_metric(metric))),
        rows=tuple(
            (name, *(cell for metric in metrics for cell in _figures(own.get(metric)))) for name, own in cheapest
        ),
        notes=notes(
            detectable(verdict.comparisons, metrics),
            *(f"no {title(metric)}: {withdrawn[metric]}" for metric in HEADLINE if metric in withdrawn),
        ),
    )


def _of_metric(metric: str) -> tuple[Column, ...]:
    return (*columns("figure", title(metric)), *columns("ratio", "ratio"), *columns("interval", "95 % interval"))


def _figures(comparison: Comparison | None) -> tuple[str, str, str]:
    if comparison is None or comparison.ratio is None:
        return (UNKNOWN, UNKNOWN, UNKNOWN)
    return (
        value(comparison.metric, comparison.value),
        *pair(comparison.ratio, comparison.lo, comparison.hi, exact=of_exact_source(comparison)),
    )


def _effects(verdict: Verdict, factorial: OptionEffects) -> Table:
    exact = exact_metrics(verdict)
    return Table(
        title="effects of the build options",
        columns=(
            *columns("word", "term", "change", "metric"),
            *columns("ratio", "ratio"),
            *columns("interval", "95 % interval"),
        ),
        rows=tuple(_effect(effect, exact=effect.metric in exact) for effect in factorial.effects),
        notes=notes(*_notes(verdict, factorial)),
    )


def _effect(effect: FactorEffect, *, exact: bool) -> tuple[Cell, ...]:
    change = effect.change
    if effect.confounded_with:
        change += f" (cannot be told from {', '.join(effect.confounded_with)})"
    lo, hi = effect.lo, effect.hi
    return effect.term, change, title(effect.metric), *pair(effect.ratio, lo, hi, exact=exact)


def _notes(verdict: Verdict, factorial: OptionEffects) -> Iterator[str]:
    """What the plan cannot tell, and how well sums of effects describe the combinations."""
    for group in factorial.not_separable:
        alone = "does not show in these combinations"
        yield f"{' and '.join(group)}: " + (alone if len(group) == 1 else "cannot be told apart by these combinations")
    for metric, worst in factorial.lack_of_fit.items():
        yield f"{title(metric)}: sums of effects describe each combination within {worst:.2%}"
    yield detectable(verdict.comparisons, (effect.metric for effect in factorial.effects))
    yield "intervals are over blocks (hash seeds, heap phases); another training run may shift a build by itself"


def _builds(rebuilt: Rebuilt) -> Table:
    return Table(
        title="how they were built",
        columns=(
            *columns("word", "combination", "build-id", "compiler flags", "linker flags"),
            *columns("figure", "functions without counts"),
        ),
        rows=tuple(
            (
                cell_name(build.levels),
                (build.build_id or UNKNOWN)[:12],
                " ".join(build.cflags),
                " ".join(build.ldflags),
                UNKNOWN if build.mismatched_functions is None else str(build.mismatched_functions),
            )
            for build in rebuilt.built
        ),
        notes=notes(
            f"source: {rebuilt.source}; {rebuilt.compiler}; not as sysconfig says: {'; '.join(rebuilt.changed)}",
            *(
                f"{training.key}: {untrained(training)}"
                for training in trainings(rebuilt.built)
                if training.failed_tests
            ),
        ),
    )


def _remedy(remedy: Remedy) -> Table:
    marks = {passed: Mark(text=text, tone=tone) for passed, (text, tone) in _CHECKS.items()}
    return Table(
        title=f"remedy: {remedy.launcher}",
        columns=(*columns("word", "check"), *columns("verdict", "result"), *columns("word", "evidence")),
        rows=tuple((check.name, marks[check.passed], check.evidence) for check in remedy.checks),
        notes=(f"library: {remedy.library} (build-id {remedy.build_id})", *remedy.build),
    )
