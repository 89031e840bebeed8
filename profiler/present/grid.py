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


def to_rich(grid: Grid) -> Table:
    """For a terminal."""
    table = Table(title=escape(grid.title), title_justify="left", title_style="bold")
    for index, column in enumerate(grid.columns):
        left = index in grid.text
        table.add_column(escape(column), justify="left" if left else "right", no_wrap=not left)
    for row in grid.rows:
        table.add_row(*map(escape, row))
    table.caption = escape(grid.note)
    table.caption_justify = "left"
    return table


def to_markdown(grid: Grid) -> Iterable[str]:
    """Lines of a Markdown section."""
    yield from (f"## {grid.title}", "")
    yield "| " + " | ".join(grid.columns) + " |"
    yield "|" + "|".join("---" if index in grid.text else "---:" for index in range(len(grid.columns))) + "|"
    for row in grid.rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield from ("", grid.note, "") if grid.note else ("",)
