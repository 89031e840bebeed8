"""Intervals and verdicts. Arithmetic is numpy's and scipy's; the formulas' sources stand with them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from profiler.model import Interval, VerdictWord

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE = 0.95
_POWER = 0.80
_BOOTSTRAP_RESAMPLES = 4999
_BOOTSTRAP_FROM = 8
"""With fewer blocks the bootstrap distribution is too coarse to add to the t interval (Efron & Tibshirani 1993)."""


def log_ratio_interval(logs: Sequence[float], *, confidence: float = CONFIDENCE) -> Interval:
    """Interval of ``exp(mean)`` of paired log ratios, one per block.

    Student's t over blocks; from ``_BOOTSTRAP_FROM`` blocks on also the BCa bootstrap (Efron 1987), and the wider of
    both at each end, since t misjudges skew and BCa is too short in small samples. One block has no interval.

    Raises:
        ValueError: no blocks, or a figure that is not finite.
    """
    import numpy as np
    from scipy import stats

    values = np.asarray(logs, dtype=float)
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError("log ratios must be finite, at least one")
    centre = float(values.mean())
    if values.size == 1:
        return Interval(ratio=math.exp(centre), lo=None, hi=None)
    half = float(stats.t.ppf((1 + confidence) / 2, values.size - 1) * stats.sem(values))
    lo, hi = centre - half, centre + half
    if values.size >= _BOOTSTRAP_FROM and float(np.ptp(values)) > 0:
        found = stats.bootstrap(
            (values,),
            np.mean,
            confidence_level=confidence,
            n_resamples=_BOOTSTRAP_RESAMPLES,
            method="BCa",
            rng=np.random.default_rng(0),
        ).confidence_interval
        if math.isfinite(found.low) and math.isfinite(found.high):
            lo, hi = min(lo, float(found.low)), max(hi, float(found.high))
    return Interval(ratio=math.exp(centre), lo=math.exp(lo), hi=math.exp(hi))


def mean_interval(values: Sequence[float]) -> tuple[float, float | None, float | None]:
    """Mean and Student's t interval of figures, one per block; a single one has no interval.

    Raises:
        ValueError: no figures.
    """
    import numpy as np
    from scipy import stats

    if not values:
        raise ValueError("no figures")
    centre = float(np.mean(values))
    if len(values) == 1:
        return centre, None, None
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * stats.sem(values))
    return centre, centre - half, centre + half


def ratio_of_means(numerators: Sequence[float], denominators: Sequence[float]) -> Interval:
    """Fieller's interval for mean(numerators) / mean(denominators), paired by block.

    Used where single values may be zero or negative, so that logarithms do not exist. Fieller 1954; the quadratic is
    in Buonaccorsi, "Fieller's theorem", Encyclopedia of Environmetrics. Unbounded intervals come back as None bounds.
    """
    import numpy as np
    from scipy import stats

    top = np.asarray(numerators, dtype=float)
    bottom = np.asarray(denominators, dtype=float)
    mean_top, mean_bottom = float(top.mean()), float(bottom.mean())
    if mean_bottom == 0:
        return Interval(ratio=None, lo=None, hi=None)
    ratio = mean_top / mean_bottom
    if top.size < 2:
        return Interval(ratio=ratio, lo=None, hi=None)
    covariance = np.cov(top, bottom) / top.size
    t2 = float(stats.t.ppf((1 + CONFIDENCE) / 2, top.size - 1)) ** 2
    a = mean_bottom**2 - t2 * float(covariance[1, 1])
    b = mean_top * mean_bottom - t2 * float(covariance[0, 1])
    c = mean_top**2 - t2 * float(covariance[0, 0])
    if a <= 0:
        return Interval(ratio=ratio, lo=None, hi=None)
    root = math.sqrt(max(0.0, b * b - a * c))
    return Interval(ratio=ratio, lo=(b - root) / a, hi=(b + root) / a)


def smallest_detectable_effect(logs: Sequence[float]) -> float | None:
    """The relative difference that this many blocks of this scatter would show with 80 % power at 95 % confidence.

    ``exp((t_{0.975} + t_{0.8}) · s / √n) - 1`` (Cohen 1988, for paired samples).
    """
    import numpy as np
    from scipy import stats

    values = np.asarray(logs, dtype=float)
    if values.size < 2:
        return None
    freedom = values.size - 1
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom) + stats.t.ppf(_POWER, freedom))
    return math.expm1(reach * float(stats.sem(values)))


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
