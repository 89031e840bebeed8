"""A bare run at native speed: times and kernel counts from the clock and ``wait4``, and the core's clock beside it."""

from __future__ import annotations

import os
from pathlib import Path

from profiler.catalogue.events import EVENTS
from profiler.sources.source import Outcome, outcome_of, reading_of
from profiler.system import process
from profiler.system.process import Command

TIMED_EVENTS = tuple(event.name for event in EVENTS if event.rusage)

_CHAIN = 1_000_000
"""Dependent multiplications: some 7 ms, three valid digits."""
_STAT = Path("/proc/stat")
_NO_STEAL = "the process is not pinned to a CPU, or /proc/stat does not tell"
_NO_CLOCK = "the core clock cannot be estimated: "


def timed(command: Command) -> Outcome:
    """Run ``command`` bare and read ``TIMED_EVENTS``.

    Raises:
        OSError: the program could not be started.
    """
    ghz, reason = _clock_ghz(command.cpu)
    before = _stolen_ns(command.cpu)
    done = process.run(command)
    after = _stolen_ns(command.cpu)
    stolen = None if before is None or after is None else float(after - before)
    return outcome_of(
        done,
        (
            reading_of("software", "page-faults", float(done.page_faults), "wait4: ru_minflt + ru_majflt"),
            reading_of("software", "task-clock", float(done.cpu_ns), "wait4: ru_utime + ru_stime"),
            reading_of("software", "wall", float(done.wall_ns), "CLOCK_MONOTONIC around the process"),
            reading_of("software", "context-switches", float(done.context_switches), "wait4: ru_nvcsw + ru_nivcsw"),
            reading_of("software", "steal", stolen, "/proc/stat of the CPU", None if stolen is not None else _NO_STEAL),
            reading_of("software", "clock", ghz, "dependent multiplications before the process", reason),
        ),
    )


def _stolen_ns(cpu: int | None) -> int | None:
    """Time in which the hypervisor ran something else on this CPU (proc(5), /proc/stat, eighth figure)."""
    if cpu is None:
        return None
    try:
        lines = _STAT.read_text().splitlines()
        figures = next(line.split()[1:] for line in lines if line.startswith(f"cpu{cpu} "))
        return int(figures[7]) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    except (OSError, StopIteration, IndexError, ValueError):
        return None


def _clock_ghz(cpu: int | None) -> tuple[float | None, str | None]:
    """The clock of the CPU that the process will run on, or why it is not known."""
    if cpu is None:
        return None, _NO_CLOCK + "the process is not pinned to a CPU"
    try:
        from profiler._counters import clock_ghz
    except ImportError:
        return None, _NO_CLOCK + "the extension module profiler._counters is not built"
    restore = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        return clock_ghz(_CHAIN), None
    except NotImplementedError:
        return None, _NO_CLOCK + "the latency of a multiplication is known for x86-64 only"
    finally:
        os.sched_setaffinity(0, restore)
