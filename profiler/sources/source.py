"""The seam between the plan and the machine: a source runs one process and returns readings.

``hardware``, ``qemu``, ``callgrind`` and ``software`` implement it; tests have a fake. Nothing above this seam knows
perf, qemu or valgrind.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from profiler.catalogue.events import BY_NAME
from profiler.model import AnyPass, Calls, Missing, Noun, Pass, Reading, SourceName, Workload
from profiler.sources.by_address import AddressProfile
from profiler.system.process import Command, Completed


class Outcome(Noun, frozen=True, kw_only=True):
    """What came of one process. ``exit`` is negative for a signal, as in ``subprocess``."""

    readings: tuple[Reading, ...]
    exit: int
    stdout: bytes
    stderr_tail: str
    timed_out: bool
    output_exceeded: bool
    uncounted: int = 0
    """Descendants that were still alive, or still wrote, when the process had ended: nothing of them is in there."""
    addresses: tuple[AddressProfile, ...] = ()
    """Of a pass that counts by address: one element per region."""
    calls: tuple[tuple[Calls, ...], ...] = ()
    """Who called the functions that are events of their own: one element for the process, or one per region."""


def outcome_of(
    done: Completed,
    readings: tuple[Reading, ...] = (),
    *,
    uncounted: int = 0,
    addresses: tuple[AddressProfile, ...] = (),
    calls: tuple[tuple[Calls, ...], ...] = (),
) -> Outcome:
    """How the process ended, with what was counted in it."""
    return Outcome(
        readings=readings,
        exit=done.exit,
        stdout=done.stdout,
        stderr_tail=done.stderr_tail,
        timed_out=done.timed_out,
        output_exceeded=done.output_exceeded,
        uncounted=uncounted,
        addresses=addresses,
        calls=calls,
    )


class Source(Protocol):
    """Where readings come from."""

    name: SourceName
    missing: tuple[Missing, ...]
    """Events of the catalogue that no pass of this source can read."""

    def describe(self) -> str:
        """One sentence: which source, on what grounds, e.g. which self-test passed."""

    def passes(self, workload: Workload) -> tuple[AnyPass, ...]:
        """The passes that together read every event this source can read. ``workload`` is calibrated (no None)."""

    def chunk_passes(self, workload: Workload, metric: str | None) -> tuple[AnyPass, ...]:
        """The passes of a run whose launchers may be asked for chunks of work: to a given precision of ``metric``, or
        without one (None)."""

    def measure(self, pass_: Pass, command: Command, scratch: Path) -> Outcome:
        """Run one process of a whole, native or regions pass that this source offered.

        ``scratch`` is a directory of this process alone; temporary files go there.

        Raises:
            MachineError: the measuring tool itself failed (perf died, valgrind crashed).
        """


def reading_of(
    source: SourceName, event: str, value: float | None, raw_name: str, reason: str | None = None
) -> Reading:
    """A reading of a source that is on the machine all the time, so that no counter's times belong to it."""
    return Reading(
        event=event,
        value=value,
        unit=BY_NAME[event].unit,
        enabled_ns=None,
        running_ns=None,
        source=source,
        raw_name=raw_name,
        reason=reason,
    )
