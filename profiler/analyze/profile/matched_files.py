"""Whether files of another revision may name functions and lines: the same work must take as many instructions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profiler.analyze.compare import RARE
from profiler.analyze.profile.counted import PER_ITERATION
from profiler.catalogue.interventions import MATCHED
from profiler.model import Launcher

if TYPE_CHECKING:
    import pandas as pd

ALIKE = 0.01
"""Instructions an iteration, in every block."""


def stand_in_pairs(launchers: tuple[Launcher, ...]) -> dict[str, str]:
    """Launcher → the one that runs a matched set in its place."""
    return {
        launcher.variant.of: launcher.name
        for launcher in launchers
        if launcher.variant is not None and launcher.variant.intervention == MATCHED
    }


def differences(profile: pd.DataFrame, pairs: dict[str, str]) -> dict[str, float]:
    """Launcher → by how many instructions an iteration its stand-in differs from it at most, over the blocks that have
    both; pairs of which one was not counted are left out. Instructions that run less than once in a thousand iterations
    do not count: addresses decide whether, say, the cache of attributes is missed a few times.

    Args:
        profile: as in ``ProfileCounts``.
        pairs: as from ``stand_in_pairs``.
    """
    often = profile[profile[PER_ITERATION] >= RARE]
    sums = often.groupby(["launcher", "block"], observed=True)[PER_ITERATION].sum()
    known = set(sums.index.get_level_values("launcher"))
    found = {}
    for name, stand_in in pairs.items():
        if {name, stand_in} <= known:
            apart = (sums.loc[stand_in] - sums.loc[name]).dropna()
            if len(apart):
                found[name] = float(apart.abs().max())
    return found
