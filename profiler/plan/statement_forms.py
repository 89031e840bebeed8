"""The pass of single statements: each form of the loop at both M, in every heap phase."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from profiler.catalogue.statement_list import FORM
from profiler.model import REGIONS, AnyPass, Regions, Whole, Workload

PHASES = 3
"""Heap phases of a process."""
LEAST_DIFFERENCE = 200
"""Between both M: what happens once, such as an opcode that specialises late, is then a small part."""


def forms(workload: Workload, iterations: Iterable[int]) -> tuple[int, ...]:
    """The M of all forms of ``workloads/statements.py``, ascending."""
    both = tuple(iterations)
    statements = len(workload.arguments) - 2
    return tuple(form * FORM + m for form in range(1 + 2 * statements) for m in both)


def statement_pass(workload: Workload, offered: Iterable[AnyPass], *, regions: bool) -> AnyPass:
    """Every form in one process where a source counts ``regions``; else whole processes, by the one of the ``offered``
    passes that counts instructions, or the first. ``workload`` is calibrated (no None).
    """
    assert workload.counts_m is not None
    assert workload.timed_m is not None
    known = [pass_ for pass_ in offered if isinstance(pass_, Whole)]
    counting = [pass_ for pass_ in known if "instructions" in pass_.events]
    if regions:
        return Regions(
            name=REGIONS,
            # As a pass of the source has them, so that the run can be resumed: its cheapest one.
            events=min((pass_.events for pass_ in counting), key=len),
            m=forms(workload, workload.counts_m),
            phases=PHASES,
            blocks=(0, None),
        )
    own = (counting or known)[0]
    m = workload.timed_m if own.exclusive else workload.counts_m
    return msgspec.structs.replace(own, m=forms(workload, m), repetitions=1, blocks=(0, None), among="all")
