"""The qemu source: exact instructions by a plugin of qemu-user, and caches, TLBs and branch predictors of a model.

The program runs in the user-mode emulator of its own architecture. Time comes from ordinary timed runs in the same
blocks.
"""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

from profiler.catalogue.events import BY_NAME, EVENTS
from profiler.errors import MachineError
from profiler.model import AnyPass, Missing, Pass, Reading, Regions, SourceName, Whole, Workload
from profiler.sources.elf_programs import as_program
from profiler.sources.emulated import EmulatedPasses
from profiler.sources.geometry import CACHES, Geometry, geometry
from profiler.sources.qemu_output import combine, read_processes
from profiler.sources.qemu_plugin import Plugin, built_plugin
from profiler.sources.qemu_run import TRIAL_TIMEOUT_S, known_loop, require_known, run_plugged
from profiler.sources.source import Outcome, outcome_of
from profiler.sources.timed import TIMED_EVENTS, timed
from profiler.system import process
from profiler.system.install import how_to_install
from profiler.system.own_folder import own_folder
from profiler.system.process import Command, helper

_PASSES = EmulatedPasses(
    modelled="modelled",
    modelled_events=tuple(event.name for event in EVENTS if event.qemu),
    counted_events=("instructions",),
    hurried_blocks=2,  # as few as have an interval
)

_ARCHITECTURES = ("x86_64", "aarch64")
"""Those whose branches the plugin can tell apart, by ``uname -m``, which is also how qemu calls them."""

_OPTIONS = ("-cpu", "max", "-seed", "0")
"""All that qemu emulates of a CPU, and the same random bytes for each process (AT_RANDOM)."""

_VERSION_TIMEOUT_S = 20.0


class QemuSource:
    """Counts with ``qemu-ARCHITECTURE -plugin`` and times with bare runs."""

    name: SourceName = "qemu"

    def __init__(self, qemu: str, version: str, plugin: Plugin, modelled: Geometry) -> None:
        self._qemu = qemu
        self._version = version
        self._plugin = plugin
        self._geometry = modelled
        self.missing = tuple(
            Missing(event=event.name, reason=_why_missing(event.name))
            for event in EVENTS
            if not (event.qemu or event.rusage or event.inside)
        )

    @classmethod
    def probe(cls) -> QemuSource:
        """Find qemu, build the plugin, and count a program of known cost.

        Raises:
            MachineError: qemu or cargo is missing, qemu has no plugins, or it counts something else.
        """
        architecture = platform.machine()
        if architecture not in _ARCHITECTURES:
            raise MachineError(f"the plugin knows no {architecture}", hint="--source callgrind")
        qemu = shutil.which(f"qemu-{architecture}")
        if qemu is None:
            raise MachineError("qemu-user is not installed", hint=how_to_install("qemu-user"))
        try:
            version = process.run(helper((qemu, "--version"), timeout_s=_VERSION_TIMEOUT_S))
        except OSError as error:
            hint = f"install it anew: {how_to_install('qemu-user')}"
            raise MachineError(f"{qemu} cannot be started: {error.strerror}", hint=hint) from error
        first = version.stdout.decode(errors="replace").partition("\n")[0]
        source = cls(qemu, first.removeprefix(f"qemu-{architecture} version "), built_plugin(), this_geometry())
        source._require_counting()
        return source

    def _require_counting(self) -> None:
        with own_folder() as folder:
            out = folder / "qemu.out"
            command = helper(known_loop(self._plugin.known), timeout_s=TRIAL_TIMEOUT_S)
            by_hand = f"{self._qemu} -plugin {self._plugin.path},out=/tmp/out {self._plugin.known} loop 9"
            done = self._run(command, out, modelled=True)
            require_known(self._qemu, done, out, instead=", or --source callgrind", by_hand=by_hand)

    def describe(self) -> str:
        """One sentence on what this source is."""
        return (
            f"qemu-user {self._version} with tax-probe's plugin, which counts a loop of known cost right: instructions "
            f"and branches are exact, misses are those of a model of {self._geometry.sentence()}; time comes from bare "
            "runs in the same blocks"
        )

    def passes(self, workload: Workload) -> tuple[Whole, ...]:
        """Counting passes, which may share the machine, and one timed pass, which may not."""
        return _PASSES.passes(workload)

    def chunk_passes(self, workload: Workload, metric: str | None) -> tuple[AnyPass, ...]:
        """See ``EmulatedPasses.chunk_passes``."""
        return _PASSES.chunk_passes(workload, metric)

    def measure(self, pass_: Pass, command: Command, scratch: Path) -> Outcome:
        """Run one process under qemu, or bare for the timed pass.

        Raises:
            MachineError: qemu cannot run the program, or the plugin wrote nothing.
        """
        if pass_.events == TIMED_EVENTS:
            return timed(command)
        out = scratch / "qemu.out"
        done = self._run(command, out, modelled=any(BY_NAME[name].simulated for name in pass_.events))
        uncounted = 0
        readings: tuple[Reading, ...] = ()
        if done.succeeded:
            processes, uncounted = read_processes(out, done.pid)
            if not processes:
                raise MachineError(
                    f"qemu wrote no counts for {command.argv[0]}: {done.stderr_tail[-1000:]}",
                    hint=f"run it under {self._qemu} by hand: what it says there is in the way",
                )
            if isinstance(pass_, Regions):
                parts = [[region] for found in processes for region in found.regions]
            else:
                parts = [[program for found in processes for program in found.programs]]
            readings = tuple(reading for part in parts for reading in combine(part, pass_.events))
        return outcome_of(done, readings, uncounted=uncounted)

    def _run(self, command: Command, out: Path, *, modelled: bool) -> process.Completed:
        words = f"{self._plugin.path},out={out}"
        if modelled:
            words += f",{self._geometry.arguments()}"
        # The plugin knows its qemu's options by -plugin: it stands last, and starts what is exec'd in the same way.
        return run_plugged(command, self._qemu, *_OPTIONS, "-plugin", words, *as_program(command))


def this_geometry() -> Geometry:
    """Of this machine, as far as it tells."""
    try:
        from profiler._counters import cpuid_leaf
    except ImportError:
        return geometry(CACHES, lambda leaf, subleaf: None)
    return geometry(CACHES, cpuid_leaf)


def _why_missing(name: str) -> str:
    if name == "cycles":
        return "qemu counts no cycles; hardware counters would"
    if BY_NAME[name].by_function:
        return "the plugin of qemu counts no calls of functions; --source callgrind does"
    return "no model has it; hardware counters would count it"
