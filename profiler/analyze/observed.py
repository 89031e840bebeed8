"""Verdicts without an intervention: from what was seen in files and processes, or that nothing was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profiler.analyze.case import NEGLIGIBLE, Case, cause_of, entry_of, fingerprint, told
from profiler.analyze.compare import Costs
from profiler.analyze.effects import UNKNOWN, Share, is_clear, logs, ratio
from profiler.causes import SEEN_ONLY, TREATMENTS, CauseEntry
from profiler.events import BY_NAME
from profiler.model import BASELINE, Cause, Run

if TYPE_CHECKING:
    import pandas as pd


def frequency(costs: Costs, case: Case) -> Cause | None:
    """The core's frequency in the runs of both: counted as cycles over CPU time, or else timed beside each run."""
    name = case.launcher.name
    counted = (logs(costs, BASELINE, name, "task-clock") - logs(costs, BASELINE, name, "cycles")).dropna()
    timed = -logs(costs, BASELINE, name, "clock")
    effect, how = (counted, "CPU time ÷ cycles") if len(counted) else (timed, "core clock timed beside each run")
    if effect.empty:
        return None
    found = ratio(effect)
    margin = BY_NAME["clock"].margin
    near = found.lo is not None and found.hi is not None and found.lo >= 1 - margin and found.hi <= 1 + margin
    return cause_of(
        case, entry_of("frequency"), "refuted" if near else "unresolved", "correlated", UNKNOWN, f"{how}: {told(found)}"
    )


def seen(run: Run, case: Case, left: pd.Series, unexplained: Share, verdicts: dict[str, Cause]) -> list[Cause]:
    """What differs but cannot be changed from here: the only candidate for a clear rest is named, several are not."""
    reference, own = fingerprint(run, BASELINE), fingerprint(run, case.launcher.name)
    if not reference or not own:
        return []
    different = {
        key: cause for key, cause in SEEN_ONLY.items() if reference.get(key) != own.get(key) and cause not in verdicts
    }
    countable = {
        cause
        for cause in different.values()
        if entry_of(cause).shows == "instructions" or run.plan.source == "hardware"
    }
    rest = is_clear(left, case.margin) and unexplained.lo is not None and unexplained.lo > NEGLIGIBLE
    causes = []
    for key, cause in different.items():
        evidence = f"{key}: {reference.get(key)!r} in {BASELINE}, {own.get(key)!r} in {case.launcher.name}"
        if cause not in countable:
            causes.append(
                cause_of(case, entry_of(cause), "unresolved", "correlated", UNKNOWN, f"{evidence}; shows in time only")
            )
        elif rest and countable == {cause}:
            causes.append(cause_of(case, entry_of(cause), "confirmed", "correlated", unexplained, evidence))
        elif rest:
            causes.append(cause_of(case, entry_of(cause), "unresolved", "correlated", UNKNOWN, evidence))
        else:
            nothing = f"{evidence}; but nothing is left to explain"
            causes.append(cause_of(case, entry_of(cause), "refuted", "correlated", UNKNOWN, nothing))
    return causes


def untested(run: Run, case: Case, entry: CauseEntry) -> Cause:
    """Verdict on a cause that nothing was done about: equal where it was looked at, else not tested."""
    keys = [key for key, cause in SEEN_ONLY.items() if cause == entry.id]
    keys += [key for treatment in TREATMENTS if treatment.cause == entry.id for key in treatment.keys]
    reference, own = fingerprint(run, BASELINE), fingerprint(run, case.launcher.name)
    if entry.shows != "instructions" and run.plan.source != "hardware":
        reason = f"acts on {entry.shows}, which {run.plan.source} does not count; look at {entry.observable}"
        return cause_of(case, entry, "not-tested", None, UNKNOWN, reason)
    if keys and reference and own and all(reference.get(key) == own.get(key) for key in keys):
        values = ", ".join(f"{key} {own.get(key)!r}" for key in keys)
        return cause_of(case, entry, "refuted", "correlated", UNKNOWN, f"equal on both sides: {values}")
    built = _built_differently(run, case, entry)
    if built is not None:
        return cause_of(case, entry, "unresolved", "correlated", UNKNOWN, built)
    return cause_of(case, entry, "not-tested", None, UNKNOWN, f"no intervention was made; look at {entry.observable}")


def _built_differently(run: Run, case: Case, entry: CauseEntry) -> str | None:
    """For causes that are properties of a file: how the two files differ, which separates nothing yet."""
    programs = {program["real_path"]: program for program in run.interpreters.get("programs", ())}
    images = {launcher.name: launcher.image for launcher in run.plan.launchers}
    one, other = programs.get(images.get(BASELINE)), programs.get(images.get(case.launcher.name))
    if one is None or other is None or entry.id not in one or one[entry.id] == other[entry.id]:
        return None
    return (
        f"{one['real_path']}: {entry.id} {one[entry.id]}, {other['real_path']}: {entry.id} {other[entry.id]}; part of "
        "eval-loop-image, separated by rebuilding"
    )
