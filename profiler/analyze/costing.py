"""From the rows of a run, or of one arm of it, to the costs that are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profiler.analyze.boundary import Boundary, find_boundaries
from profiler.analyze.compare import Costs, cost_table
from profiler.analyze.doubts import withdraw
from profiler.analyze.placement import misplaced, placements_differ, sides
from profiler.analyze.rows import PER_ITERATION, levels, phases, reasons, slopes, sources, steps_between_phases
from profiler.analyze.stats import CONFIDENCE, SEQUENTIAL_LEVEL
from profiler.analyze.together import together
from profiler.catalogue.events import ABROAD, EVENTS, work_counted
from profiler.catalogue.metrics import PER_LAUNCH, QUOTIENTS
from profiler.model import Run

if TYPE_CHECKING:
    import pandas as pd


def costs_of(run: Run, frame: pd.DataFrame) -> tuple[Costs, tuple[Boundary, ...]]:
    """Per-block costs from ``frame`` in all metrics that A/A leaves standing, and the processes and heap phases that
    sat on an allocator boundary.
    """
    costs, boundaries = costs_as_measured(run, frame)
    return withdraw(costs), boundaries


def costs_as_measured(run: Run, frame: pd.DataFrame) -> tuple[Costs, tuple[Boundary, ...]]:
    """The same with every metric, before A/A has judged them."""
    per_block = slopes(frame)
    combined = together(frame)
    table = cost_table(per_block, combined)
    clock = levels(frame, "clock")
    if not clock.empty:
        table["clock"] = clock
    counted = work_counted(set(per_block.index.get_level_values("event")))
    boundaries: tuple[Boundary, ...] = ()
    if counted is not None:
        counts = per_block[PER_ITERATION].xs(counted, level="event")
        boundaries = find_boundaries(counts, placements=placements_differ(frame))
    elsewhere, _ = misplaced(run.plan, frame)
    apart = frozenset((boundary.block, boundary.launcher) for boundary in boundaries) | elsewhere
    boundaries += steps_between_phases(phases(frame), placements=placements_differ(frame))
    costs = Costs(
        table=table,
        together=combined,
        apart=apart,
        sources=sources(frame),
        reasons=_not_asked(run, frame)
        | {missing.event: missing.reason for missing in run.missing}
        | _never_at_once(table)
        | reasons(frame),
        unknown=_unknown(run, frame),
        fallback_source=run.plan.source,
        roles=run.plan.roles,
        sides=sides(run.plan, frame),
        level=CONFIDENCE if run.plan.precision is None else SEQUENTIAL_LEVEL,
    )
    return costs, boundaries


def _unknown(run: Run, frame: pd.DataFrame) -> frozenset[str]:
    """Events that the run's version did not know yet."""
    named = {missing.event for missing in run.missing} | set(map(str, frame["event"].unique()))
    named |= {event for pass_ in run.plan.passes for event in pass_.events}
    return frozenset(event.name for event in (*EVENTS, *ABROAD) if event.later and event.name not in named)


def _never_at_once(table: pd.DataFrame) -> dict[str, str]:
    """Quotients of two events that were measured, and of which no reading has both."""
    return {
        quotient.name: f"no reading has both {numerator} and {denominator}"
        for quotient, numerator, denominator in QUOTIENTS
        if quotient.name not in table and {numerator, denominator} <= set(table.columns)
    }


def _not_asked(run: Run, frame: pd.DataFrame) -> dict[str, str]:
    """What a run for the precision of one metric leaves out: other events, and the start-up."""
    if run.plan.precision is None or frame.empty:
        return {}
    metric, measured = run.plan.precision.metric, set(frame["event"])
    others = (event.name for event in EVENTS if event.name not in measured)
    return dict.fromkeys(others, f"not measured in a run for the precision of {metric}") | {
        metric.name: "parts of a process have no start-up" for metric in PER_LAUNCH
    }
