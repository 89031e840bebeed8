"""A part of the answer: a title, tables and pictures, for every renderer alike."""

from __future__ import annotations

from dataclasses import dataclass

from profiler.present.table import Table


@dataclass(frozen=True, kw_only=True)
class Section:
    """What one question is answered by."""

    title: str
    tables: tuple[Table, ...]
    pictures: tuple[str, ...] = ()
    """Names of drawings (``figures.path_of``) that belong here, where they are made."""
    folded: bool = False
    """It stands behind what is shown: a terminal leaves it out, a file has it."""
