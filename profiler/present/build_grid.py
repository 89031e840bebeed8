"""What was rebuilt as a grid: options that programs and libraries share down, what only one kind has across."""

from __future__ import annotations

from profiler.catalogue.metrics import title
from profiler.model import BASELINE, Comparison, Verdict
from profiler.model.factorial import Built
from profiler.model.option_effects import Rebuilding
from profiler.model.verdict import part
from profiler.present.forest import ratio_of
from profiler.present.own_tables import options
from profiler.present.table import UNKNOWN, Cell, Table, columns
from profiler.present.whom import against_baseline

_METRIC = "instructions"
_OWN = "its own options"
_MOST_COLUMNS = 4
_PLACED = ("shared", "interposition", "tls", "dialect")
"""Factors of how code is placed and called: they differ between a library and a program, or apply to one alone."""
_HOSTS = {"library": "pyo3 on a library", "program": "python3, rebuilt"}


def table(verdict: Verdict) -> Table | None:
    """None where fewer than two rows or two columns would stand in it, or more columns than a page is wide."""
    found = part(verdict, Rebuilding)
    if found is None:
        return None
    known = {
        (_down(build), _across(build)): ratio
        for build in found.rebuilt.built
        if (ratio := against_baseline(verdict, build.launcher).get(_METRIC)) is not None
    }
    down, across = dict.fromkeys(row for row, _ in known), dict.fromkeys(column for _, column in known)
    if len(down) < 2 or len(across) < 2:
        return None
    if len(across) > _MOST_COLUMNS:
        # More ways to place code than to optimise it: the grid stands on its side.
        down, across = across, down
        known = {(column, row): ratio for (row, column), ratio in known.items()}
    if len(across) > _MOST_COLUMNS:
        return None
    return Table(
        title=f"{title(_METRIC)} ÷ {BASELINE}",
        columns=(
            *columns("name", "built with"),
            *(column for head in across for column in (*columns("ratio", head or _OWN), *columns("interval", ""))),
        ),
        rows=tuple(
            (row or _OWN, *(cell for column in across for cell in _cells(known.get((row, column))))) for row in down
        ),
    )


def _cells(comparison: Comparison | None) -> tuple[Cell, Cell]:
    return (UNKNOWN, "") if comparison is None else (ratio_of(comparison).ratio, ratio_of(comparison).spread)


def _down(built: Built) -> str:
    return options(",".join(level for factor, level in built.levels.items() if factor not in _PLACED))


def _across(built: Built) -> str:
    placed = [level for factor, level in built.levels.items() if factor in _PLACED[1:]]
    return _HOSTS[built.kind] + (f", {options(','.join(placed))}" if placed else "")
