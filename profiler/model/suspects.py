"""Each suspect with the ratio before and after it was removed, and the state on both sides."""

from __future__ import annotations

from typing import Literal

from profiler.model.base import Noun

EliminationStatus = Literal["confirmed", "refuted", "unresolved", "not-tested"]


class Eliminated(Noun, frozen=True, kw_only=True):
    """One suspect in one metric: the ratio of a host to the baseline with it and without it.

    ``change`` is the ratio before ÷ the ratio after. ``confirmed``: the ratio moves by more than ``margin``, or, where
    ``part`` is given, at least that part of the tax goes with the suspect; ``refuted``: less; ``unresolved``: the
    interval holds both.
    """

    elimination: str
    cause: str | None
    launcher: str
    hypothesis: str
    intervention: str
    metric: str
    before: float | None
    before_lo: float | None
    before_hi: float | None
    after: float | None
    after_lo: float | None
    after_hi: float | None
    change: float | None
    change_lo: float | None
    change_hi: float | None
    share: float | None
    """Part of the tax before (its log) that goes with the suspect."""
    share_lo: float | None
    share_hi: float | None
    margin: float
    part: float | None
    status: EliminationStatus
    reason: str | None


class StateEntry(Noun, frozen=True, kw_only=True):
    """One entry of the state dump."""

    launcher: str
    key: str
    baseline: str
    value: str
    equal: bool


class Suspects(Noun, frozen=True, kw_only=True):
    """What removing suspects adds to a verdict."""

    eliminations: tuple[Eliminated, ...]
    """The first metric of an elimination decides."""
    state: tuple[StateEntry, ...]
