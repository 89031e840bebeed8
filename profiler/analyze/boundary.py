"""Processes that sat on an allocator boundary: named and set apart, neither averaged away nor dropped.

When the transient objects of the work straddle a full pymalloc pool, every iteration takes a pool from the free list
and gives it back; exact counts then jump by whole per cents for a few heap phases in some five hundred. Instruction
counts are otherwise so steady that such a process stands out from its launcher's other blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from profiler.model import Noun

if TYPE_CHECKING:
    import pandas as pd

_LEAST_EXCESS = 0.003
"""Smaller jumps than this are not worth a name; phases of no consequence scatter by some 0.001 %."""

_SPREADS = 8.0
"""How many median absolute deviations; a workload whose counts scatter by itself has no such outliers."""

_MOST_OF_ALL = 0.34
"""Were a third of the blocks "exceptional", there would be no ordinary level to compare with."""

_FEWEST_BLOCKS = 4


class Boundary(Noun, frozen=True, kw_only=True):
    """One process pair (a launcher in a block) whose instructions per iteration left its launcher's level."""

    block: int
    launcher: str
    phase: int | None
    """Which of the process's heap phases; None: the process had one."""
    per_iteration: float
    usual: float
    """The launcher's median over blocks, or the level of its process where that went through several heap phases."""

    @property
    def excess(self) -> float:
        """Relative difference to the usual count."""
        return self.per_iteration / self.usual - 1


def find_boundaries(instructions: pd.Series, *, levels: pd.Series | None = None) -> tuple[Boundary, ...]:
    """Boundaries in instructions per iteration, a series with index (block, launcher) or (block, launcher, phase).

    ``levels``: what is usual for each figure (default: its launcher's median). Where a third would be exceptional, none
    is.
    """
    found: list[Boundary] = []
    for launcher, values in instructions.groupby(level="launcher", observed=True):
        if len(values) < _FEWEST_BLOCKS:
            continue
        usual = values * 0 + values.median() if levels is None else levels[values.index]
        off = (values - usual).abs()
        exceptional = off > (_LEAST_EXCESS * usual.abs()).clip(lower=_SPREADS * float(off.median()))
        if exceptional.mean() > _MOST_OF_ALL:
            continue
        found.extend(
            Boundary(
                block=int(place[0]),
                launcher=str(launcher),
                phase=int(place[2]) if len(place) > 2 else None,
                per_iteration=float(values[place]),
                usual=float(usual[place]),
            )
            for place in values.index[exceptional]
        )
    return tuple(sorted(found, key=lambda boundary: (boundary.block, boundary.launcher, boundary.phase or 0)))
