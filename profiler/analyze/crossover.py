"""Start-up + M × cost per unit for each launcher, and from which M on the cheaper start no longer pays.

The model is fitted to lower quartiles, since what disturbs a run only ever adds to its time (Chen & Revels 2016,
"Robust benchmarking in noisy environments"), by least squares on relative residuals, since the scatter of a run time
is a constant part of it. Intervals come from a bootstrap over blocks (launchers of a block stay together), the
crossover's from Fieller's quadratic with that bootstrap's covariance, because a quotient of two uncertain differences
may have no bound.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from profiler.analyze.stats import CONFIDENCE, fieller
from profiler.model import Noun, Roles
from profiler.model.amortization import CrossoverStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Figures = NDArray[np.float64]

_RESAMPLES = 1999
_QUARTILE = 0.25
_EQUAL_STARTUP = 0.02
_EQUAL_UNIT = 0.01
"""Two launchers are equal if start-up and cost per unit differ by less than these parts, whole intervals counted."""


class Sample(Noun, frozen=True, kw_only=True):
    """The figures of one event over the sweep: lower quartiles and their resampled twins."""

    m: tuple[int, ...]
    launchers: tuple[str, ...]
    """The baseline is first."""
    blocks: int
    centre: Figures
    """(launcher, M): lower quartile over all runs; the baseline's A/A twin counts as the baseline."""
    resampled: Figures
    """(resample, launcher, M); empty with a single block."""


class Line(Noun, frozen=True, kw_only=True):
    """``startup + per_unit × M`` of one launcher, in the unit of its sample."""

    startup: float
    per_unit: float


class Crossing(Noun, frozen=True, kw_only=True):
    """The set of x > 0 where ``saving = tax × x`` cannot be rejected; None bounds are unbounded or unknown."""

    status: CrossoverStatus
    at: float | None
    lo: float | None
    hi: float | None


NOWHERE = Crossing(status="none", at=None, lo=None, hi=None)
ANYWHERE = Crossing(status="unbounded", at=None, lo=None, hi=None)


class Estimate(Noun, frozen=True, kw_only=True):
    """A figure with its interval; None bounds are unknown."""

    value: float
    lo: float | None
    hi: float | None


class BreakEven(Noun, frozen=True, kw_only=True):
    """One launcher against the baseline, in the unit of the sample."""

    launcher: str
    saving: Estimate
    """Of start-up, per launch."""
    tax: Estimate
    """On a unit of work, as a part of the baseline's cost of it."""
    equal: bool
    """Start-up and cost per unit are the baseline's, within the equivalence margins."""
    in_m: Crossing
    in_work: Crossing
    """In units of the baseline's own work, start-up not counted."""
    gain: Estimate | None
    """What is gained at the work per launch that was asked for."""


def sample(frame: pd.DataFrame, event: str, launchers: Sequence[str], roles: Roles, *, seed: int) -> Sample | None:
    """Lower quartiles of ``event`` per launcher and M with bootstrap twins; None where a launcher or an M is missing.

    ``frame`` holds the rows of the sweep alone. The baseline's second appearance is counted with the first.
    """
    import numpy as np

    chosen = frame[(frame["event"] == event) & frame["value"].notna()]
    chosen = chosen.assign(launcher=chosen["launcher"].astype(str).replace(roles.twin, roles.baseline))
    names = tuple(name for name in launchers if name != roles.twin)
    blocks, sweep = sorted(chosen["block"].unique()), tuple(sorted(int(m) for m in chosen["m"].unique()))
    runs: dict[tuple[int, str, int], list[float]] = {}
    for block, name, m, value in chosen[["block", "launcher", "m", "value"]].itertuples(index=False):
        if name in names:
            runs.setdefault((block, name, m), []).append(value)
    values = np.full((len(blocks), len(names), len(sweep), max(map(len, runs.values()), default=0)), math.nan)
    for (block, name, m), found in runs.items():
        values[blocks.index(block), names.index(name), sweep.index(m), : len(found)] = found
    if not len(sweep) >= 2 or bool(np.isnan(values).all(axis=(0, 3)).any()):
        return None
    complete = ~np.isnan(values).all(axis=3).any(axis=(1, 2))
    whole = values[complete]
    count = len(whole)
    resampled = np.empty((0, len(names), len(sweep)))
    if count >= 2:
        drawn = np.random.default_rng(seed).integers(count, size=(_RESAMPLES, count))
        resampled = least_disturbed(whole[drawn])
    return Sample(
        m=sweep,
        launchers=names,
        blocks=count,
        centre=least_disturbed(whole if count else values),
        resampled=resampled,
    )


def least_disturbed(values: Figures) -> Figures:
    """The lower quartile over blocks and runs, the first and last of the last four axes; missing runs are NaN.

    What ``numpy.nanquantile`` gives to the digit, which goes through the resamples one by one: 3 s instead of 0.1 s.
    """
    import numpy as np

    pooled = np.moveaxis(values, -1, -3)
    pooled = np.sort(pooled.reshape(*pooled.shape[:-4], -1, *pooled.shape[-2:]), axis=-3)
    place = _QUARTILE * ((~np.isnan(pooled)).sum(axis=-3, keepdims=True) - 1)
    below = np.floor(place).astype(int)
    low, high = (np.take_along_axis(pooled, index, axis=-3) for index in (below, np.ceil(place).astype(int)))
    found: Figures = (low + (place - below) * (high - low)).squeeze(-3)
    return found


