"""The passes of a source that counts in an emulator and times bare runs: what is counted by which costs what."""

from __future__ import annotations

import msgspec

from profiler.model import REGIONS, AnyPass, Noun, Regions, Whole, Workload
from profiler.sources.chunking import chunk_pass, with_chunks
from profiler.sources.timed import TIMED_EVENTS

COUNTED = "counted"
VARIANTS = "variants"
TIMED = "timed"
_TIMED_REPETITIONS = 3
_PHASES = 3
"""Heap phases that one process goes through."""
_REGION_BLOCKS = 3
"""Counts hardly scatter between processes; as many hash seeds and environments show whether they do."""

_MODELLED_BLOCKS = 3
"""A model multiplies the time and its figures hardly scatter; later blocks count instructions only."""

_LESS_WORK = 10
"""The start-up takes as many instructions as the work that is counted: less work, of which only the level counts."""
_STARTUP_BLOCKS = 2

_BLOCKS_OF_VARIANTS = 4
"""Toggles and treatments answer yes or no: so many blocks show a process that sat on an allocator boundary."""

SETTLES_S = 10.0
"""What the work started and left behind ends soon after it, and writes its counts then."""


class EmulatedPasses(Noun, frozen=True, kw_only=True):
    """Of one emulator."""

    modelled: str
    """Name of the passes that have the model of caches and predictors as well."""
    modelled_events: tuple[str, ...]
    counted_events: tuple[str, ...]
    """Of the passes without it."""
    hurried_blocks: int
    """How many blocks have the model where the run is to end within a minute."""

    def passes(self, workload: Workload) -> tuple[Whole, ...]:
        """Counting passes, which may share the machine, and one timed pass, which may not."""
        assert workload.counts_m is not None
        assert workload.timed_m is not None
        modelled = Whole(
            name=self.modelled,
            events=self.modelled_events,
            m=workload.counts_m,
            exclusive=False,
            repetitions=1,
            blocks=(0, _MODELLED_BLOCKS),
            among="whole",
        )
        counted = msgspec.structs.replace(
            modelled, name=COUNTED, events=self.counted_events, blocks=(_MODELLED_BLOCKS, None)
        )
        return (
            modelled,
            counted,
            msgspec.structs.replace(counted, name=VARIANTS, blocks=(0, _BLOCKS_OF_VARIANTS), among="counted-only"),
            Whole(
                name=TIMED,
                events=TIMED_EVENTS,
                m=workload.timed_m,
                exclusive=True,
                repetitions=_TIMED_REPETITIONS,
                blocks=(0, None),
                among="whole",
            ),
        )

    def chunk_passes(self, workload: Workload, metric: str | None) -> tuple[AnyPass, ...]:
        """Regions in the first blocks (in all, where it is counts that are to be precise), and chunks for time.

        Without a metric the first blocks have the model as well, chunks are for time, and whole processes of little
        work give the start-up.
        """
        if metric is None:
            return self._quick(workload)
        assert workload.counts_m is not None
        counts = metric in self.modelled_events
        first, *others = self.counted_events
        regions = Regions(
            name=REGIONS,
            events=tuple(dict.fromkeys((first, metric if counts else first, *others))),
            m=workload.counts_m,
            phases=_PHASES,
            blocks=(0, None if counts else _REGION_BLOCKS),
        )
        return (regions,) if counts else (regions, chunk_pass(workload))

    def _quick(self, workload: Workload) -> tuple[AnyPass, ...]:
        """Counts first, of regions, which cost a part of what whole processes do; start-up last."""
        assert workload.counts_m is not None
        whole = {pass_.name: pass_ for pass_ in self.passes(workload)}
        modelled = Regions(
            name=self.modelled,
            events=self.modelled_events,
            m=workload.counts_m,
            phases=1,
            blocks=(0, self.hurried_blocks),
        )
        little = max(1, workload.counts_m[0] // _LESS_WORK)
        return (
            modelled,
            msgspec.structs.replace(
                modelled, name=REGIONS, events=self.counted_events, blocks=(self.hurried_blocks, None)
            ),
            *with_chunks((whole[TIMED],), workload),
            msgspec.structs.replace(whole[COUNTED], m=(little, 2 * little), blocks=(0, _STARTUP_BLOCKS)),
        )
