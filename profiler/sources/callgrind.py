"""The callgrind source: exact instructions and simulated caches and branches, on any machine that runs valgrind.

Figures come from the out file (``callgrind_output``), never from stderr. Time comes from ordinary timed runs in the
same blocks.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from profiler.catalogue.events import BY_FUNCTION, BY_NAME, EVENTS
from profiler.errors import MachineError
from profiler.model import AnyPass, Calls, Missing, Pass, Reading, Regions, SourceName, Whole, Workload
from profiler.sources.by_address import OPTIONS as BY_ADDRESS
from profiler.sources.by_address import AddressProfile, read_addresses
from profiler.sources.by_function import Profile, count_tls, read_profiles
from profiler.sources.callgrind_output import LOG, REGION_TRIGGER, combine, parse_totals, region_totals, whole_files
from profiler.sources.emulated import SETTLES_S, EmulatedPasses
from profiler.sources.source import Outcome, outcome_of
from profiler.sources.timed import TIMED_EVENTS, timed
from profiler.sources.valgrind_trouble import does_not_run
from profiler.system import process
from profiler.system.install import how_to_install
from profiler.system.own_folder import own_folder
from profiler.system.process import Command, helper

SIMULATED = "simulated"
_PASSES = EmulatedPasses(
    modelled=SIMULATED,
    modelled_events=tuple(event.name for event in EVENTS if event.callgrind or event.by_function),
    counted_events=("instructions", *BY_FUNCTION),
    hurried_blocks=1,
)

OWN_OPTIONS = ("--command-line-only=yes", "--tool=callgrind", "--vgdb=no")
"""Ours alone: else valgrind takes the options of ~/.valgrindrc, $VALGRIND_OPTS and ./.valgrindrc as well, and the
user's ``--toggle-collect`` or ``--collect-atstart=no`` would be in our counts. The workload's environment stays whole.
The server for gdb would put a file that is named by the process's number into the memory map, which the placed script
reads: a number of four digits would count other instructions than one of five.
"""

_SIMULATION = ("--cache-sim=yes", "--branch-sim=yes")

_IN_REGIONS = ("--instr-atstart=no", "--combine-dumps=yes")
"""The start-up runs without instrumentation, so faster; all regions go to one out file, in their order."""

_SLOWDOWN = 50
"""Callgrind with cache and branch simulation runs about 50 times slower than the bare machine; limits stretch by it."""

_VERSION_TIMEOUT_S = 20

_TRIED = ("/bin/sh", "-c", ":")
"""A program that every system has where it is, linked to the C library as a Python is."""
TRIAL = Whole(
    name="trial", events=("instructions",), m=(1, 2), exclusive=False, repetitions=1, blocks=(0, 1), among="whole"
)
_TRIAL_TIMEOUT_S = 1.0


class CallgrindSource:
    """Counts with ``valgrind --tool=callgrind`` and times with bare runs."""

    name: SourceName = "callgrind"

    def __init__(self, valgrind: str, version: str) -> None:
        self._valgrind = valgrind
        self._version = version
        self.missing = tuple(
            Missing(event=event.name, reason=_why_missing(event.name))
            for event in EVENTS
            if not (event.callgrind or event.by_function or event.rusage or event.inside)
        )

    @classmethod
    def probe(cls) -> CallgrindSource:
        """Find valgrind and count a trivial program with it.

        Raises:
            MachineError: valgrind is missing or cannot count here.
        """
        valgrind = shutil.which("valgrind")
        if valgrind is None:
            raise MachineError("valgrind is not installed", hint=how_to_install("valgrind"))
        try:
            version = process.run(helper((valgrind, "--version"), timeout_s=_VERSION_TIMEOUT_S))
        except OSError as error:
            hint = f"install it anew: {how_to_install('valgrind')}"
            raise MachineError(f"{valgrind} cannot be started: {error.strerror}", hint=hint) from error
        if version.exit != 0:
            raise does_not_run(valgrind, version.stderr_tail)
        source = cls(valgrind, version.stdout.decode(errors="replace").strip())
        source._require_counting()
        return source

    def _require_counting(self) -> None:
        """A valgrind that says its version may count nothing here: for the C library, the CPU or the container."""
        with own_folder() as scratch:
            outcome = self.measure(TRIAL, helper(_TRIED, timeout_s=_TRIAL_TIMEOUT_S), scratch)
            said = _log(scratch) or outcome.stderr_tail
        if outcome.timed_out:
            raise does_not_run(self._valgrind, f"a program of some milliseconds takes {_TRIAL_TIMEOUT_S * _SLOWDOWN} s")
        if outcome.exit != 0:
            raise does_not_run(self._valgrind, said)
        lost = next((reading for reading in outcome.readings if reading.value is None), None)
        if lost is not None:
            raise does_not_run(self._valgrind, f"{lost.event}: {lost.reason}")

    def describe(self) -> str:
        """One sentence on what this source is."""
        return (
            f"callgrind ({self._version}): instructions and branches are exact, misses are modelled, "
            "time comes from bare runs in the same blocks"
        )

    def passes(self, workload: Workload) -> tuple[Whole, ...]:
        """Counting passes, which may share the machine, and one timed pass, which may not."""
        return _PASSES.passes(workload)

    def chunk_passes(self, workload: Workload, metric: str | None) -> tuple[AnyPass, ...]:
        """See ``EmulatedPasses.chunk_passes``."""
        return _PASSES.chunk_passes(workload, metric)

    def measure(self, pass_: Pass, command: Command, scratch: Path) -> Outcome:
        """Run one process under callgrind, or bare for the timed pass.

        Raises:
            MachineError: valgrind itself failed (no out file although the workload was started).
        """
        if pass_.events == TIMED_EVENTS:
            return timed(command)
        out_file = scratch / "callgrind.out"
        by_address = isinstance(pass_, Regions) and pass_.by_address
        done = process.run(
            msgspec.structs.replace(
                command,
                argv=(
                    self._valgrind,
                    *OWN_OPTIONS,
                    *(_SIMULATION if any(BY_NAME[name].simulated for name in pass_.events) else ()),
                    *(_IN_REGIONS if isinstance(pass_, Regions) else ()),
                    *(BY_ADDRESS if by_address else ()),
                    f"--callgrind-out-file={out_file}.%p",
                    f"--log-file={scratch / LOG}.%p",
                    "--trace-children=yes",
                    *command.argv,
                ),
                timeout_s=command.timeout_s * _SLOWDOWN,
                settles_s=SETTLES_S,
            )
        )
        uncounted = 0
        readings: tuple[Reading, ...] = ()
        calls: tuple[tuple[Calls, ...], ...] = ()
        addresses: tuple[AddressProfile, ...] = ()
        if done.succeeded:
            texts, uncounted = whole_files(out_file, done.pid)
            if not texts:
                raise MachineError(
                    f"valgrind wrote no counts for {command.argv[0]}: {_log(scratch)[-1000:] or done.stderr_tail}",
                    hint=f"run it under {self._valgrind} --tool=callgrind by hand: what it says there is in the way",
                )
            parts: list[tuple[list[dict[str, int]], tuple[Profile, ...]]]
            profiles = tuple(part for text in texts for part in read_profiles(text))
            if isinstance(pass_, Regions):
                inside = [profile for profile in profiles if profile.trigger.startswith(REGION_TRIGGER)]
                parts = [([totals], (profile,)) for totals, profile in zip(region_totals(texts), inside, strict=True)]
            else:
                parts = [([parse_totals(text) for text in texts], profiles)]
            found = [(totals, count_tls(profiles)) for totals, profiles in parts]
            readings = tuple(reading for totals, tls in found for reading in combine(totals, pass_.events, tls))
            calls = tuple(tls.callers for _, tls in found)
            if by_address:
                each = (part for text in texts for part in read_addresses(text))
                addresses = tuple(part for part in each if part.trigger.startswith(REGION_TRIGGER))
        return outcome_of(done, readings, uncounted=uncounted, calls=calls, addresses=addresses)


def _log(scratch: Path) -> str:
    """What valgrind said of itself, in all of its processes."""
    logs = sorted(scratch.glob(f"{LOG}.*"))
    return "".join(path.read_text(errors="replace") for path in logs).strip()


def _why_missing(name: str) -> str:
    if name == "cycles":
        return "callgrind counts no cycles; hardware counters would"
    return "callgrind has no model of it; hardware counters would count it"
