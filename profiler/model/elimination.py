"""Hypotheses on where a tax comes from, and the ratios that decide on them."""

from __future__ import annotations

from profiler.model.base import Noun


class Side(Noun, frozen=True, kw_only=True):
    """One side of an elimination: which launchers of which arm, and how their cost is formed."""

    arm: str
    baseline: str
    hosts: tuple[str, ...]
    """The launchers that stand for the baseline and, in their order, for the hosts of the line-up."""
    formulas: tuple[str, ...]
    """Events joined by `` * `` or `` - ``, in order of preference; the first whose events are all known is taken."""


class Elimination(Noun, frozen=True, kw_only=True):
    """One hypothesis on where a tax comes from, and the two ratios that decide on it."""

    name: str
    cause: str | None
    """The catalogue's id, where it has one."""
    hypothesis: str
    intervention: str
    before: tuple[Side, ...]
    """With the suspect, one side per metric, the deciding one first."""
    after: tuple[Side, ...]
    """Without it; the same metrics."""
    margin: float
    """A ratio that moves by less than this part of itself has not moved."""
    part: float | None
    """The hypothesis is that at least this part of the tax goes; None: that the ratio moves at all."""
