"""The software source: times and kernel counts of bare runs, on any machine; it counts no instructions."""

from __future__ import annotations

from pathlib import Path

from profiler.catalogue.events import EVENTS
from profiler.model import AnyPass, Missing, Pass, SourceName, Whole, Workload
from profiler.sources.chunking import chunk_pass, with_chunks
from profiler.sources.source import Outcome
from profiler.sources.timed import TIMED_EVENTS, timed
from profiler.system.process import Command

_REPETITIONS = 3


class SoftwareSource:
    """Clock and ``wait4`` alone."""

    name: SourceName = "software"

    def __init__(self) -> None:
        self.missing = tuple(
            Missing(event=event.name, reason="the software source has clock and rusage only")
            for event in EVENTS
            if not event.rusage and not event.inside
        )

    def describe(self) -> str:
        """One sentence on what this source is."""
        return "software: times, page faults and context switches of bare runs; no instructions and no cycles"

    def passes(self, workload: Workload) -> tuple[Whole, ...]:
        """One timed pass."""
        assert workload.timed_m is not None
        return (
            Whole(
                name="timed",
                events=TIMED_EVENTS,
                m=workload.timed_m,
                exclusive=True,
                repetitions=_REPETITIONS,
                blocks=(0, None),
            ),
        )

    def chunk_passes(self, workload: Workload, metric: str | None) -> tuple[AnyPass, ...]:
        """Chunks for times without the start-up; without a metric whole processes too, for the start-up."""
        return with_chunks(self.passes(workload), workload) if metric is None else (chunk_pass(workload),)

    def measure(self, pass_: Pass, command: Command, scratch: Path) -> Outcome:
        """Run one process bare.

        Raises:
            OSError: the program could not be started.
        """
        return timed(command)
