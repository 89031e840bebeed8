"""The first figure of a run, long before its end: exact counts of one block."""

from __future__ import annotations

from pathlib import Path

from profiler.analyze.conclude import compared_rows
from profiler.analyze.numbers import count, digits
from profiler.analyze.rows import PER_ITERATION, read_all, slopes
from profiler.catalogue.events import work_counted
from profiler.catalogue.metrics import METRIC
from profiler.model import Run


def first_figure(run: Run, folder: Path) -> str | None:
    """``pyo3 executes 1.205 times the instructions of python3 …``; None while it cannot be said, or is not exact."""
    name = work_counted({event for pass_ in run.plan.passes for event in pass_.events})
    if name is None or run.plan.source not in METRIC[name].exact_by or run.plan.eliminations:
        return None
    baseline, twin = run.plan.roles.baseline, run.plan.roles.twin
    own = [
        launcher.name
        for launcher in run.plan.launchers
        if launcher.variant is None and launcher.name not in (baseline, twin)
    ]
    counts = slopes(compared_rows(run, read_all(folder)))[PER_ITERATION]
    counts = counts[counts.index.get_level_values("event") == name].dropna()
    counts = counts.groupby(level="launcher", observed=True).first()
    told = next((launcher for launcher in own if launcher in counts.index), None)
    if told is None or baseline not in counts.index:
        return None
    base, here = float(counts.loc[baseline]), float(counts.loc[told])
    if base <= 0:
        return None
    return (
        f"first count: {told} executes {digits(here / base)} times the {METRIC[name].title} of {baseline} on "
        f"{run.plan.workload.name} ({count(here)} ÷ {count(base)}, exact in this block); measuring goes on"
    )
