"""Do the counters in the process and ``perf stat`` around it give the same instructions per iteration?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from profiler.analyze.rows import PER_ITERATION, inside, slopes
from profiler.catalogue.caveats import COUNTERS_DISAGREE, caveat
from profiler.model import Caveat

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE = 0.001
_EVENT = "instructions"


def disagreement(frame: pd.DataFrame) -> tuple[Caveat, ...]:
    """A caveat per launcher whose two readings differ by more than ``TOLERANCE``; perf stat is the one to trust.

    Both are slopes between the same two M; the median over the blocks that have both. Only where both counted.
    """
    own = inside(frame[frame["source"] == "hardware"], _EVENT)
    reference = slopes(frame[frame["source"] == "hardware"])
    if own.empty or _EVENT not in reference.index.get_level_values("event"):
        return ()
    around = reference[PER_ITERATION].xs(_EVENT, level="event")
    ratios = (own / around).dropna().groupby(level="launcher", observed=True).median()
    return tuple(
        caveat(
            COUNTERS_DISAGREE,
            f"{launcher}: instructions per iteration counted in the process are {ratio - 1:+.2%} off perf stat's "
            f"(over {TOLERANCE:.1%}); perf stat is trusted",
        )
        for launcher, ratio in ratios.items()
        if abs(ratio - 1) > TOLERANCE
    )
