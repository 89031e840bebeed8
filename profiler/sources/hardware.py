"""The hardware source: ``perf stat`` on a PMU that has passed its self-test, one perf process per run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from profiler.catalogue.events import BY_NAME
from profiler.errors import MachineError
from profiler.model import AnyPass, Missing, Pass, Reading, SourceName, Whole, Workload
from profiler.sources.chunking import CLOCKS, chunk_pass
from profiler.sources.own_counters import in_process
from profiler.sources.perf_events import Available, arrange, find_available, this_cpu
from profiler.sources.perf_output import NOT_SUPPORTED, Asked
from profiler.sources.perf_stat import stat
from profiler.sources.pmu import Count, PmuSelfTest, program, self_test
from profiler.sources.source import Outcome, outcome_of
from profiler.system import diagnose
from profiler.system.own_folder import own_folder
from profiler.system.perf import Perf, find_perf
from profiler.system.process import Command

WALL = "wall"
_LEAST_SLOTS = 2
_REFERENCE_BLOCKS = 3
_REQUIRED = tuple(
    Asked(event=name, spec=BY_NAME[name].perf[0].spec, unit=BY_NAME[name].unit)
    for name in ("instructions", "cycles", "task-clock")
)
_DERIVED = Missing(event="clock", reason="not estimated: cycles and CPU time are both counted")


class HardwareSource:
    """Counts with ``perf stat``. Never multiplexed: as many passes as the counters that are free require."""

    name: SourceName = "hardware"

    def __init__(
        self, perf: Perf, test: PmuSelfTest, passes: tuple[tuple[Asked, ...], ...], missing: tuple[Missing, ...]
    ) -> None:
        self.self_test = test
        self.perf = perf
        self.missing = missing
        self._asked = {asked.event: asked for pass_ in passes for asked in pass_}
        self._passes = {
            f"hardware-{number}": tuple(asked.event for asked in pass_) for number, pass_ in enumerate(passes, start=1)
        }

    @classmethod
    def probe(cls) -> HardwareSource:
        """Find perf, test the PMU, try every event; takes about two seconds and 40 short processes.

        Raises:
            MachineError: instructions and cycles cannot both be counted here; with the reason and the remedy.
        """
        perf = find_perf()
        with own_folder() as scratch:
            count = _counter(perf, scratch)
            _require_counting(count)
            test = self_test(count)
            if test.slots + test.cycles_beside < _LEAST_SLOTS:
                raise MachineError(
                    f"the PMU failed its self-test: {test.sentence()}, but instructions and cycles need {_LEAST_SLOTS}",
                    hint=test.remedy or "end other perf sessions; echo 0 | sudo tee /proc/sys/kernel/nmi_watchdog",
                )
            available = find_available(this_cpu(), count)
            _require_anchors(available)
            passes, crowded_out = arrange(available, test, count)
        by_clock = tuple(missing for missing in available.missing if missing.event not in {WALL, _DERIVED.event})
        return cls(perf, test, passes, (*by_clock, *crowded_out, _DERIVED))

    def describe(self) -> str:
        """One sentence: which perf, which counters passed."""
        return (
            f"hardware counters through perf {self.perf.version}: {self.self_test.sentence()}; "
            f"{len(self._passes)} pass{'' if len(self._passes) == 1 else 'es'}, no multiplexing"
        )

    def spec(self, event: str) -> str:
        """What is asked of perf for ``event``, one that a pass reads."""
        return "the driver's clock" if event == WALL and WALL not in self._asked else self._asked[event].spec

    def passes(self, workload: Workload) -> tuple[Whole, ...]:
        """As many passes as the counters require; times are read in each of them, and instructions and cycles but where
        that would leave no counter for another event.
        """
        assert workload.timed_m is not None
        return tuple(
            Whole(
                name=name,
                events=events if WALL in events else (*events, WALL),
                m=workload.timed_m,
                exclusive=True,
                repetitions=1,
                blocks=(0, None),
            )
            for name, events in self._passes.items()
        )

    def chunk_passes(self, workload: Workload, metric: str | None) -> tuple[AnyPass, ...]:
        """Whole processes, and chunks under counters in the process itself, each the other's check.

        The one of them that reads ``metric`` in all blocks (chunks: clocks and cycles), the other in the first.
        """
        whole, own = self.passes(workload), in_process()
        first = (0, _REFERENCE_BLOCKS)
        if metric in CLOCKS or (metric == "cycles" and own):
            return (*(msgspec.structs.replace(pass_, blocks=first) for pass_ in whole), chunk_pass(workload, own))
        return (*whole, msgspec.structs.replace(chunk_pass(workload, own), blocks=first)) if own else whole

    def measure(self, pass_: Pass, command: Command, scratch: Path) -> Outcome:
        """Run one process under perf.

        Raises:
            MachineError: perf itself failed.
            OSError: the program could not be started.
        """
        counted = stat(self.perf, [self._asked[name] for name in pass_.events if name in self._asked], command, scratch)
        done = counted.completed
        by_name = {reading.event: reading for reading in counted.readings}
        if WALL not in self._asked:
            by_name[WALL] = _by_driver(done.wall_ns)
        return outcome_of(done, tuple(by_name[name] for name in pass_.events))


def _counter(perf: Perf, scratch: Path) -> Count:
    cpu = min(os.sched_getaffinity(0))

    def count(asked: Sequence[Asked], iterations: int | None) -> tuple[Reading, ...]:
        command = program(iterations, cpu)
        counted = stat(perf, asked, command, scratch)
        done = counted.completed
        if done.timed_out:
            raise MachineError(
                f"perf stat did not end within {command.timeout_s:.0f} s over a program of some milliseconds",
                hint="run perf stat true by hand; if it hangs there too, install another version of perf",
            )
        if done.exit != 0:
            raise MachineError(
                f"the test program failed under perf (exit {done.exit}): {done.stderr_tail.strip()[-500:]}",
                hint="run perf stat true by hand: what it says there is in the way; or --source callgrind",
            )
        return counted.readings

    return count


def _require_counting(count: Count) -> None:
    """Fail at once, with the diagnosis, where the machine has no counters at all."""
    instructions, cycles, task_clock = count(_REQUIRED, None)
    for reading in (instructions, cycles):
        if reading.reason == NOT_SUPPORTED:
            trouble = diagnose.not_supported(
                reading.event, software_counts=task_clock.value is not None, here=diagnose.circumstances()
            )
            raise MachineError(trouble.reason, hint=trouble.remedy)


def _require_anchors(available: Available) -> None:
    for reading in available.missing:
        if reading.event in {asked.event for asked in _REQUIRED}:
            raise MachineError(
                f"perf cannot count {reading.event}: {reading.reason}",
                hint="end other users of the PMU (tax-probe doctor names them), or --source callgrind",
            )


def _by_driver(wall_ns: int) -> Reading:
    return Reading(
        event=WALL,
        value=float(wall_ns),
        unit="ns",
        enabled_ns=None,
        running_ns=None,
        source="hardware",
        raw_name="clock around perf stat (no duration_time)",
        reason=None,
    )
