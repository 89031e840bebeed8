"""Intervals and verdicts. Arithmetic is numpy's and scipy's; the formulas' sources stand with them."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

from profiler.model import Interval, VerdictWord

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CONFIDENCE = 0.95
SEQUENTIAL_LEVEL = 0.957
"""The level at which intervals of a run that stops by their width are computed, so that they cover ``CONFIDENCE``.

Stopping at the first narrow interval favours samples that scatter too little, and coverage falls below the level by up
to 2 % (Chow & Robbins 1965; Starr 1966). With ``LEAST_SEQUENTIAL_BLOCKS`` this level brings it back to about 95 %
for any width; ``tests/unit/test_coverage.py`` shows it by simulation.
"""
LEAST_SEQUENTIAL_BLOCKS = 8
FAMILY_ERROR = 0.01
"""How often at most two launchers that do not differ are called slower or faster in any of their metrics."""
_POWER = 0.80
WIDEST = 2.0
"""Upper over lower bound of a ratio's interval; a wider one decides nothing."""
_MOST_BLOCKS = 200
"""Who would need more is better off with more work per run."""
_BOOTSTRAP_RESAMPLES = 1999
_BOOTSTRAP_FROM = 8
"""With fewer blocks the bootstrap distribution is too coarse to add to the t interval (Efron & Tibshirani 1993)."""
_BOOTSTRAP_TO = 1000
"""With more blocks BCa hardly differs: its bias and acceleration are about ``skewness / 6 √n``, 0.01 for exponential
figures, and move a bound by 3 % of its distance."""
_BATCH = 200


def log_ratio_interval(logs: Sequence[float], *, confidence: float = CONFIDENCE) -> Interval:
    """Interval of ``exp(mean)`` of paired log ratios, one per block; one block has no interval.

    Raises:
        ValueError: no blocks, or a figure that is not finite.
    """
    centre, lo, hi = mean_interval(logs, confidence=confidence)
    return Interval(
        ratio=math.exp(centre), lo=None if lo is None else math.exp(lo), hi=None if hi is None else math.exp(hi)
    )


def spanning(interval: Interval, logs: Sequence[float], *, all_seen: bool) -> Interval:
    """``interval`` widened until it holds ``exp`` of every figure: for counts, which blocks change by more than chance.

    A process has one placement, hash seed and phase, and not their mean; exact counts show which levels there are. With
    ``all_seen`` there are no others, so the bounds are the lowest and the highest, and the mean lies between them.
    """
    if interval.lo is None or interval.hi is None:
        return interval
    lowest, highest = math.exp(min(logs)), math.exp(max(logs))
    if all_seen:
        return Interval(ratio=interval.ratio, lo=lowest, hi=highest)
    return Interval(ratio=interval.ratio, lo=min(interval.lo, lowest), hi=max(interval.hi, highest))


def mean_interval(
    figures: Sequence[float], *, confidence: float = CONFIDENCE
) -> tuple[float, float | None, float | None]:
    """Mean and interval of figures, one per block; see ``mean_intervals``. A single figure has no interval.

    Raises:
        ValueError: no figures, or one that is not finite.
    """
    import numpy as np

    values = np.asarray(figures, dtype=float)
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError("figures must be finite, at least one")
    centre = float(values.mean())
    if values.size == 1:
        return centre, None, None
    lo, hi = mean_intervals(values[np.newaxis], confidence=confidence)
    return centre, float(lo[0]), float(hi[0])


