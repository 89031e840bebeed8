"""A part of the answer: a title and tables, for every renderer alike."""

from __future__ import annotations

from dataclasses import dataclass

from profiler.present.table import Table


@dataclass(frozen=True, kw_only=True)
class Section:
    """What one question is answered by."""

    title: str
    tables: tuple[Table, ...]
    folded: bool = False
    """It stands behind what is shown: a terminal leaves it out, a file has it."""
