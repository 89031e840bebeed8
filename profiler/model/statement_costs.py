"""What single statements cost on either side, by the slope over how often a loop repeats them."""

from __future__ import annotations

from typing import Literal

from profiler.model.base import Noun


class StatementCost(Noun, frozen=True, kw_only=True):
    """One statement in a launcher beside the baseline, per execution."""

    launcher: str
    statement: str
    metric: Literal["instructions", "task-clock"]
    """``task-clock``, in ns, where nothing counts instructions."""
    baseline_value: float | None
    """Medians over heap phases; None: not measured."""
    value: float | None
    ratio: float | None
    """None too where the baseline's cost is not above 0, which is noise."""
    lo: float | None
    hi: float | None
    """The least and the highest ratio of a heap phase of a block. None: there is one."""


class StatementClaim(Noun, frozen=True, kw_only=True):
    """What the statements say of the claim that each costs between ``low`` and ``high`` times as much."""

    launcher: str
    metric: Literal["instructions", "task-clock"]
    low: float
    high: float
    statements: int
    """That have a ratio."""
    inside: int
    """Of them, with a ratio in the claimed band."""
    least: float | None
    quartiles: tuple[float, float, float] | None
    """None: there are fewer than two ratios."""
    most: float | None


class StatementCosts(Noun, frozen=True, kw_only=True):
    """The fields of ``opcodes --statements`` in a verdict."""

    statements: tuple[StatementCost, ...]
    statement_claims: tuple[StatementClaim, ...]