def mean_intervals(samples: Floats, *, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """Bounds of the mean of each row of ``samples``, shape (experiments, blocks); at least two blocks.

    Student's t over blocks; from ``_BOOTSTRAP_FROM`` to ``_BOOTSTRAP_TO`` also the BCa bootstrap (Efron 1987), and the
    wider of both at each end, since t misjudges skew and BCa is too short in small samples. The bootstrap is clustered:
    whole blocks are drawn, with all processes and chunks nested in them (Field & Welsh 2007, "random cluster").
    """
    import numpy as np

    centre = samples.mean(axis=-1)
    half = t_half_width(samples, confidence=confidence)
    lo, hi = centre - half, centre + half
    scattered = np.ptp(samples, axis=-1) > 0
    if _BOOTSTRAP_FROM <= samples.shape[-1] <= _BOOTSTRAP_TO and scattered.any():
        # Takes a second to load, so here and not where figures of few blocks would wait for it too.
        from scipy.stats import bootstrap

        found = bootstrap(
            (samples[scattered],),
            np.mean,
            axis=-1,
            confidence_level=confidence,
            n_resamples=_BOOTSTRAP_RESAMPLES,
            batch=_BATCH,
            method="BCa",
            rng=np.random.default_rng(0),
        ).confidence_interval
        # Where BCa does not exist it is NaN, which fmin and fmax pass over.
        lo[scattered] = np.fmin(lo[scattered], found.low)
        hi[scattered] = np.fmax(hi[scattered], found.high)
    return lo, hi


def t_half_width(samples: Floats, *, confidence: float) -> Floats:
    """Half the width of Student's t interval of the mean of each row of ``samples``, shape (experiments, blocks)."""
    from scipy.special import stdtrit

    half: Floats = stdtrit(samples.shape[-1] - 1, (1 + confidence) / 2) * standard_error(samples)
    return half


def standard_error(samples: Floats) -> Floats:
    """Of the mean of each row of ``samples``, shape (…, blocks)."""
    error: Floats = samples.std(axis=-1, ddof=1) / math.sqrt(samples.shape[-1])
    return error


def ratio_of_means(
    numerators: Sequence[float], denominators: Sequence[float], *, confidence: float = CONFIDENCE
) -> Interval:
    """Fieller's interval for mean(numerators) / mean(denominators), paired by block.

    Used where single values may be zero or negative, so that logarithms do not exist. Unbounded intervals come back as
    None bounds.
    """
    import numpy as np

    top = np.asarray(numerators, dtype=float)
    bottom = np.asarray(denominators, dtype=float)
    mean_top, mean_bottom = float(top.mean()), float(bottom.mean())
    if mean_bottom == 0:
        return Interval(ratio=None, lo=None, hi=None)
    ratio = mean_top / mean_bottom
    if top.size < 2:
        return Interval(ratio=ratio, lo=None, hi=None)
    covariance = np.cov(top, bottom) / top.size
    bounded, roots = fieller(mean_top, mean_bottom, covariance, freedom=top.size - 1, confidence=confidence)
    lo, hi = roots if bounded and roots is not None else (None, None)
    return Interval(ratio=ratio, lo=lo, hi=hi)


def fieller(
    top: float, bottom: float, covariance: Floats, *, freedom: int, confidence: float = CONFIDENCE
) -> tuple[bool, tuple[float, float] | None]:
    """All x with ``|top - bottom·x| ≤ t·√Var(top - bottom·x)``: the quotients that cannot be rejected (Fieller 1954).

    True and an interval; or False and the open interval that is left out of the line, None where nothing is. The
    quadratic is in Buonaccorsi, "Fieller's theorem", Encyclopedia of Environmetrics.
    """
    from scipy.special import stdtrit

    t2 = float(stdtrit(freedom, (1 + confidence) / 2)) ** 2
    a = bottom**2 - t2 * float(covariance[1, 1])
    b = top * bottom - t2 * float(covariance[0, 1])
    c = top**2 - t2 * float(covariance[0, 0])
    root2 = b * b - a * c
    if a == 0 or (a < 0 and root2 < 0):
        return False, None
    root = math.sqrt(max(0.0, root2))
    lo, hi = sorted(((b - root) / a, (b + root) / a))
    return a > 0, (lo, hi)


def too_wide(lo: float, hi: float) -> bool:
    """Whether an interval of a ratio spans more than a factor of two: it then decides nothing of use."""
    return lo <= 0 or hi > WIDEST * lo


def blocks_needed(detectable_effect: float, blocks: int, wanted: float) -> int | None:
    """How many blocks of the same scatter would show a relative difference of ``wanted`` with 80 % power.

    Inverts ``smallest_detectable_effect``, whose value for ``blocks`` blocks is ``detectable_effect``. None: more than
    ``_MOST_BLOCKS``, or nothing can be said.
    """
    if blocks < 2 or not math.isfinite(detectable_effect):
        return None
    scatter = math.log1p(detectable_effect) / _reach(blocks)
    return next((n for n in range(2, _MOST_BLOCKS + 1) if scatter * _reach(n) <= math.log1p(wanted)), None)


@cache
def _reach(blocks: int) -> float:
    """Smallest effect that so many blocks show, in standard deviations of a block."""
    from scipy.special import stdtrit

    return float(stdtrit(blocks - 1, (1 + CONFIDENCE) / 2) + stdtrit(blocks - 1, _POWER)) / math.sqrt(blocks)


def smallest_detectable_effect(logs: Sequence[float]) -> float | None:
    """The relative difference that this many blocks of this scatter would show with 80 % power at 95 % confidence.

    ``exp((t_{0.975} + t_{0.8}) · s / √n) - 1`` (Cohen 1988, for paired samples).
    """
    import numpy as np
    from scipy.special import stdtrit

    values = np.asarray(logs, dtype=float)
    if values.size < 2:
        return None
    freedom = values.size - 1
    reach = float(stdtrit(freedom, (1 + CONFIDENCE) / 2) + stdtrit(freedom, _POWER))
    return math.expm1(reach * float(standard_error(values)))


def verdict(interval: Interval, *, margin: float, better: str) -> VerdictWord:
    """Four values: the whole interval must clear the equivalence margin, or lie inside it; else it is unresolved.

    ``better`` is "lower" or "higher". Two one-sided tests (Schuirmann 1987) on the ratio scale.
    """
    lo, hi = interval.lo, interval.hi
    if lo is None or hi is None:
        return "unresolved"
    if lo >= 1 - margin and hi <= 1 + margin:
        return "same"
    if lo > 1 + margin:
        return "slower" if better == "lower" else "faster"
    if hi < 1 - margin:
        return "faster" if better == "lower" else "slower"
    return "unresolved"


def p_value_of_difference(other: Sequence[float], base: Sequence[float], *, margin: float) -> float | None:
    """p-value of the hypothesis that mean(other) / mean(base) lies within ``1 ± margin``; None for a single block.

    t-test of the contrast ``other - (1 ± margin) * base`` on the side of the observed ratio, paired by block; doubled
    for the choice of the side. It is the test that Fieller's interval inverts, so it holds for figures of any sign.
    """
    import numpy as np
    from scipy.special import stdtr

    top, bottom = np.asarray(other, dtype=float), np.asarray(base, dtype=float)
    if top.size < 2 or bottom.mean() <= 0:
        return None
    above = top.mean() > bottom.mean()
    contrast = top - (1 + margin) * bottom if above else (1 - margin) * bottom - top
    error = float(standard_error(contrast))
    if error == 0:
        return 0.0 if contrast.mean() > 0 else 1.0
    return min(1.0, 2 * float(stdtr(top.size - 1, -contrast.mean() / error)))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values of one family (Holm 1979): rejecting those up to a level errs no more often.

    Holds under any dependence between the metrics. None (not tested) stays None and does not count.
    """
    ordered = sorted((p_value, place) for place, p_value in enumerate(p_values) if p_value is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    least = 0.0
    for rank, (p_value, place) in enumerate(ordered):
        least = min(1.0, max(least, (len(ordered) - rank) * p_value))
        adjusted[place] = least
    return adjusted
