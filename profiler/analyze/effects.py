"""Effects as shares of a tax: log ratios or differences per block, divided by those of the tax, with an interval."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING

from profiler.analyze.compare import Costs, paired
from profiler.analyze.stats import log_ratio_interval, ratio_of_means
from profiler.model import Interval, Noun

if TYPE_CHECKING:
    import pandas as pd


class Share(Noun, frozen=True, kw_only=True):
    """An effect as a part of a tax; None bounds are unbounded or unknown."""

    share: float | None
    lo: float | None
    hi: float | None
    blocks: int


UNKNOWN = Share(share=None, lo=None, hi=None, blocks=0)


def logs(costs: Costs, baseline: str, launcher: str, metric: str, *, beside: Collection[str] = ()) -> pd.Series:
    """Log ratio of ``launcher`` to ``baseline`` per block; empty where it cannot be formed in every block.

    ``beside``: the metrics whose logarithms it is added to, as of ``paired``.
    """
    import numpy as np
    import pandas as pd

    both = paired(costs, baseline, launcher, metric, beside=beside)
    if both.empty or not (both > 0).all(axis=None):
        return pd.Series(dtype=float)
    return pd.Series(np.log(both["other"] / both["base"]), index=both.index)


def differences(costs: Costs, baseline: str, launcher: str, metric: str) -> pd.Series:
    """Cost per iteration of ``launcher`` less that of ``baseline``, per block."""
    both = paired(costs, baseline, launcher, metric)
    return both["other"] - both["base"]


def ratio(effect: pd.Series) -> Interval:
    """The ratio that per-block logs stand for."""
    return log_ratio_interval(effect.tolist()) if len(effect) else Interval(ratio=None, lo=None, hi=None)


def share_of(effect: pd.Series, tax: pd.Series) -> Share:
    """``effect ÷ tax``, both logs or both differences per block: Fieller's interval on the blocks that have both."""
    common = effect.index.intersection(tax.index)
    if common.empty or math.isclose(float(tax[common].mean()), 0.0, abs_tol=1e-9):
        return UNKNOWN
    interval = ratio_of_means(effect[common].tolist(), tax[common].tolist())
    return Share(share=interval.ratio, lo=interval.lo, hi=interval.hi, blocks=len(common))


def is_clear(tax: pd.Series, margin: float) -> bool:
    """The whole interval of the ratio lies beyond the equivalence margin: there is a tax (or a gain) to explain."""
    found = ratio(tax)
    if found.lo is None or found.hi is None:
        return False
    return found.lo > 1 + margin or found.hi < 1 - margin
