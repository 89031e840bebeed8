"""The nouns that all rooms share: targets, launchers, plans, readings, and the verdict document; no behaviour.

Recording and analysing meet here and in files only.
"""

from profiler.model.base import SCHEMA, Caveat, Noun, SourceName
from profiler.model.elimination import Elimination, Side
from profiler.model.health import Check, EventCheck, Health, TargetCheck
from profiler.model.inspection import Inspection, Program
from profiler.model.launcher import AGAIN, BASELINE, EMBEDDER, Kind, Launcher, LinkMode, Variant, Way
from profiler.model.passes import (
    CHUNKS,
    PHASED,
    PHASES,
    REGIONS,
    AnyPass,
    Chunks,
    Native,
    Pass,
    PassKind,
    Phased,
    Regions,
    Whole,
)
from profiler.model.plan import Block, Plan, Precision, Section, Standing, Step
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
from profiler.model.workload import PyperfScript, Workload

__all__ = [
    "AGAIN",
    "BASELINE",
    "CHUNKS",
    "EMBEDDER",
    "PHASED",
    "PHASES",
    "REGIONS",
    "SCHEMA",
    "AnyPass",
    "Block",
    "CallRow",
    "Calls",
    "Cause",
    "Caveat",
    "Check",
    "Chunks",
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
    "Native",
    "Noun",
    "Pass",
    "PassKind",
    "Phased",
    "Plan",
    "Precision",
    "Program",
    "PyperfScript",
    "Reading",
    "Regions",
    "Row",
    "Run",
    "Rung",
    "Scatter",
    "Section",
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
    "Whole",
    "Workload",
    "WorkloadResult",
]
