"""One figure per block in two runs: by what ratio it changed, with an interval. Arithmetic on logarithms, no files."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

from profiler.analyze.stats import CONFIDENCE, mean_interval
from profiler.model.across import Pairing

Kind = Literal["exact", "counted", "timed"]
"""``exact``: a second run of the same process repeats it to the digit. ``counted``: nearly so; what a block draws (hash
seed, heap, environment) moves it by more. ``timed``: what else the machine does moves it by more than that."""

_POWER = 0.80
_LEVEL = 1e-4
"""Logarithms of counts at one placement differ by less (as ``placement.by_placement_alone`` has it)."""

ONCE = "measured once: one block has no interval (--blocks 3)"
NO_BLOCK = "no complete block"
PLACED_IN_ONE = "where the heap lay is recorded of one run alone, and moves counts by 1 to 2 %; measure both anew"
NO_SIDE = "no blocks of both runs had their heap in the same part of its arena, which moves counts by 1 to 2 %"
_ANEW = "; the same --seed on both gives both the same blocks"


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """A figure per block of one run."""

    logs: Mapping[int, float]
    """Block → logarithm of the figure."""
    draws: Mapping[int, Hashable] = field(default_factory=dict)
    """Block → everything that was drawn for it; blocks that are equal here are the same block."""
    sides: Mapping[int, str] = field(default_factory=dict)
    """Block → ``head`` or ``tail``; empty where the run does not say."""


@dataclass(frozen=True, kw_only=True)
class RunRatio:
    """By what a figure changed; the fields are those of ``AcrossChange``."""

    ratio: float | None = None
    lo: float | None = None
    hi: float | None = None
    p_value: float | None = None
    detectable: float | None = None
    blocks: tuple[int, int] = (0, 0)
    pairing: Pairing | None = None
    reason: str | None = None


def changed(before: Blocks, after: Blocks, *, kind: Kind, margin: float, confidence: float = CONFIDENCE) -> RunRatio:
    """The ratio of ``after`` to ``before`` with its interval at ``confidence``.

    - Counts of blocks that are the same in both runs (one seed) are paired: the mean of the differences of logarithms,
      with the interval that paired launchers have (``stats.mean_intervals``); that of exact counts holds every block's.
    - Exact counts that differ by nothing but the placement are compared at each placement that both runs have; the
      interval is the range over these.
    - Everything else is two independent samples: Welch's interval on the logarithms (``welch``).

    ``p_value`` is that of "the change lies within ``1 ± margin``", not adjusted.
    """
    if not before.logs or not after.logs:
        return RunRatio(reason=NO_BLOCK)
    shared = [at for at in before.logs if at in after.logs and at in before.draws]
    same = [at for at in shared if before.draws[at] == after.draws.get(at)]
    if kind != "timed" and same and len(same) == min(len(before.logs), len(after.logs)):
        differences = [after.logs[at] - before.logs[at] for at in same]
        return _paired(differences, margin, confidence, spanning=kind == "exact")
    if kind == "exact" and (before.sides or after.sides):
        return _placed(before, after, margin, confidence)
    return _independent(list(before.logs.values()), list(after.logs.values()), margin, confidence)


def welch(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float]:
    """Difference of the means of two independent samples, its standard error, and the degrees of freedom.

    ``√(s₁²/n₁ + s₂²/n₂)`` with Satterthwaite's degrees of freedom ``(v₁ + v₂)² ÷ (v₁²/(n₁ - 1) + v₂²/(n₂ - 1))``, where
    ``vᵢ = sᵢ²/nᵢ`` (Welch 1947, "The generalization of Student's problem"; Satterthwaite 1946). Neither the scatter nor
    the number of blocks need be equal. Samples without any scatter have an error of 0, and infinite freedom.

    Raises:
        ValueError: a sample has fewer than two figures.
    """
    import numpy as np

    first, second = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    if min(first.size, second.size) < 2:
        raise ValueError("each sample needs two figures or more")
    difference = float(second.mean() - first.mean())
    variances = float(first.var(ddof=1)) / first.size, float(second.var(ddof=1)) / second.size
    total = sum(variances)
    parts = variances[0] ** 2 / (first.size - 1) + variances[1] ** 2 / (second.size - 1)
    # What sums leave of 0 has no scatter, and its square is 0 altogether.
    return difference, math.sqrt(total), total**2 / parts if parts > 0 else math.inf


def _paired(differences: Sequence[float], margin: float, confidence: float, *, spanning: bool) -> RunRatio:
    import numpy as np

    count = len(differences)
    centre, lo, hi = mean_interval(differences, confidence=confidence)
    if lo is None or hi is None:
        return RunRatio(ratio=math.exp(centre), blocks=(1, 1), pairing="blocks", reason=ONCE)
    if spanning:
        lo, hi = min(lo, *differences), max(hi, *differences)
    error = float(np.std(differences, ddof=1)) / math.sqrt(count)
    return _told(centre, lo, hi, margin, error=error, freedom=count - 1, blocks=(count, count), pairing="blocks")


def _placed(before: Blocks, after: Blocks, margin: float, confidence: float) -> RunRatio:
    """Exact counts of other blocks: at the placements that both runs have."""
    if not (before.sides and after.sides):
        return RunRatio(reason=PLACED_IN_ONE)
    at_sides = _by_side(before), _by_side(after)
    both = sorted(at_sides[0].keys() & at_sides[1].keys())
    if not both:
        return RunRatio(reason=NO_SIDE + _ANEW)
    first, second = ([by_side[side] for side in both] for by_side in at_sides)
    blocks = sum(map(len, first)), sum(map(len, second))
    level = all(len(logs) > 1 and max(logs) - min(logs) < _LEVEL for logs in (*first, *second))
    if not level:
        return _independent([*chain(*first)], [*chain(*second)], margin, confidence)
    centres = [sum(new) / len(new) - sum(old) / len(old) for old, new in zip(first, second, strict=True)]
    return _told(
        sum(centres) / len(centres),
        min(min(new) - max(old) for old, new in zip(first, second, strict=True)),
        max(max(new) - min(old) for old, new in zip(first, second, strict=True)),
        margin,
        error=0.0,
        freedom=math.inf,
        blocks=blocks,
        pairing="placements",
    )


def _by_side(run: Blocks) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for block, log in run.logs.items():
        if block in run.sides:
            found.setdefault(run.sides[block], []).append(log)
    return found


def _independent(before: Sequence[float], after: Sequence[float], margin: float, confidence: float) -> RunRatio:
    from scipy.special import stdtrit

    blocks = len(before), len(after)
    if min(blocks) < 2:
        ratio = math.exp(sum(after) / blocks[1] - sum(before) / blocks[0])
        return RunRatio(ratio=ratio, blocks=blocks, pairing="none", reason=ONCE)
    centre, error, freedom = welch(before, after)
    half = float(stdtrit(freedom, (1 + confidence) / 2)) * error
    return _told(
        centre, centre - half, centre + half, margin, error=error, freedom=freedom, blocks=blocks, pairing="none"
    )


def _told(
    centre: float,
    lo: float,
    hi: float,
    margin: float,
    *,
    error: float,
    freedom: float,
    blocks: tuple[int, int],
    pairing: Pairing,
) -> RunRatio:
    """``detectable`` is ``exp((t₀.₉₇₅ + t₀.₈) · error) - 1`` (Cohen 1988), as of paired launchers."""
    from scipy.special import stdtrit

    reach = float(stdtrit(freedom, (1 + CONFIDENCE) / 2) + stdtrit(freedom, _POWER))
    return RunRatio(
        ratio=math.exp(centre),
        lo=math.exp(lo),
        hi=math.exp(hi),
        p_value=_p_value(centre, error, freedom, margin),
        detectable=math.expm1(reach * error),
        blocks=blocks,
        pairing=pairing,
    )


def _p_value(centre: float, error: float, freedom: float, margin: float) -> float:
    """Of the hypothesis that the change lies within the margin: t-test against its nearer end, doubled for the choice
    of the side, as ``stats`` has it of paired launchers.
    """
    from scipy.special import stdtr

    beyond = centre - math.log1p(margin) if centre > 0 else math.log1p(-margin) - centre
    if error == 0:
        return 0.0 if beyond > 0 else 1.0
    return min(1.0, 2 * float(stdtr(freedom, -beyond / error)))
