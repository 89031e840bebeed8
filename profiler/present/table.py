"""A table as data, from the analysis to every renderer: what stands in it, of which kind, and nothing of how it looks.

Renderers: ``text`` and ``layout`` for terminals, ``markdown`` for files, ``html_table`` for the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from profiler.model import Noun

UNKNOWN = "–"
"""Stands where nobody knows a figure."""

Kind = Literal["word", "name", "figure", "ratio", "interval", "share", "verdict", "bar", "lane"]
"""What a column holds. Words may be broken into lines and names shortened in the middle, both stand left; everything
else is never cut. Bars and lanes are drawings: they go first where there is no room."""
Tone = Literal["worse", "better", "open", "plain", "faint"]
"""What a verdict says, for a renderer that has colours."""


class Axis(Noun, frozen=True, kw_only=True):
    """From where to where a lane reaches, in the unit of what is drawn there."""

    lo: float
    hi: float
    ticks: tuple[tuple[float, str], ...]
    """Where something is written, and what."""
    one: float | None = None
    """The value that says that nothing differs."""

    def at(self, value: float) -> float:
        """Where ``value`` lies, in parts of the axis: below 0 or above 1 where it is beyond."""
        return (value - self.lo) / (self.hi - self.lo)


class Column(Noun, frozen=True, kw_only=True):
    """What stands over the cells of one kind."""

    title: str
    kind: Kind
    axis: Axis | None = None
    """Of a lane."""
    spare: bool = False
    """It goes where there is no room for all."""


class Mark(Noun, frozen=True, kw_only=True):
    """A verdict: its word and what it says."""

    text: str
    tone: Tone


class Bar(Noun, frozen=True, kw_only=True):
    """From where to where something reaches, in parts of a whole; to be drawn, and left out where one cannot draw."""

    start: float
    end: float


class Lane(Noun, frozen=True, kw_only=True):
    """A value with its interval on the column's axis, and what it is the mean of; to be drawn, as a bar is."""

    value: float | None
    lo: float | None
    hi: float | None
    tone: Tone
    points: tuple[float, ...] = ()
    base: float | None = None
    """What ``value`` is compared with, on the same axis."""


Cell = str | Mark | Bar | Lane


class Table(Noun, frozen=True, kw_only=True):
    """A titled table of finished cells."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    """Footnotes, each a line."""
    groups: bool = False
    """Rows that begin with an empty cell belong to the row above."""


def columns(kind: Kind, *titles: str) -> tuple[Column, ...]:
    """Columns of one kind."""
    return tuple(Column(title=title, kind=kind) for title in titles)


def text_of(cell: Cell) -> str:
    """The words or figures of a cell; a drawing has none."""
    return "" if isinstance(cell, Bar | Lane) else cell.text if isinstance(cell, Mark) else cell


def notes(*found: str | None) -> tuple[str, ...]:
    """Those that say something, each once."""
    return tuple(dict.fromkeys(note for note in found if note))


def filled(table: Table) -> Table:
    """``table`` without columns in which no row has anything."""
    kept = [at for at in range(len(table.columns)) if any(row[at] != "" for row in table.rows)]
    return with_columns(table, kept)


def with_columns(table: Table, kept: Sequence[int]) -> Table:
    """``table`` with the columns at these places alone."""
    return msgspec.structs.replace(
        table,
        columns=tuple(table.columns[at] for at in kept),
        rows=tuple(tuple(row[at] for at in kept) for row in table.rows),
    )


def footnoted(tables: Sequence[Table], said: Iterable[str] = ()) -> tuple[Table, ...]:
    """``tables`` with each note once, under the last table that has it; without those that were ``said`` before."""
    before = set(said)
    last = {note: at for at, table in enumerate(tables) for note in table.notes}
    return tuple(
        msgspec.structs.replace(
            table, notes=tuple(note for note in table.notes if last[note] == at and note not in before)
        )
        for at, table in enumerate(tables)
    )
