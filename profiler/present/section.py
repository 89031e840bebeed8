"""A part of the answer: a title, tables and pictures, for every renderer alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from profiler.present.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A drawing: its file's name, how high it stands in inches, and what draws it."""

    name: str
    height: float
    draw: Callable[[Axes], None]


@dataclass(frozen=True, kw_only=True)
class Section:
    """What one question is answered by."""

    title: str
    tables: tuple[Table, ...]
    pictures: tuple[Picture, ...] = ()
    folded: bool = False
    """It stands behind what is shown: a terminal leaves it out, a file has it."""
