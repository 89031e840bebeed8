"""The pass in which launchers take turns: which events its chunks can read, and when a run has one."""

from __future__ import annotations

import msgspec

from profiler.model import CHUNKS, AnyPass, Chunks, Whole, Workload

CLOCKS = ("wall", "task-clock")
COUNTED = ("instructions", "cycles")
_TURNS = 16
"""In the first blocks, before the scatter is known; even, so that every order comes as often as its reverse."""


def chunk_pass(workload: Workload, counted: tuple[str, ...] = ()) -> Chunks:
    """Chunks of the lower M of timed runs, some 10 ms of work; ``counted``: events of the process's own counters."""
    assert workload.timed_m is not None
    return Chunks(
        name=CHUNKS,
        events=(*CLOCKS, *counted),
        m=workload.timed_m,
        turns=_TURNS,
        blocks=(0, None),
    )


def with_chunks(passes: tuple[Whole, ...], workload: Workload) -> tuple[AnyPass, ...]:
    """Chunks beside bare timed runs of whole processes, which are then for the start-up alone: one repetition each."""
    once = (msgspec.structs.replace(pass_, repetitions=1) if pass_.exclusive else pass_ for pass_ in passes)
    return (*once, chunk_pass(workload))
