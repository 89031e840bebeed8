"""The answer as a list of sections, by what the verdict holds; terminal and page read the same list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from profiler.model import BASELINE, Run, Verdict
from profiler.present import (
    amortization_tables,
    cause_tables,
    comparisons,
    drilldown_tables,
    ladder_tables,
    rebuild_tables,
    series_tables,
    splits,
    statement_tables,
    suspect_tables,
)
from profiler.present.section import Section
from profiler.present.table import footnoted


def sections(verdict: Verdict, run: Run) -> tuple[Section, ...]:
    """Everything there is to show, in order, without sections that are empty; no footnote twice."""
    own = (
        *amortization_tables.sections(verdict),
        *suspect_tables.sections(verdict),
        *rebuild_tables.sections(verdict),
        *drilldown_tables.sections(verdict),
        *statement_tables.sections(verdict),
    )
    # A question of its own has its own answer, behind which the comparisons stand.
    main = set() if own else _main(verdict, run)
    compared = comparisons.section(verdict, run, shown=main)
    found = (
        *own,
        compared,
        splits.section(verdict, shown=main),
        *series_tables.sections(verdict),
        *((comparisons.side_by_side(verdict, run),) if verdict.causes and not own else ()),
        ladder_tables.section(verdict),
        cause_tables.section(verdict),
        *((cause_tables.differences(run),) if verdict.causes and not own else ()),
        comparisons.others(verdict, run, shown=main),
        splits.others(verdict, shown=main),
    )
    return _footnoted(section for section in found if section.tables)


def _main(verdict: Verdict, run: Run) -> set[str]:
    """Launchers in their own right; where causes were looked for, without the steps of the ladder."""
    if not verdict.causes:
        return {launcher.name for launcher in run.plan.launchers}
    return {
        launcher.name
        for launcher in run.plan.launchers
        if launcher.variant is None and launcher.link not in ("static", "pic") and launcher.name != BASELINE
    }


def _footnoted(found: Iterable[Section]) -> tuple[Section, ...]:
    said: set[str] = set()
    told = []
    for section in found:
        told.append(replace(section, tables=footnoted(section.tables, said)))
        said.update(note for table in section.tables for note in table.notes)
    return tuple(told)
