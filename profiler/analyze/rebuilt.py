"""The verdict of ``rebuild``: effects of the build options, their account as the ladder, a verdict on each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from profiler.analyze import words
from profiler.analyze.case import cause_of, entry_of, make_case, percent, status_of
from profiler.analyze.case import told as told_of
from profiler.analyze.compare import Costs
from profiler.analyze.effects import is_clear, ratio, share_of
from profiler.analyze.options import METRICS, Effects, account, completed, effects, measured, walk
from profiler.analyze.remedied import timed
from profiler.analyze.remedied import told as time_told
from profiler.causes import EMBEDDER
from profiler.errors import UsageError
from profiler.events import BY_NAME
from profiler.factorial import Built, Rebuilt, Remedy, Training, cell_name, needed_hwcap
from profiler.model import BASELINE, Cause, Caveat, Comparison, Run, Unexplained, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class RebuildVerdict(Verdict, frozen=True, kw_only=True):
    """The verdict document of ``rebuild``."""

    factorial: Effects
    rebuilt: Rebuilt
    remedy: Remedy | None


def rebuild_verdict(verdict: Verdict, run: Run, costs: Costs, folder: Path) -> RebuildVerdict:
    """``verdict`` with the effects of the build options, their account as its ladder, and a verdict on each of them;
    and with the remedy, timed by what ``folder`` holds.
    """
    rebuilt = rebuilt_of(run)
    assert rebuilt is not None
    factorial = effects(costs, run, rebuilt)
    ladder, left = account(costs, run, rebuilt)
    causes = judge_options(costs, run, rebuilt)
    unexplained = Unexplained(share=left.share, lo=left.lo, hi=left.hi)
    remedy = None if run.remedy is None else timed(msgspec.convert(run.remedy, Remedy), folder)
    told = (
        words.sentence(verdict.comparisons, run, causes, {EMBEDDER: unexplained}, verdict.withdrawn),
        *_told(factorial, verdict.comparisons, rebuilt),
        *(f"The remedy's {time_told(one)}." for one in (remedy.times if remedy else ()) if one.against == BASELINE),
    )
    given = {name: getattr(verdict, name) for name in Verdict.__struct_fields__}
    return RebuildVerdict(
        **given
        | {
            "ladder": ladder,
            "causes": causes,
            "unexplained": unexplained,
            "sentence": " ".join(told),
            "warnings": (*verdict.warnings, *caveats(run, rebuilt)),
        },
        factorial=factorial,
        rebuilt=rebuilt,
        remedy=remedy,
    )


def rebuilt_of(run: Run) -> Rebuilt | None:
    """What the run was built from; None for runs of other commands.

    Raises:
        UsageError: it was recorded by a version that said it otherwise.
    """
    try:
        return None if run.rebuilt is None else msgspec.convert(run.rebuilt, Rebuilt)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"the builds of this folder were recorded by another version: {error}",
            hint="the same rebuild command measures again; what is built is kept",
        ) from error


_MAY_FAIL = 0.1
"""Of the training's test files; more is a warning. One or two of CPython's own 44 fail in a build folder that is no
installation."""

_NAMED = 5


def caveats(run: Run, rebuilt: Rebuilt) -> tuple[Caveat, ...]:
    """Combinations that failed, run another file than they should, or were compiled with counts that do not fit."""
    found = [
        Caveat(
            code="not-built",
            message=f"{','.join(one.levels.values())}: {one.message}" + (f"; {one.hint}" if one.hint else ""),
        )
        for one in rebuilt.failed
    ]
    kept = measured(run, rebuilt)
    names = {launcher.name for launcher in run.plan.launchers}
    found += [
        Caveat(code="not-that-library", message=f"{one.launcher} did not run {one.product}; it is left out")
        for one in rebuilt.built
        if one not in kept and one.launcher in names
    ]
    found += [
        Caveat(
            code="training-does-not-fit",
            message=(
                f"{one.launcher}: functions compiled without the training's counts, since their control flow differs: "
                f"{one.mismatched_functions} (named in {one.log}); where they matter, mark the level retrain = true"
            ),
        )
        for one in kept
        if one.mismatched_functions
    ]
    found += [
        Caveat(
            code="training-incomplete",
            message=(
                f"{one.key}: {untrained(one)}, most often for an extension module that could not be built: "
                "apt-get build-dep python3, and look at its log"
            ),
        )
        for one in trainings(kept)
        if one.failed_tests > _MAY_FAIL * one.tests
    ]
    return tuple(found)


def trainings(built: Iterable[Built]) -> tuple[Training, ...]:
    """The training runs whose counts ``built`` were compiled with, each once."""
    found = {one.training.key: one.training for one in built if one.training is not None}
    return tuple(found[key] for key in sorted(found))


def untrained(training: Training) -> str:
    """How many test files of the training did not train anything, and the first of their names where they are known."""
    told = f"{training.failed_tests} of {training.tests} test files of the training failed or were skipped"
    names = training.failed_names
    if not names:
        return told
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{told} ({', '.join(names[:_NAMED])}{rest})"


def judge_options(costs: Costs, run: Run, rebuilt: Rebuilt) -> tuple[Cause, ...]:
    """The verdict on each build option that is a cause of the catalogue, by its share in the account of the ladder.

    An option that is the same at both ends, which the rebuilt ends reproduce, is no cause of the difference.
    """
    walked = walk(costs, rebuilt.plan, measured(run, rebuilt), METRICS[0])
    embedder = next((launcher for launcher in run.plan.launchers if launcher.name == EMBEDDER), None)
    if walked is None or embedder is None:
        return ()
    steps, whole = walked
    case = make_case(costs, embedder, run.plan.source)
    if not is_clear(whole, case.main.margin):
        return ()
    by_change = {(from_, to): series for from_, to, _, series in steps}
    left = share_of(steps[0][3] + steps[-1][3], whole)
    reproduced = f"the rebuilt ends leave {percent(left.share)} of the tax"
    ends = [completed(rebuilt.plan, rebuilt.plan.reproduces[end]) for end in ("program", "library")]
    found = []
    for factor in rebuilt.plan.factors:
        if factor.cause is None:
            continue
        from_, to = (end[factor.name] for end in ends)
        if from_ == to:
            equal = f"both ends are built with {from_}; {reproduced}"
            status = "refuted" if status_of(left) == "refuted" else "unresolved"
            found.append(cause_of(case, entry_of(factor.cause), status, "intervened", equal))
        else:
            share = share_of(by_change[from_, to], whole)
            told = f"rebuilt with {to} instead of {from_}: {told_of(ratio(by_change[from_, to]))} in {METRICS[0]}"
            found.append(cause_of(case, entry_of(factor.cause), status_of(share), "intervened", told, share))
    return tuple(found)


def _told(factorial: Effects, comparisons: tuple[Comparison, ...], rebuilt: Rebuilt) -> list[str]:
    """What each build option makes, and the library on which the unchanged embedder is fastest."""
    metric = next((effect.metric for effect in factorial.effects), None)
    told = [
        f"{effect.change}: {effect.ratio - 1:+.2%}"
        for effect in factorial.effects
        if effect.metric == metric and effect.ratio is not None and "×" not in effect.term
    ]
    parts = [f"On average over the builds, in {metric}: {', '.join(told)}."] if told else []
    found = best_library(comparisons, rebuilt)
    if found is not None and found[1].ratio is not None:
        built, best = found
        parts.append(
            f"On {cell_name(built.levels)} the unchanged {EMBEDDER} takes {best.ratio:.4f} times {BASELINE}'s "
            f"{BY_NAME[best.metric].title}{_bounds(best)}."
        )
    return parts


def _bounds(comparison: Comparison) -> str:
    if words.measured_once(comparison):
        return ", measured once (no interval: --blocks 3)"
    if comparison.lo is None or comparison.hi is None:
        return ""
    return f" [{comparison.lo:.4f}, {comparison.hi:.4f}]"


def best_library(
    comparisons: tuple[Comparison, ...], rebuilt: Rebuilt, *, drop_in: bool = False
) -> tuple[Built, Comparison] | None:
    """The library on which the embedder needs the fewest instructions, or else the least CPU time.

    With ``drop_in`` only one that runs wherever the target's does.
    """
    libraries = {
        one.launcher: one
        for one in rebuilt.built
        if one.kind == "library" and not (drop_in and needed_hwcap(rebuilt.plan, one.levels))
    }
    for metric in ("instructions", "task-clock"):
        found = [c for c in comparisons if c.metric == metric and c.launcher in libraries and c.ratio is not None]
        if found:
            least = min(found, key=lambda c: c.ratio or 0.0)
            return libraries[least.launcher], least
    return None
