"""A table as data, written once and rendered for a terminal and for a Markdown file alike."""

from __future__ import annotations

from collections.abc import Iterable

from rich.markup import escape
from rich.table import Table

from profiler.model import Noun


class Grid(Noun, frozen=True, kw_only=True):
    """A titled table of finished cells."""

    title: str
    columns: tuple[str, ...]
    text: frozenset[int]
    """Columns that hold words and stand left; figures stand right."""
    rows: tuple[tuple[str, ...], ...]
    note: str


_NARROWEST = 18
"""Words may be broken down to this width, figures never."""
_FRAME = 3
"""Characters that a column takes beside its cells."""


def to_rich(grid: Grid, width: int) -> tuple[Table, ...]:
    """For a terminal of ``width`` characters: side by side what fits there, the other columns in tables below."""
    parts = _parts(grid, width)
    tables = []
    for part in parts:
        table = Table(title=escape(grid.title), title_justify="left", title_style="bold")
        for index in part:
            left = index in grid.text
            table.add_column(
                escape(grid.columns[index]),
                justify="left" if left else "right",
                no_wrap=not left,
                min_width=_least(grid, index),
                overflow="fold",
            )
        for row in grid.rows:
            table.add_row(*(escape(row[index]) for index in part))
        tables.append(table)
    tables[-1].caption = escape(grid.note)
    tables[-1].caption_justify = "left"
    return tuple(tables)


def _parts(grid: Grid, width: int) -> list[list[int]]:
    """Column numbers of each table: the leading words stand in all of them."""
    leading = [index for index in range(len(grid.columns)) if all(one in grid.text for one in range(index + 1))]
    parts = [list(leading)]
    for index in range(len(leading), len(grid.columns)):
        if parts[-1] != leading and sum(_least(grid, one) + _FRAME for one in (*parts[-1], index)) >= width:
            parts.append(list(leading))
        parts[-1].append(index)
    return parts


def _least(grid: Grid, index: int) -> int:
    longest = max(len(row[index]) for row in (grid.columns, *grid.rows))
    return min(longest, _NARROWEST) if index in grid.text else longest


def to_markdown(grid: Grid) -> Iterable[str]:
    """Lines of a Markdown section."""
    yield from (f"## {grid.title}", "")
    yield "| " + " | ".join(grid.columns) + " |"
    yield "|" + "|".join("---" if index in grid.text else "---:" for index in range(len(grid.columns))) + "|"
    for row in grid.rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield from ("", grid.note, "") if grid.note else ("",)
