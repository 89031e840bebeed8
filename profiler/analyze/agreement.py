"""Do the counters in the process and ``perf stat`` around it give the same instructions per iteration?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from profiler.analyze.rows import PER_ITERATION, inside, slopes
from profiler.analyze.stats import mean_interval
from profiler.catalogue.caveats import COUNTERS_DISAGREE, caveat
from profiler.model import Caveat

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE = 0.001
_EVENT = "instructions"


def disagreement(frame: pd.DataFrame) -> tuple[Caveat, ...]:
    """A caveat per launcher whose two readings differ by more than ``TOLERANCE``; perf stat is the one to trust.

    Both are slopes between the same two M, paired by block. Where there are several blocks, the interval of their mean
    must lie beyond the tolerance: with little work what starting a process scatters by is more than that. Only where
    both counted.
    """
    own = inside(frame[frame["source"] == "hardware"], _EVENT)
    reference = slopes(frame[frame["source"] == "hardware"])
    if own.empty or _EVENT not in reference.index.get_level_values("event"):
        return ()
    around = reference[PER_ITERATION].xs(_EVENT, level="event")
    off = ((own / around).dropna() - 1).groupby(level="launcher", observed=True)
    return tuple(
        caveat(
            COUNTERS_DISAGREE,
            f"{launcher}: instructions per iteration counted in the process are {figures.median():+.2%} off "
            f"perf stat's (over {TOLERANCE:.1%}); perf stat is trusted",
        )
        for launcher, figures in off
        if _beyond(figures.tolist())
    )


def _beyond(off: list[float]) -> bool:
    """Relative differences, one per block: are they larger than the tolerance, either way?"""
    mean, lo, hi = mean_interval(off)
    return (mean if lo is None else lo) > TOLERANCE or (mean if hi is None else hi) < -TOLERANCE
