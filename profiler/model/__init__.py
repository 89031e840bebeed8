"""The nouns that all rooms share: targets, launchers, plans, readings, and the verdict document; no behaviour.

Recording and analysing meet here and in files only.
"""

from profiler.model.base import SCHEMA, Caveat, Noun, SourceName
from profiler.model.elimination import Elimination, Side
from profiler.model.health import Check, EventCheck, Health, TargetCheck
from profiler.model.inspection import Inspection, Program
from profiler.model.launcher import AGAIN, BASELINE, EMBEDDER, Kind, Launcher, LinkMode, Variant, Way
from profiler.model.plan import CHUNKS, PHASES, REGIONS, Block, Pass, PassKind, Plan, Precision, Standing, Step
from profiler.model.readings import CallRow, Calls, Reading, Row
from profiler.model.run import Missing, Run
from profiler.model.target import Target
from profiler.model.verdict import (
    Cause,
    Comparison,
    Decomposition,
    Doubt,
    Interval,
    LauncherResult,
    Rung,
    Scatter,
    Series,
    Term,
    Unexplained,
    Verdict,
    VerdictWord,
    WorkloadResult,
)
from profiler.model.workload import Workload

__all__ = [
    "AGAIN",
    "BASELINE",
    "CHUNKS",
    "EMBEDDER",
    "PHASES",
    "REGIONS",
    "SCHEMA",
    "Block",
    "CallRow",
    "Calls",
    "Cause",
    "Caveat",
    "Check",
    "Comparison",
    "Decomposition",
    "Doubt",
    "Elimination",
    "EventCheck",
    "Health",
    "Inspection",
    "Interval",
    "Kind",
    "Launcher",
    "LauncherResult",
    "LinkMode",
    "Missing",
    "Noun",
    "Pass",
    "PassKind",
    "Plan",
    "Precision",
    "Program",
    "Reading",
    "Row",
    "Run",
    "Rung",
    "Scatter",
    "Series",
    "Side",
    "SourceName",
    "Standing",
    "Step",
    "Target",
    "TargetCheck",
    "Term",
    "Unexplained",
    "Variant",
    "Verdict",
    "VerdictWord",
    "Way",
    "Workload",
    "WorkloadResult",
]
