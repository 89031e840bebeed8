"""The emulated source: exact instructions of programs of another architecture, by a plugin of the qemu that runs them.

The commands that it measures begin with that qemu (``model.Emulator``). Nothing is timed: what an emulator takes says
nothing of the machine that it stands for.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec

from profiler.catalogue.events import BY_NAME, EVENTS
from profiler.errors import MachineError
from profiler.model import AnyPass, Emulator, Missing, Pass, Reading, SourceName, Whole, Workload
from profiler.sources.emulated import COUNTED, SETTLES_S
from profiler.sources.qemu_output import combine, read_processes
from profiler.sources.qemu_plugin import built_plugin
from profiler.sources.source import Outcome, reading_of
from profiler.system import process
from profiler.system.process import Command, helper

_SLOWDOWN = 100
"""Limits are of native speed; a program runs some 30 times slower."""
_TURNS = 1000
_KNOWN = 2 * _TURNS + 3
"""Instructions of the loop of ``runner/qemu/src/bin/known.rs``."""
_TRIAL_TIMEOUT_S = 1.0
_PLUGINS_NAME = "instructions"
"""What the plugin calls what it counts, whatever the architecture."""
_STATIC = "unknown option 'plugin'"


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
        with tempfile.TemporaryDirectory(prefix="tax-probe-") as folder:
            out = Path(folder) / "qemu.out"
            command = helper((*emulator.words, str(known), "loop", str(_TURNS)), timeout_s=_TRIAL_TIMEOUT_S)
            done = source._run(command, out)
            if _STATIC in done.stderr_tail:
                raise MachineError(
                    f"{qemu} has no plugins (a static build has none, as Debian's from 13 on)",
                    hint="put a qemu built with --enable-plugins first on PATH",
                )
            processes, _ = read_processes(out, done.pid)
        counted = [region[_PLUGINS_NAME] for found in processes for region in found.regions]
        if done.exit != 0 or counted != [_KNOWN]:
            tail = done.stderr_tail.strip().rpartition("\n")[2] or f"exit {done.exit}, counted {counted}"
            raise MachineError(
                f"{qemu} does not count {_KNOWN} instructions of a loop that takes as many: {tail}",
                hint=f"run {' '.join(command.argv)} by hand",
            )
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
        if done.exit == 0 and not done.timed_out and not done.output_exceeded:
            processes, uncounted = read_processes(out, done.pid)
            if not processes:
                raise MachineError(
                    f"{command.argv[0]} wrote no counts: {done.stderr_tail[-1000:]}",
                    hint=f"run {' '.join(command.argv)} by hand: what it says is in the way",
                )
            (counted,) = combine([program for found in processes for program in found.programs], (_PLUGINS_NAME,))
            readings = (reading_of(self.name, self._event, counted.value, counted.raw_name, counted.reason),)
        return Outcome(
            readings=readings,
            exit=done.exit,
            stdout=done.stdout,
            stderr_tail=done.stderr_tail,
            timed_out=done.timed_out,
            output_exceeded=done.output_exceeded,
            uncounted=uncounted,
        )

    def _run(self, command: Command, out: Path) -> process.Completed:
        qemu, *rest = command.argv
        return process.run(
            msgspec.structs.replace(
                command,
                argv=(qemu, "-plugin", f"{self._plugin},out={out}", *rest),
                timeout_s=command.timeout_s * _SLOWDOWN,
                settles_s=SETTLES_S,
            )
        )


def _why_missing(name: str, counted: str) -> str:
    if name == "instructions":
        return f"this run counts {BY_NAME[counted].title}, which are another kind"
    event = BY_NAME[name]
    if event.rusage or event.inside:
        return "not timed: the time of an emulator is not the target's"
    return "counted on this machine's own architecture alone"
