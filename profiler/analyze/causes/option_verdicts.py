"""The verdict of ``rebuild``: effects of the build options, their account as the ladder, a verdict on each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from profiler.analyze import claims
from profiler.analyze.causes.case import Case, cause_of, entry_of, make_case, status_of
from profiler.analyze.causes.factorial_fit import METRICS, account, effects, measured
from profiler.analyze.causes.option_walk import Stride, Walk, alone, completed, walk
from profiler.analyze.causes.remedy_verdict import timed
from profiler.analyze.causes.remedy_verdict import told as time_told
from profiler.analyze.compare import Costs
from profiler.analyze.effects import is_clear, logs, ratio, share_of
from profiler.analyze.wording import percent
from profiler.analyze.wording import told as told_of
from profiler.catalogue.causes import IMAGE
from profiler.catalogue.caveats import NOT_BUILT, NOT_THAT_LIBRARY, TRAINING_DOES_NOT_FIT, TRAINING_INCOMPLETE, caveat
from profiler.catalogue.events import BY_NAME
from profiler.catalogue.factorial_design import needed_hwcap
from profiler.errors import UsageError
from profiler.model import Cause, Caveat, Comparison, Interval, Run, Unexplained, Verdict
from profiler.model.factorial import Built, Rebuilt, Remedy, Training, cell_name
from profiler.model.option_effects import OptionEffects, Rebuilding

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def rebuilding(verdict: Verdict, run: Run, costs: Costs, folder: Path) -> dict[str, object]:
    """The effects of the build options, their account as the verdict's ladder, and a verdict on each of them; and the
    remedy, timed by what ``folder`` holds.
    """
    rebuilt, roles = rebuilt_of(run), costs.roles
    if rebuilt is None or roles.embedder is None:
        raise UsageError(
            f"{folder} says that libraries were rebuilt for it, and not which",
            hint="take run.json from where it was measured",
        )
    ladder, left = account(costs, run, rebuilt)
    causes = judge_options(costs, run, rebuilt)
    unexplained = Unexplained(share=left.share, lo=left.lo, hi=left.hi)
    found = Rebuilding(
        factorial=effects(costs, run, rebuilt),
        rebuilt=rebuilt,
        remedy=None if run.remedy is None else timed(msgspec.convert(run.remedy, Remedy), folder),
    )
    times = found.remedy.times if found.remedy else ()
    told = (
        claims.sentence(verdict.comparisons, run, causes, {roles.embedder: unexplained}, verdict.withdrawn),
        *_told(found.factorial, verdict.comparisons, rebuilt, roles.embedder),
        *(f"The remedy's {time_told(time, roles)}." for time in times if time.against == roles.baseline),
    )
    return msgspec.structs.asdict(found) | {
        "ladder": ladder,
        "causes": causes,
        "unexplained": unexplained,
        "unexplained_of": {roles.embedder: unexplained},
        "sentence": " ".join(told),
        "warnings": (*verdict.warnings, *caveats(run, rebuilt)),
    }


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
        caveat(NOT_BUILT, f"{','.join(failure.levels.values())}: {failure.message}", remedy=failure.hint)
        for failure in rebuilt.failed
    ]
    kept = measured(run, rebuilt)
    names = {launcher.name for launcher in run.plan.launchers}
    found += [
        caveat(NOT_THAT_LIBRARY, f"{build.launcher} did not run {build.product}; it is left out")
        for build in rebuilt.built
        if build not in kept and build.launcher in names
    ]
    found += [
        caveat(
            TRAINING_DOES_NOT_FIT,
            f"{build.launcher}: functions compiled without the training's counts, since their control flow differs: "
            f"{build.mismatched_functions} (named in {build.log})",
        )
        for build in kept
        if build.mismatched_functions
    ]
    found += [
        caveat(
            TRAINING_INCOMPLETE,
            f"{training.key}: {untrained(training)}, most often for an extension module that could not be built",
        )
        for training in trainings(kept)
        if training.failed_tests > _MAY_FAIL * training.tests
    ]
    return tuple(found)


def trainings(built: Iterable[Built]) -> tuple[Training, ...]:
    """The training runs whose counts ``built`` were compiled with, each once."""
    found = {build.training.key: build.training for build in built if build.training is not None}
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
    """The verdict on the image that is rebuilt, and beneath it on each build option that is a cause of the catalogue.

    An option's share is its mean over the orders of the options; what two builds were measured to differ by stands in
    the evidence. An option that is the same at both ends, which the rebuilt ends reproduce, is no cause of the
    difference; one that was not varied, and that the program cannot have, is not tested.
    """
    metric = METRICS[0]
    walked = walk(costs, rebuilt.plan, measured(run, rebuilt), metric)
    embedder = next((launcher for launcher in run.plan.launchers if launcher.role == "embedder"), None)
    if walked is None or embedder is None:
        return ()
    case = make_case(costs, embedder, run.plan.source)
    if not is_clear(walked.whole, case.main.margin):
        return ()
    strides = {stride.factor.name: stride for stride in walked.strides}
    found = [_image(case, walked, metric)]
    for factor in rebuilt.plan.factors:
        if factor.cause is None:
            continue
        if factor.name in strides:
            found.append(_option(costs, run, rebuilt, case, walked, strides[factor.name]))
            continue
        level = completed(rebuilt.plan, rebuilt.plan.reproduces["library"])[factor.name]
        if factor.name not in rebuilt.plan.reproduces["program"]:
            # It does not apply to the program, so that nothing is equal: its effect is in that of what it depends on.
            apart = f"every library was built with {level}: what it makes is in {', '.join(factor.applies)}"
            found.append(cause_of(case, entry_of(factor.cause), "not-tested", None, apart))
            continue
        equal = f"both ends are built with {level}; the rebuilt ends leave {percent(walked.left.share)} of the tax"
        status = "refuted" if status_of(walked.left) == "refuted" else "unresolved"
        found.append(cause_of(case, entry_of(factor.cause), status, "intervened", equal))
    return tuple(found)


def _image(case: Case, walked: Walk, metric: str) -> Cause:
    """All options together, from the rebuilt program to the rebuilt library: what the options beneath it add up to."""
    effect = walked.whole - walked.before - walked.after
    share = share_of(effect, walked.whole)
    evidence = (
        f"rebuilt from one source, {walked.library} takes {told_of(ratio(effect))} times {walked.program}'s {metric}; "
        "the embedder's start-up path is in it"
    )
    return cause_of(case, entry_of(IMAGE), status_of(share), "intervened", evidence, share)


def _option(  # noqa: PLR0917 - one call, from one place
    costs: Costs, run: Run, rebuilt: Rebuilt, case: Case, walked: Walk, stride: Stride
) -> Cause:
    metric = METRICS[0]
    entry = entry_of(stride.factor.cause or "")
    share = share_of(stride.effect, walked.whole)
    own = alone(rebuilt.plan, measured(run, rebuilt), stride.factor)
    gone = Interval(ratio=None, lo=None, hi=None)
    if own.launcher is not None:
        gone = ratio(logs(costs, costs.roles.baseline, own.launcher, metric))
    whose = f"{costs.roles.baseline}'s {metric}"
    parts = [f"with {stride.from_} alone {own.launcher} takes {told_of(gone)} times {whose}"]
    if gone.ratio is None:
        parts = [own.reason or f"{own.launcher} was not measured"]
    pairs = sorted(stride.pairs, key=lambda pair: ratio(pair.effect).ratio or 0.0)
    least, most = pairs[0], pairs[-1]
    told = f"{stride.to} instead of {stride.from_} makes {told_of(ratio(least.effect))} ({least.from_} to {least.to})"
    if told_of(ratio(least.effect)) != told_of(ratio(most.effect)):
        told = (
            f"{stride.to} instead of {stride.from_} makes between {told_of(ratio(least.effect))} ({least.from_} to "
            f"{least.to}) and {told_of(ratio(most.effect))} ({most.from_} to {most.to}), by what else is there"
        )
    parts.append(told)
    shares = stride.shares(walked.whole)
    verdict = cause_of(case, entry, status_of(share), "intervened", "; ".join(parts), share)
    if stride.orders > 1 and shares is not None:
        verdict = msgspec.structs.replace(
            verdict,
            share_least=shares[0],
            share_most=shares[1],
            evidence=f"{verdict.evidence}; the share is a mean over {stride.orders} orders of the options",
        )
    return msgspec.structs.replace(verdict, without=gone.ratio)


def _told(factorial: OptionEffects, comparisons: tuple[Comparison, ...], rebuilt: Rebuilt, embedder: str) -> list[str]:
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
            f"On {cell_name(built.levels)} the unchanged {embedder} takes {told_of(best)} times {best.baseline}'s "
            f"{BY_NAME[best.metric].title}."
        )
    return parts


def best_library(
    comparisons: tuple[Comparison, ...], rebuilt: Rebuilt, *, drop_in: bool = False
) -> tuple[Built, Comparison] | None:
    """The library on which the embedder needs the fewest instructions, or else the least CPU time.

    With ``drop_in`` only one that runs wherever the target's does.
    """
    libraries = {
        build.launcher: build
        for build in rebuilt.built
        if build.kind == "library" and not (drop_in and needed_hwcap(rebuilt.plan, build.levels))
    }
    for metric in ("instructions", "task-clock"):
        found = [c for c in comparisons if c.metric == metric and c.launcher in libraries and c.ratio is not None]
        if found:
            least = min(found, key=lambda c: c.ratio or 0.0)
            return libraries[least.launcher], least
    return None
