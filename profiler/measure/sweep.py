"""The passes of ``amortize``: whole processes over many M, timed bare, and counted where counting is cheap."""

from __future__ import annotations

import msgspec

from profiler.measure.timed import TIMED_EVENTS
from profiler.model import AGAIN, Launcher, Pass, Workload

_MOST_M = 1_000_000
"""The last M of the PoC's sweep."""
_LONGEST_WORK = 10
"""The last M takes at most this many times the work of the long timed runs, some second in all."""
_COUNTED_WORK = 4
"""Counting goes up to this many times the work of the counting passes, of which it is the slow part."""

_WARMUPS = 2
_SHORT_RUNS = 3
"""Runs of a launcher per block where start-up is most of a run; longer ones average over bursts by themselves."""
_COUNTED_BLOCKS = 2

SWEEP = "sweep"
COUNTED = "sweep-counted"


def sweep_m(workload: Workload, asked: tuple[int, ...] | None) -> tuple[int, ...]:
    """The M of the sweep, ascending: those asked for, or decades from 1 to 10⁶ as far as the work allows."""
    if asked is not None:
        return tuple(sorted(set(asked)))
    assert workload.timed_m is not None
    top = min(_MOST_M, max(100, _LONGEST_WORK * workload.timed_m[1]))
    return tuple(10**exponent for exponent in range(len(str(top))))


def sweep_passes(
    workload: Workload, m: tuple[int, ...], offered: tuple[Pass, ...], launchers: tuple[Launcher, ...]
) -> tuple[Pass, ...]:
    """A timed pass over all of ``m``, and one that counts instructions, if ``offered`` (the source's) has any."""
    assert workload.timed_m is not None
    assert workload.counts_m is not None
    timed = Pass(
        name=SWEEP,
        events=TIMED_EVENTS,
        m=m,
        exclusive=True,
        repetitions=_SHORT_RUNS,
        blocks=(0, None),
        once_from=max(workload.timed_m[0], m[0] + 1),
        warmups=_WARMUPS,
        native=True,
        bare=True,
    )
    counting = [what for what in offered if "instructions" in what.events]
    cheap = [one for one in m if one <= _COUNTED_WORK * workload.counts_m[1]]
    if not counting or len(cheap) < 2:
        return (timed,)
    fewest = min(counting, key=lambda what: len(what.events))
    counted = msgspec.structs.replace(
        fewest,
        name=COUNTED,
        m=(*dict.fromkeys((cheap[0], cheap[-2], cheap[-1])),),
        repetitions=1,
        blocks=(0, _COUNTED_BLOCKS),
        native=True,
        launchers=tuple(one.name for one in launchers if one.name != AGAIN),
    )
    return timed, counted
