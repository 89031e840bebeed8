"""The hardware source where there is no perf: the counters that a process opens on itself, around chunks of its work.

It counts instructions and cycles and reads clocks, without the start-up and without whole processes, so it serves
the commands that can do with that (``ipc``). Everything else needs perf.
"""

from __future__ import annotations

from pathlib import Path

from profiler.catalogue.events import EVENTS
from profiler.errors import MachineError
from profiler.model import Chunks, Missing, Pass, SourceName, Workload
from profiler.sources.chunking import CLOCKS, COUNTED, chunk_pass
from profiler.sources.pmu import INSTRUCTIONS_PER_ITERATION, LONG, TOLERANCE
from profiler.sources.source import Outcome
from profiler.system import diagnose
from profiler.system.perf import INSTALL
from profiler.system.process import Command

_CANNOT = "a process cannot open counters on itself here"
_SHARED = "end other perf sessions and virtual machines that use the PMU, then try again"


def off_the_pmu(running_ns: int | None) -> str:
    """Why counters give no figure that were enabled and not running all the time; of those that never ran the kernel
    had opened the group and kept it waiting (``time_running`` in perf_event_open(2)).
    """
    how = "are not on the PMU all the time" if running_ns else "were opened and never came onto the PMU"
    return f"the counters of the process {how}"


def in_process() -> tuple[str, ...]:
    """The events that a process can count of itself here: instructions and cycles, or none.

    That the kernel opens them is not enough: it does so while others hold the PMU, and the counters then stand still.
    """
    try:
        OwnCountersSource.probe()
    except MachineError:
        return ()
    return COUNTED


class OwnCountersSource:
    """``perf_event_open`` from inside the interpreter under test."""

    name: SourceName = "hardware"

    def __init__(self) -> None:
        why = "perf is not installed, and the counters of the process itself are instructions and cycles"
        read = {*CLOCKS, *COUNTED}
        self.missing = tuple(Missing(event=event.name, reason=why) for event in EVENTS if event.name not in read)

    @classmethod
    def probe(cls) -> OwnCountersSource:
        """Count a loop of known length in this process.

        Raises:
            MachineError: the kernel gives no counters, or they are not on the PMU all the time, or count wrong.
        """
        try:
            from profiler._counters import Region, count_down

            region = Region(list(COUNTED))
            region.start()
            count_down(LONG)
            counts, enabled_ns, running_ns = region.stop()
        except OSError as error:
            trouble = diagnose.unopened(error.errno, diagnose.circumstances())
            raise MachineError(f"{_CANNOT}: {trouble.reason}", hint=trouble.remedy) from error
        except (ImportError, NotImplementedError) as error:
            raise MachineError(f"{_CANNOT}: {error}", hint=INSTALL) from error
        if running_ns != enabled_ns:
            raise MachineError(f"{off_the_pmu(running_ns)}: something else holds it", hint=_SHARED)
        found = counts[COUNTED.index("instructions")] / LONG
        if abs(found / INSTRUCTIONS_PER_ITERATION - 1) > TOLERANCE:
            raise MachineError(
                f"instructions are counted wrong: {found:.3f} per iteration of a loop that takes "
                f"{INSTRUCTIONS_PER_ITERATION}",
                hint=_SHARED,
            )
        return cls()

    def describe(self) -> str:
        """One sentence: which counters."""
        return (
            "hardware counters that each process opens on itself, without perf: instructions and cycles passed the "
            "self-test; the start-up is not in them"
        )

    def passes(self, workload: Workload) -> tuple[Chunks, ...]:
        """Chunks under counters are all there is."""
        return (chunk_pass(workload, COUNTED),)

    def chunk_passes(self, workload: Workload, metric: str | None) -> tuple[Chunks, ...]:
        """The same."""
        return self.passes(workload)

    def measure(self, pass_: Pass, command: Command, scratch: Path) -> Outcome:
        """Whole processes are not for this source.

        Raises:
            MachineError: always.
        """
        raise MachineError("without perf only launchers that do chunks of work can be counted", hint=INSTALL)
