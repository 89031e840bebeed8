"""The emulated source: exact instructions of programs of another architecture, by a plugin of the qemu that runs them.

The commands that it measures begin with that qemu (``model.Emulator``). Nothing is timed: what an emulator takes says
nothing of the machine that it stands for.
"""

from __future__ import annotations

from pathlib import Path

from profiler.catalogue.events import BY_NAME, EVENTS
from profiler.errors import MachineError
from profiler.model import AnyPass, Emulator, Missing, Pass, Reading, SourceName, Whole, Workload
from profiler.sources.emulated import COUNTED
from profiler.sources.qemu_output import combine, read_processes
from profiler.sources.qemu_plugin import built_plugin
from profiler.sources.qemu_run import COUNTED_BY_PLUGIN, TRIAL_TIMEOUT_S, known_loop, require_known, run_plugged
from profiler.sources.source import Outcome, outcome_of, reading_of
from profiler.system import process
from profiler.system.own_folder import own_folder
from profiler.system.process import Command, helper


class ForeignQemuSource:
    """Counts with a plugin of the emulator that a command begins with."""

    name: SourceName = "emulated"

    def __init__(self, plugin: str, event: str, version: str) -> None:
        self._plugin, self._event, self._version = plugin, event, version
        self.missing = tuple(Missing(event=one.name, reason=_why_missing(one.name, event)) for one in EVENTS)

    @classmethod
    def probe(cls, emulator: Emulator, known: Path, event: str) -> ForeignQemuSource:
        """Build the plugin, and count ``known``, a program of known cost, as ``event``.

        Raises:
            MachineError: cargo is missing, the emulator has no plugins, or it counts something else.
        """
        qemu = emulator.words[0]
        said = process.run(helper((qemu, "--version"), timeout_s=20.0)).stdout.decode(errors="replace")
        source = cls(built_plugin().path, event, said.partition("\n")[0])
        with own_folder() as folder:
            out = folder / "qemu.out"
            command = helper((*emulator.words, *known_loop(str(known))), timeout_s=TRIAL_TIMEOUT_S)
            done = source._run(command, out)
            require_known(qemu, done, out, instead="", by_hand=" ".join(command.argv))
        return source

    def describe(self) -> str:
        """One sentence on what this source is."""
        return (
            f"{self._version} with tax-probe's plugin, which counts a loop of known cost right: "
            f"{BY_NAME[self._event].title} are exact; nothing is timed, as an emulator's time is not the target's"
        )

    def passes(self, workload: Workload) -> tuple[Whole, ...]:
        """Whole processes, which may share the machine."""
        assert workload.counts_m is not None
        return (
            Whole(
                name=COUNTED,
                events=(self._event,),
                m=workload.counts_m,
                exclusive=False,
                repetitions=1,
                blocks=(0, None),
                among="whole",
            ),
        )

    def chunk_passes(self, workload: Workload, metric: str | None) -> tuple[AnyPass, ...]:
        """The same: parts of a process are marked by an extension module of this machine's own architecture."""
        return self.passes(workload)

    def measure(self, pass_: Pass, command: Command, scratch: Path) -> Outcome:
        """Run one process.

        Raises:
            MachineError: the plugin wrote nothing.
        """
        out = scratch / "qemu.out"
        done = self._run(command, out)
        uncounted = 0
        readings: tuple[Reading, ...] = ()
        if done.succeeded:
            processes, uncounted = read_processes(out, done.pid)
            if not processes:
                raise MachineError(
                    f"{command.argv[0]} wrote no counts: {done.stderr_tail[-1000:]}",
                    hint=f"run {' '.join(command.argv)} by hand: what it says is in the way",
                )
            (counted,) = combine([program for found in processes for program in found.programs], (COUNTED_BY_PLUGIN,))
            readings = (reading_of(self.name, self._event, counted.value, counted.raw_name, counted.reason),)
        return outcome_of(done, readings, uncounted=uncounted)

    def _run(self, command: Command, out: Path) -> process.Completed:
        qemu, *rest = command.argv
        return run_plugged(command, qemu, "-plugin", f"{self._plugin},out={out}", *rest)


def _why_missing(name: str, counted: str) -> str:
    if name == "instructions":
        return f"this run counts {BY_NAME[counted].title}, which are another kind"
    event = BY_NAME[name]
    if event.rusage or event.inside:
        return "not timed: the time of an emulator is not the target's"
    return "counted on this machine's own architecture alone"
