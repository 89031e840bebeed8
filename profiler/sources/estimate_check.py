"""How far cycles that are estimated, CPU time times the timed core clock, lie from cycles that are counted."""

from __future__ import annotations

import statistics
import time

from profiler.errors import MachineError
from profiler.sources.own_counters import OwnCountersSource

_TRIES = 5
_LOOP = 20_000_000
"""Iterations of a loop of one cycle each: some ms, as a chunk of work takes."""
_CHAIN = 1_000_000
_EVENT = "cycles"
_HINT = "cycles and a core clock that can be timed are on x86-64 with a PMU"


def errors() -> tuple[float, ...]:
    """Estimated ÷ counted − 1, of several loops of known work in this process; in increasing order.

    Raises:
        MachineError: there are not both: no counters that count right, or no core clock that can be timed.
    """
    OwnCountersSource.probe()
    from profiler._counters import Region, clock_ghz, count_down

    region = Region([_EVENT])
    found = []
    try:
        for _ in range(_TRIES):
            ghz = clock_ghz(_CHAIN)
            began = time.process_time_ns()
            region.start()
            count_down(_LOOP)
            (cycles,), _, _ = region.stop()
            found.append((time.process_time_ns() - began) * ghz / cycles - 1 if cycles else float("inf"))
    except (OSError, NotImplementedError) as error:
        raise MachineError(f"estimated cycles cannot be checked: {error}", hint=_HINT) from error
    return tuple(sorted(found))


def told(found: tuple[float, ...]) -> str:
    """One sentence for people."""
    return (
        f"CPU time × timed core clock against counted cycles: {statistics.median(found):+.1%}, "
        f"{found[0]:+.1%} to {found[-1]:+.1%} over {len(found)} loops"
    )
