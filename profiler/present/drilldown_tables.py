"""Where the difference sits, as tables: a row for each opcode, or for each place from files down to lines."""

from __future__ import annotations

from collections.abc import Iterator

from profiler.analyze.numbers import count, share, told
from profiler.model import BASELINE, Verdict
from profiler.model.drilldown import Drilldown, Level, OpcodeCost, PlaceCost, Whereabouts
from profiler.model.verdict import part
from profiler.present.section import Section
from profiler.present.table import UNKNOWN, Cell, Column, Table, columns
from profiler.present.whom import drilled as drilled_of

_MOST_OPCODES = 16
_MOST_PLACES: dict[Level, int] = {"image": 4, "function": 10, "kind": 8, "line": 0}
"""Rows of a level that a terminal has room for."""
REMAINDER = "no opcode"
_TITLES: dict[Level, str] = {
    "image": "by file",
    "function": "by function",
    "kind": "by kind of instruction",
    "line": "by source line",
}
_LEAST = 0.0005
"""Instructions an iteration: less is shown as nothing."""
_SMALL = 0.01
"""An opcode that hardly ever runs and adds less stands among the others."""


def tables(verdict: Verdict) -> Iterator[Table]:
    """What is shown of the launcher that was asked about first; nothing where the run was no drill-down."""
    names = drilled_of(verdict)
    drilled, found = part(verdict, Drilldown), part(verdict, Whereabouts)
    if drilled is not None:
        yield opcode_table(drilled, names[0], _MOST_OPCODES)
    if found is not None:
        for level, most in _MOST_PLACES.items():
            rows = main_rows(found, names[0], level)
            if most and rows:
                yield place_table(rows, level, most)


def sections(verdict: Verdict) -> Iterator[Section]:
    """All rows of all launchers."""
    drilled, found = part(verdict, Drilldown), part(verdict, Whereabouts)
    for name in drilled_of(verdict):
        if drilled is not None:
            yield Section(title=f"Every opcode of {name}", tables=(opcode_table(drilled, name, None),))
        if found is not None:
            own = [row for row in found.places if row.launcher == name]
            by_level: dict[tuple[Level, str | None], list[PlaceCost]] = {}
            for row in own:
                by_level.setdefault((row.level, row.parent), []).append(row)
            yield Section(
                title=f"Every place of {name}",
                tables=tuple(place_table(rows, level, None) for (level, _), rows in by_level.items()),
            )


def opcode_table(found: Drilldown, launcher: str, most: int | None) -> Table:
    """A row for each opcode, those that add most first; what has no room is one row."""
    own = [row for row in found.opcodes if row.launcher == launcher]
    rows, rest = [row for row in own if row.opcode is not None], own[-1]
    shown = [row for row in rows if _seen(row)][:most]
    hidden = [row for row in rows if row not in shown]
    whole = sum(row.difference for row in own)
    cells = [_opcode(row) for row in shown]
    if hidden:
        cells.append(_sum(f"the other {len(hidden)}", hidden))
    cells += [_sum(REMAINDER, [rest]), _sum("sum", own)]
    return Table(
        title=f"instructions per execution in {launcher}, with all that an opcode calls",
        columns=(
            *columns("name", f"opcode in {launcher}"),
            Column(title="times", kind="figure", spare=True),
            *columns("figure", BASELINE, "here"),
            *columns("ratio", f"÷ {BASELINE}"),
            *columns("interval", ""),
            *columns("figure", "adds"),
            *columns("share", "of all" if whole else ""),
        ),
        rows=tuple(cells),
        notes=(
            "times: executions an iteration; adds: instructions an iteration; beside the ratio its range over heap "
            "phases; exact: the same in all",
        ),
    )


def _seen(row: OpcodeCost) -> bool:
    return row.ratio is not None or abs(row.difference) >= _SMALL


def _opcode(row: OpcodeCost) -> tuple[Cell, ...]:
    ratio = told(row.ratio, row.lo, row.hi, exact=True)
    return (
        row.opcode or REMAINDER,
        _times(row),
        UNKNOWN if row.baseline_value is None else count(row.baseline_value),
        UNKNOWN if row.value is None else count(row.value),
        ratio.ratio,
        ratio.spread,
        adds(row.difference),
        "" if row.share is None else share(row.share),
    )


def _times(row: OpcodeCost) -> str:
    base, here = row.baseline_per_iteration, row.per_iteration
    if base is None or here is None:
        return UNKNOWN
    return count(round(here, 3)) if abs(base - here) < _LEAST else f"{count(round(base, 3))} → {count(round(here, 3))}"


def _sum(name: str, rows: list[OpcodeCost]) -> tuple[Cell, ...]:
    known = [row.share for row in rows if row.share is not None]
    whole = "" if not known else share(sum(known))
    return (name, "", "", "", "", "", adds(sum(row.difference for row in rows)), whole)


def adds(difference: float) -> str:
    """``+50.6``, ``−3.00``, ``0``."""
    if abs(difference) < _LEAST:
        return "0"
    return ("+" if difference > 0 else "−") + count(abs(difference))


def main_rows(found: Whereabouts, launcher: str, level: Level) -> list[PlaceCost]:
    """The rows of one level; below files those of the file that differs most."""
    own = [row for row in found.places if row.launcher == launcher]
    if level == "image":
        return [row for row in own if row.level == level]
    images = [row for row in own if row.level == "image" and row.name is not None]
    if not images:
        return []
    return [row for row in own if row.level == level and row.parent == images[0].name]


def place_table(rows: list[PlaceCost], level: Level, most: int | None) -> Table:
    """A row for each place of one level under one parent; the last ones are the rest and the sum."""
    named = [row for row in rows if row.name is not None]
    shown = named if most is None else named[:most]
    hidden = [row for row in rows if row not in shown]
    where = "" if rows[0].parent is None else f" in {rows[0].parent}"
    cells = [_place(row.name or "", [row], row.note or "") for row in shown]
    rest = [row for row in hidden if row.name is not None]
    if rest or any(abs(row.difference) >= _LEAST for row in hidden):
        cells.append(_place(f"the other {len(rest)}" if rest else "the rest", hidden, ""))
    cells.append(_place("sum", rows, ""))
    return Table(
        title=f"{_TITLES[level]}{where}",
        columns=(
            *columns("name", _TITLES[level]),
            *columns("figure", BASELINE, "here", "adds"),
            *columns("share", "of all"),
            Column(title="", kind="word", spare=True),
        ),
        rows=tuple(cells),
    )


def _place(name: str, rows: list[PlaceCost], note: str) -> tuple[Cell, ...]:
    base, here = sum(row.baseline_value for row in rows), sum(row.value for row in rows)
    known = [row.share for row in rows if row.share is not None]
    return (
        name,
        _figure(base),
        _figure(here),
        adds(here - base),
        share(sum(known)) if known else "",
        note,
    )


def _figure(amount: float) -> str:
    """Below nothing where what hardly ever runs ran less often at the higher M."""
    rounded = round(amount, 3)
    return f"−{count(-rounded)}" if rounded < 0 else count(rounded)
