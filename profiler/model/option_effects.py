"""What each option of a build makes, told from a factorial plan; all that rebuilt libraries add to a verdict."""

from __future__ import annotations

from profiler.model.base import Noun
from profiler.model.factorial import Rebuilt, Remedy


class FactorEffect(Noun, frozen=True, kw_only=True):
    """What a factor of the build, or two of them together, make of the cost per iteration."""

    term: str
    """``pgo``, or ``pgo × lto``."""
    change: str
    """``no-pgo against pgo``; of an interaction: how far one effect depends on the other."""
    cause: str | None
    metric: str
    ratio: float | None
    lo: float | None
    hi: float | None
    confounded_with: tuple[str, ...]
    """Terms that this plan cannot tell from it: the ratio is that of all of them together."""


class OptionEffects(Noun, frozen=True, kw_only=True):
    """What a factorial plan shows."""

    effects: tuple[FactorEffect, ...]
    not_separable: tuple[tuple[str, ...], ...]
    """Terms that the measured combinations cannot tell apart."""
    lack_of_fit: dict[str, float]
    """Metric → the largest relative difference between a combination and the sum of its effects."""


class Rebuilding(Noun, frozen=True, kw_only=True):
    """What libraries that were built anew add to a verdict."""

    factorial: OptionEffects
    rebuilt: Rebuilt
    remedy: Remedy | None
