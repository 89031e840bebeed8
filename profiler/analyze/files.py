"""Verdicts on properties of a file (PGO, LTO, PIC, …): how the two images differ, which separates nothing by itself."""

from __future__ import annotations

from profiler.analyze.case import Case, cause_of
from profiler.causes import CauseEntry
from profiler.model import BASELINE, Cause, Run


def built_differently(run: Run, case: Case, entry: CauseEntry) -> Cause | None:
    """None where the property is none of a file's, is not known of both images, or is the same in both."""
    programs = {program["real_path"]: program for program in run.interpreters.get("programs", ())}
    images = {launcher.name: launcher.image for launcher in run.plan.launchers}
    one, other = programs.get(images.get(BASELINE)), programs.get(images.get(case.launcher.name))
    if one is None or other is None or entry.id not in one or one[entry.id] == other[entry.id]:
        return None
    evidence = (
        f"{one['real_path']}: {entry.id} {one[entry.id]}, {other['real_path']}: {entry.id} {other[entry.id]}; part of "
        "eval-loop-image, separated by rebuilding"
    )
    return cause_of(case, entry, "unresolved", "correlated", evidence)
