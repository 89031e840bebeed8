"""What the timing of a remedy says: its CPU time against the baseline's and against the distribution's library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from profiler.analyze.compare import Costs, compare_metrics
from profiler.analyze.costing import costs_of
from profiler.analyze.effects import logs
from profiler.analyze.rows import measured, read_all
from profiler.analyze.sequential import narrow
from profiler.catalogue.metrics import METRIC
from profiler.folder import RUN, load_run, recorded
from profiler.model import Chunks, Comparison, Roles, Run
from profiler.model.factorial import Remedy, RemedyCheck, RemedyTime, remedy_time_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIME = "CPU time"


def timed(remedy: Remedy, folder: Path) -> Remedy:
    """``remedy`` with its times and a check on each, from the rows beside its library; as it is where there are none.

    Raises:
        UsageError: the folder of the timing is spoilt.
    """
    place = folder / remedy_time_folder(remedy)
    if not recorded(place, RUN).exists():
        return remedy
    run = load_run(place)
    costs, _ = costs_of(run, measured(read_all(place)))
    times = tuple(_times(costs, run, remedy))
    checks = tuple(_check(time, costs.roles) for time in times)
    return msgspec.structs.replace(remedy, times=times, checks=(*remedy.checks, *checks))


def told(time: RemedyTime, roles: Roles) -> str:
    """``time 1.012 ± 0.018 of python3's CPU time, chunks, 12 blocks``, or what is known without a resolution."""
    whose = f"{time.against}'s" + (" on the distribution's library" if time.against == roles.embedder else "")
    how = f"{time.kind}, {time.blocks} block{'' if time.blocks == 1 else 's'}"
    if time.ratio is None:
        return f"not resolved: {time.reason}"
    if time.lo is None or time.hi is None:
        return f"not resolved: {time.ratio:.3f} of {whose} {_TIME}, measured once; {how}"
    if time.resolved:
        half = max(time.hi - time.ratio, time.ratio - time.lo)
        return f"time {time.ratio:.3f} ± {half:.3f} of {whose} {_TIME}, {how}"
    return (
        f"not resolved within the budget: {time.lo:.2f} to {time.hi:.2f} of {whose} {_TIME} "
        f"(± {time.asked:.0%} asked), {how}"
    )


def _times(costs: Costs, run: Run, remedy: Remedy) -> Iterator[RemedyTime]:
    assert run.plan.precision is not None
    asked, metric = run.plan.precision.half_width, run.plan.precision.metric
    ours = next((launcher for launcher in run.plan.launchers if launcher.name == remedy.launcher), None)
    why = None
    if ours is None or (ours.image is not None and ours.build_id != remedy.build_id):
        why = f"{remedy.launcher} did not run the remedy's library"
    disturbed = any(warning.code == "not-quiet" for warning in run.warnings)
    for against in filter(None, (costs.roles.baseline, costs.roles.embedder)):
        found = compare_metrics(costs, against, remedy.launcher, (METRIC[metric],))[0]
        yield RemedyTime(
            against=against,
            metric=metric,
            ratio=found.ratio if why is None else None,
            lo=found.lo if why is None else None,
            hi=found.hi if why is None else None,
            blocks=found.blocks,
            asked=asked,
            resolved=why is None and _resolved(costs, found, asked),
            kind="chunks" if any(isinstance(pass_, Chunks) for pass_ in run.plan.passes) else "whole processes",
            reason=why or (found.reason if found.ratio is None else None),
            disturbed=disturbed,
        )


def _resolved(costs: Costs, found: Comparison, asked: float) -> bool:
    """By the rule at which such a run stops, which is stricter where blocks are few."""
    import numpy as np

    own = logs(costs, found.baseline, found.launcher, found.metric).to_numpy()
    return len(own) > 1 and bool(narrow(own[np.newaxis], asked)[0])


def _check(time: RemedyTime, roles: Roles) -> RemedyCheck:
    """Against the distribution's library a remedy must not be slower; against the program its time must be known."""
    passed: bool | None = None
    if time.resolved and time.against == roles.embedder and time.lo is not None and time.hi is not None:
        passed = True if time.hi <= 1 else False if time.lo > 1 else None
    elif time.resolved:
        passed = True
    told_ = told(time, roles) + ("; other work disturbed it" if time.disturbed and not time.resolved else "")
    return RemedyCheck(name=f"time against {time.against}", passed=passed, evidence=told_)