def spread(figures: Figures) -> tuple[float | None, float | None]:
    """Percentile interval of resampled figures; None with nothing resampled."""
    import numpy as np

    if figures.size == 0:
        return None, None
    lo, hi = np.quantile(figures, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(lo), float(hi)


def fit(m: Sequence[int], costs: Figures) -> Figures:
    """``(startup, per_unit)`` along the last axis, for each row of ``costs``.

    Least squares on ``(model - cost) ÷ cost``: the closed form of the weighted normal equations with weights 1/cost².
    """
    import numpy as np

    x = np.asarray(m, dtype=float)
    w = 1 / costs**2
    s, sx, sxx = w.sum(-1), (w * x).sum(-1), (w * x * x).sum(-1)
    sy, sxy = (w * costs).sum(-1), (w * x * costs).sum(-1)
    determinant = s * sxx - sx * sx
    found: Figures = np.stack([(sxx * sy - sx * sxy) / determinant, (s * sxy - sx * sy) / determinant], axis=-1)
    return found


def lines(data: Sample) -> tuple[Line, ...]:
    """The model of every launcher, fitted to all points."""
    return tuple(Line(startup=float(row[0]), per_unit=float(row[1])) for row in fit(data.m, data.centre))


def left_out_errors(data: Sample) -> tuple[float | None, ...]:
    """Per launcher: fitted to every other point, the largest relative error at the points between; None under 3 points.

    The first and the last point are always among the fitted ones, since the model is not asked to extrapolate.
    """
    import numpy as np

    last = len(data.m) - 1
    part = [index for index in range(last + 1) if index % 2 == 0 or index == last]
    left_out = [index for index in range(last + 1) if index not in part]
    if not left_out:
        return tuple(None for _ in data.launchers)
    x = np.asarray(data.m, dtype=float)
    fitted = fit([data.m[index] for index in part], data.centre[:, part])
    predicted = fitted[:, :1] + fitted[:, 1:] * x[left_out]
    return tuple(float(error) for error in np.abs(predicted / data.centre[:, left_out] - 1).max(axis=1))


def break_even(data: Sample, index: int, work: float | None) -> BreakEven:
    """The launcher at ``index`` against the baseline; ``work`` is the user's work per launch in the sample's unit.

    A crossover before the first unit of work is none.
    """
    import numpy as np

    saving, tax, unit = _against_baseline(fit(data.m, data.centre), index)
    savings, taxes, units = _against_baseline(fit(data.m, data.resampled), index)
    equal = _is_equal(data, index)

    def crossing(slope: Figures, slopes: Figures, least: float) -> Crossing:
        if equal or data.blocks < 2:
            return NOWHERE if equal else ANYWHERE
        # The bootstrap's variance is that of n blocks taken for all there are (Efron & Tibshirani 1993, 5.3).
        covariance = data.blocks / (data.blocks - 1) * np.cov(savings, slopes)
        return crossing_of(float(saving), float(slope), covariance, freedom=data.blocks - 1, least=least)

    return BreakEven(
        launcher=data.launchers[index],
        saving=_estimate(saving, savings),
        tax=_estimate(tax, taxes),
        equal=equal,
        in_m=crossing(tax * unit, taxes * units, 1.0),
        in_work=crossing(tax, taxes, float(unit)),
        gain=None if work is None else _estimate(saving - tax * work, savings - taxes * work),
    )


def _estimate(value: Figures, resampled: Figures) -> Estimate:
    lo, hi = spread(resampled)
    return Estimate(value=float(value), lo=lo, hi=hi)


def _against_baseline(fitted: Figures, index: int) -> tuple[Figures, Figures, Figures]:
    """Saving at the start, relative tax per unit, and the baseline's cost per unit."""
    base, other = fitted[..., 0, :], fitted[..., index, :]
    return base[..., 0] - other[..., 0], other[..., 1] / base[..., 1] - 1, base[..., 1]


def _is_equal(data: Sample, index: int) -> bool:
    fitted = fit(data.m, data.resampled)
    ratios = fitted[:, index, :] / fitted[:, 0, :]
    bounds = (spread(ratios[:, 0]), spread(ratios[:, 1]))
    return all(
        lo is not None and hi is not None and lo >= 1 - margin and hi <= 1 + margin
        for (lo, hi), margin in zip(bounds, (_EQUAL_STARTUP, _EQUAL_UNIT), strict=True)
    )


def crossing_of(saving: float, tax: float, covariance: Figures, *, freedom: int, least: float) -> Crossing:
    """All x ≥ ``least`` that ``fieller`` does not reject as ``saving ÷ tax``, and what kind of set they are.

    ``found``: bounded on both sides. ``none``: empty. ``unbounded``: everything else; a bound that exists is given, a
    point estimate is not.
    """
    bounded, roots = fieller(saving, tax, covariance, freedom=freedom)
    if roots is None:
        return ANYWHERE
    lo, hi = roots
    if bounded:
        if hi < least:
            return NOWHERE
        if lo < least:
            return Crossing(status="unbounded", at=None, lo=None, hi=hi)
        return Crossing(status="found", at=saving / tax, lo=lo, hi=hi)
    # The set is everything but an open interval: what lies right of it is what remains, if it ends there.
    return Crossing(status="unbounded", at=None, lo=hi if lo < least < hi else None, hi=None)
