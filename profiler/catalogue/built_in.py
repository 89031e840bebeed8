"""The workloads that come with tax-probe, each written once: a name, and how many iterations show its cost."""

from __future__ import annotations

from profiler.model import Noun


class BuiltIn(Noun, frozen=True, kw_only=True):
    """A script of the package's folder ``workloads``, called ``NAME.py``."""

    name: str
    counts_m: tuple[int, int]
    """The two M of exact (slow) counting, ascending."""
    timed_m: tuple[int, int]
    """The two M of runs at native speed, ascending."""


# Ranges of M in which the cost per iteration does not change kind: int_loop's squares need a second digit (30 bits)
# from i = 32 768 on, and its sum a third one from about M = 1.5 million on.
BUILT_IN = (
    BuiltIn(name="int_loop", counts_m=(35_000, 50_000), timed_m=(200_000, 1_200_000)),
    BuiltIn(name="int_loop_global", counts_m=(35_000, 50_000), timed_m=(200_000, 1_000_000)),
    BuiltIn(name="dynamic", counts_m=(3_000, 6_000), timed_m=(20_000, 150_000)),
    BuiltIn(name="dynamic_global", counts_m=(3_000, 6_000), timed_m=(20_000, 150_000)),
    BuiltIn(name="samples", counts_m=(1, 2), timed_m=(4, 16)),
)
NAMES = tuple(workload.name for workload in BUILT_IN)
