"""The pass of a drill-down: regions in which every machine instruction is counted."""

from __future__ import annotations

from profiler.catalogue.events import BY_FUNCTION
from profiler.model import Regions, Workload

ADDRESSES = "addresses"


def address_pass(workload: Workload) -> Regions:
    """One heap phase a process, so that each block's figures are those of one, and sums over blocks stay sums.
    ``workload`` is calibrated (no None).
    """
    assert workload.counts_m is not None
    return Regions(
        name=ADDRESSES,
        events=("instructions", *BY_FUNCTION),
        m=workload.counts_m,
        phases=1,
        by_address=True,
        blocks=(0, None),
    )
