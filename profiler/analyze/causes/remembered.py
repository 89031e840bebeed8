"""What ``rebuild`` found of the embedder's library with the same workload, as ``variants`` quotes it."""

from __future__ import annotations

import re

import msgspec

from profiler.analyze.causes.case import Case
from profiler.catalogue.causes import CauseEntry
from profiler.model import Cause, Run

_QUOTED_MEAN = re.compile(r"(?<= instead of )([\w.-]+): \d\.\d{4} \[[^]]*\] in [\w-]+")
"""Ratio of an effect in runs that were recorded before shares told their orders: a mean that no two builds have."""


def remembered(run: Run, case: Case, entry: CauseEntry) -> Cause | None:
    """The verdict that was recorded with the run; None for other launchers, and where nothing was found."""
    if case.launcher.role != "embedder":
        return None
    known = next(
        (cause for cause in run.known_causes if cause.cause == entry.id and cause.status != "not-tested"), None
    )
    if known is None:
        return None
    evidence = known.evidence
    if known.share_least is None and known.without is None:
        evidence = _QUOTED_MEAN.sub(r"\1 (the share is a mean over the orders of the options)", evidence)
    return msgspec.structs.replace(
        known, evidence=evidence, part_of=entry.part_of, metric=known.metric or case.main.metric
    )
