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

_POLISHES = 4
"""Rounds of median polish; two suffice for tables without missing figures."""

_MOST_OF_PLACEMENT = 0.03
"""Where the arena lies in its MiB moves all launchers of a block alike, and by less than this of their usual count."""


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


def find_boundaries(
    instructions: pd.Series, *, levels: pd.Series | None = None, placements: bool = False
) -> tuple[Boundary, ...]:
    """Boundaries in instructions per iteration, a series with index (block, launcher) or (block, launcher, phase).

    ``levels``: what is usual for each figure (default: its launcher's median). Where a third would be exceptional, none
    is. With ``placements``, blocks differ in where their arenas lie: what a launcher then has in common with the others
    of its block and phase is the placement's, up to ``_MOST_OF_PLACEMENT``.
    """
    usual_of = instructions.groupby(level="launcher", observed=True).transform("median") if levels is None else levels
    raw = (instructions - usual_of).abs()
    # A launcher of another allocator, or with arenas of its own, has no part in the shift of its block.
    shifted = _without_shift(instructions - usual_of, usual_of).abs() if placements else raw
    deviation = raw.where(raw < shifted, shifted)
    found: list[Boundary] = []
    for launcher, values in instructions.groupby(level="launcher", observed=True):
        if len(values) < _FEWEST_BLOCKS:
            continue
        usual = usual_of[values.index]
        off = deviation[values.index]
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


def _without_shift(off: pd.Series, usual: pd.Series) -> pd.Series:
    """``off`` without what the launchers of a block (and phase) have in common, where that is not too much.

    Median polish (Tukey 1977, ch. 11): a launcher of which one block is apart must not shift what is usual for it.
    """
    table = off.unstack("launcher")
    shift = table.iloc[:, 0] * 0.0
    for _ in range(_POLISHES):
        common = table.median(axis=1)
        shift, table = shift + common, table.sub(common, axis=0)
        table -= table.median(axis=0)
    table[shift.abs() > _MOST_OF_PLACEMENT * float(usual.abs().median())] = float("inf")
    polished = {place: table.at[place[:1] + place[2:] if len(place) > 2 else place[0], place[1]] for place in off.index}
    return off.index.to_series().map(polished)
