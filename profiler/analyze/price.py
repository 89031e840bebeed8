"""What it would take to resolve what is unresolved."""

from __future__ import annotations

from profiler.analyze.stats import blocks_needed
from profiler.catalogue.metrics import METRIC
from profiler.model import Comparison

USEFUL = 0.05
"""A difference that a run should be able to show, where it is asked how many blocks it needs."""


def aim(comparison: Comparison) -> float | None:
    """The relative difference worth more blocks: ``USEFUL``, or the metric's margin where the run shows that already;
    None for what is resolved, or whose scatter is not known.
    """
    effect = comparison.detectable_effect
    if comparison.verdict != "unresolved" or effect is None:
        return None
    return USEFUL if effect > USEFUL else METRIC[comparison.metric].margin


def price(comparison: Comparison) -> int | None:
    """How many blocks of this scatter would show a difference of ``aim``; None where that cannot be said."""
    wanted, effect = aim(comparison), comparison.detectable_effect
    needed = None if wanted is None or effect is None else blocks_needed(effect, comparison.blocks, wanted)
    return None if needed is None or needed <= comparison.blocks else needed


def told(comparison: Comparison) -> str:
    """``5%``: the difference that ``price`` is for; empty where there is none."""
    wanted = aim(comparison)
    return "" if wanted is None else f"{100 * wanted:g}%"
