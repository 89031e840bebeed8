"""Choose the two M of a user's workload from a few bare runs of the baseline."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from profiler.errors import WorkloadError
from profiler.model import Workload

_TIMED_WORK_NS = 120e6
"""Enough to stand out of a start-up of some 20 ms and its scatter."""
_COUNTED_WORK_NS = 8e6
"""Counting is exact, so little work is enough; it runs some 50 times slower."""
_LO_OF_TIMED = 6
_MOST_M = 10**9
_GROWTH = 4
_FAST_GROWTH = 16
_VISIBLE_PART = 0.25
"""Of the start-up: runs that take long before they begin to work scatter by more than little work takes."""

CpuTime = Callable[[int], int]
"""CPU time in ns of one bare run of the baseline at M."""


def calibrate(workload: Workload, cpu_time: CpuTime) -> Workload:
    """Fill in the M that ``workload`` leaves open.

    M grows until the run takes clearly longer than at M = 1; the cost per unit then gives both ranges.

    Raises:
        WorkloadError: the run time does not depend on M.
    """
    if workload.counts_m is not None and workload.timed_m is not None:
        return workload
    startup = _startup(cpu_time)
    m = 1
    work = 0
    while work < _visible(startup):
        if m >= _MOST_M:
            raise does_not_grow(workload)
        m *= _GROWTH
        work = _work(cpu_time, m, startup)
    unit = work / m
    return msgspec.structs.replace(
        workload,
        counts_m=workload.counts_m or _range(_COUNTED_WORK_NS / unit, 1.6),
        timed_m=workload.timed_m or _range(_TIMED_WORK_NS / unit, _LO_OF_TIMED),
    )


def grows(cpu_time: CpuTime, m: int) -> bool:
    """Does the work become visible beside the start-up at ``m`` or any M above? Some eight runs where it never does."""
    startup = _startup(cpu_time)
    while _work(cpu_time, m, startup) < _visible(startup):
        if m >= _MOST_M:
            return False
        m *= _FAST_GROWTH
    return True


def does_not_grow(workload: Workload) -> WorkloadError:
    """What is said of a workload that does the same whatever M is: its cost per unit would be noise over nothing."""
    return WorkloadError(
        f"the work of {workload.name} does not grow with M (tried up to M = {_MOST_M:.0e})",
        hint="a workload repeats its work as often as sys.argv[1] says, or the environment variable TAX_PROBE_M",
    )


def _startup(cpu_time: CpuTime) -> int:
    return min(cpu_time(1) for _ in range(3))


def _visible(startup_ns: int) -> float:
    return max(_TIMED_WORK_NS / 4, startup_ns * _VISIBLE_PART)


def _work(cpu_time: CpuTime, m: int, startup_ns: int) -> int:
    """CPU time of the work in ns; what looks like much is measured again: one run may have been disturbed."""
    work = cpu_time(m) - startup_ns
    return min(work, cpu_time(m) - startup_ns) if work >= _visible(startup_ns) else work


def _range(highest: float, ratio: float) -> tuple[int, int]:
    hi = max(2, _two_digits(highest))
    return max(1, min(hi - 1, _two_digits(hi / ratio))), hi


def _two_digits(figure: float) -> int:
    """Round down to two digits, so that small differences in timing choose the same M."""
    whole = max(1, int(figure))
    scale: int = 10 ** max(0, len(str(whole)) - 2)
    return whole // scale * scale
