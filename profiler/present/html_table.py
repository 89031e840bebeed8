"""A table for the page: names with what they are of, ratios with their interval, lanes with their marks."""

from __future__ import annotations

from collections.abc import Sequence

from profiler.model import Noun
from profiler.present.drawing import MOST_POINTS, Stroke, Tick, strokes, ticks
from profiler.present.table import Bar, Cell, Column, Kind, Lane, Mark, Table, filled, text_of

_JOINED: dict[Kind, frozenset[Kind]] = {
    "name": frozenset({"name"}),
    "interval": frozenset({"ratio", "figure", "share"}),
}
"""Columns without a title stand in the cell of the one before, if it is of these kinds."""


class HtmlColumn(Noun, frozen=True, kw_only=True):
    """What stands over a column."""

    title: str
    kind: Kind
    spare: bool
    ticks: tuple[Tick, ...] = ()


class HtmlCell(Noun, frozen=True, kw_only=True):
    """A cell: words, what stands beside them in grey, and for a lane its marks."""

    text: str = ""
    beside: str = ""
    again: bool = False
    """``text`` is the name of the group, which the row before has too."""
    tone: str = ""
    swatch: str = ""
    """Class of a cause's colour, shown before the words."""
    depth: int = 0
    strokes: tuple[Stroke, ...] = ()


class HtmlTable(Noun, frozen=True, kw_only=True):
    """Rows of as many cells as there are columns."""

    title: str
    columns: tuple[HtmlColumn, ...]
    rows: tuple[tuple[HtmlCell, ...], ...]
    notes: tuple[str, ...]
    drawn: bool
    """It has lanes."""


def html_table(table: Table, *, stem: bool = False, tones: Sequence[str] = ()) -> HtmlTable:
    """``table`` as the page has it.

    Args:
        stem: lanes begin at the axis's ``one``.
        tones: of the lanes, row by row, instead of their own.
    """
    table = filled(table)
    groups = _groups(table)
    heads = [column for column, joined in zip(table.columns, groups, strict=True) if not joined]
    names = _repeated(table)
    rows = []
    for at, row in enumerate(table.rows):
        tone = tones[at] if tones else None
        cells: list[HtmlCell] = []
        for column, cell, joined in zip(table.columns, row, groups, strict=True):
            if joined:
                cells[-1] = _with(cells[-1], text_of(cell))
            elif not cells and table.groups:
                cells.append(HtmlCell(text=names[at], again=not text_of(cell)))
            else:
                cells.append(_cell(cell, column, tone, stem=stem))
        rows.append(tuple(cells))
    return HtmlTable(
        title=table.title,
        columns=tuple(map(_column, heads)),
        rows=tuple(rows),
        notes=(*table.notes, *_thinned(table)),
        drawn=any(column.kind == "lane" for column in table.columns),
    )


def _groups(table: Table) -> list[bool]:
    """Of each column, whether it stands in the cell of the one before."""
    found: list[bool] = []
    host: Kind | None = None
    for column in table.columns:
        joined = not column.title and host in _JOINED.get(column.kind, frozenset())
        found.append(joined)
        host = host if joined else column.kind
    return found


def _repeated(table: Table) -> list[str]:
    """The first cells, of rows that belong to the one before its name."""
    found: list[str] = []
    for row in table.rows:
        name = text_of(row[0])
        found.append(name or (found[-1] if found else ""))
    return found


def _column(column: Column) -> HtmlColumn:
    axis = column.axis
    return HtmlColumn(
        title=column.title, kind=column.kind, spare=column.spare, ticks=() if axis is None else ticks(axis)
    )


def _cell(cell: Cell, column: Column, tone: str | None, *, stem: bool) -> HtmlCell:
    if isinstance(cell, Lane):
        return HtmlCell(strokes=strokes(cell, column.axis, tone=tone, stem=stem))
    if isinstance(cell, Bar):
        begin, end = (100 * min(1.0, max(0.0, part)) for part in (cell.start, cell.end))
        return HtmlCell(strokes=(Stroke(kind="stem", tone="c2", at=round(begin, 2), width=round(end - begin, 2)),))
    return HtmlCell(text=text_of(cell), tone=cell.tone if isinstance(cell, Mark) else "")


def _with(cell: HtmlCell, beside: str) -> HtmlCell:
    """``cell`` with more words; an interval without a ratio is all that is told."""
    return HtmlCell(text=cell.text, beside=beside, again=cell.again, tone=cell.tone, strokes=cell.strokes)


def _thinned(table: Table) -> tuple[str, ...]:
    most = max((len(cell.points) for row in table.rows for cell in row if isinstance(cell, Lane)), default=0)
    return (f"Of {most:,} blocks a lane shows {MOST_POINTS}, by rank from the least to the largest.",) * (
        most > MOST_POINTS
    )
