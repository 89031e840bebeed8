"""The callgrind source: exact instructions and simulated caches and branches, on any machine that runs valgrind.

Figures come from the ``events:`` and ``totals:`` lines of the out file (Callgrind format specification, valgrind manual
"Callgrind Format Specification"), never from stderr. Time comes from ordinary timed runs in the same blocks.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import msgspec

from profiler.catalogue.events import BY_FUNCTION, BY_NAME, EVENTS, TLS_ACCESSES
from profiler.errors import MachineError
from profiler.model import REGIONS, AnyPass, Calls, Missing, Pass, Reading, Regions, SourceName, Whole, Workload
from profiler.sources.by_function import Profile, Tls, count_tls, read_profiles
from profiler.sources.chunking import chunk_pass, with_chunks
from profiler.sources.source import Outcome
from profiler.sources.timed import TIMED_EVENTS, timed
from profiler.system import process
from profiler.system.process import Command, helper

SIMULATED = "simulated"
COUNTED = "counted"
VARIANTS = "variants"
TIMED = "timed"
_TIMED_REPETITIONS = 3
_PHASES = 3
"""Heap phases that one process goes through."""
_REGION_BLOCKS = 3
"""Counts hardly scatter between processes; as many hash seeds and environments show whether they do."""

_SIMULATED_BLOCKS = 3
"""Simulation doubles the time and its figures hardly scatter; later blocks count instructions only."""

_BLOCKS_OF_VARIANTS = 4
"""Toggles and treatments answer yes or no: so many blocks show a process that sat on an allocator boundary."""

OWN_OPTIONS = ("--command-line-only=yes", "--tool=callgrind")
"""Ours alone: else valgrind takes the options of ~/.valgrindrc, $VALGRIND_OPTS and ./.valgrindrc as well, and the
user's ``--toggle-collect`` or ``--collect-atstart=no`` would be in our counts. The workload's environment stays whole.
"""

_SIMULATION = ("--cache-sim=yes", "--branch-sim=yes")

_IN_REGIONS = ("--instr-atstart=no", "--combine-dumps=yes")
"""The start-up runs without instrumentation, so faster; all regions go to one out file, in their order."""

_SLOWDOWN = 50
"""Callgrind with cache and branch simulation runs about 50 times slower than the bare machine; limits stretch by it."""

_VERSION_TIMEOUT_S = 20

_REGION_TRIGGER = "Client Request: region"
_REGION_MARK = f"desc: Trigger: {_REGION_TRIGGER}"

_LINE = re.compile(r"^(part|events|totals):(.*)\n", re.MULTILINE)
"""With its line end: a figure that was cut off in the middle is a figure too."""


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
            raise MachineError("valgrind is not installed", hint="apt-get install valgrind")
        version = process.run(helper((valgrind, "--version"), timeout_s=_VERSION_TIMEOUT_S))
        if version.exit != 0:
            raise MachineError(
                f"{valgrind} --version failed: {version.stderr_tail.strip()}", hint="install valgrind anew"
            )
        return cls(valgrind, version.stdout.decode(errors="replace").strip())

    def describe(self) -> str:
        """One sentence on what this source is."""
        return (
            f"callgrind ({self._version}): instructions and branches are exact, misses are simulated, "
            "time comes from bare runs in the same blocks"
        )

    def passes(self, workload: Workload) -> tuple[Whole, ...]:
        """Counting passes, which may share the machine, and one timed pass, which may not."""
        assert workload.counts_m is not None
        assert workload.timed_m is not None
        return (
            Whole(
                name=SIMULATED,
                events=tuple(event.name for event in EVENTS if event.callgrind or event.by_function),
                m=workload.counts_m,
                exclusive=False,
                repetitions=1,
                blocks=(0, _SIMULATED_BLOCKS),
                among="whole",
            ),
            Whole(
                name=COUNTED,
                events=("instructions", *BY_FUNCTION),
                m=workload.counts_m,
                exclusive=False,
                repetitions=1,
                blocks=(_SIMULATED_BLOCKS, None),
                among="whole",
            ),
            Whole(
                name=VARIANTS,
                events=("instructions", *BY_FUNCTION),
                m=workload.counts_m,
                exclusive=False,
                repetitions=1,
                blocks=(0, _BLOCKS_OF_VARIANTS),
                among="counted-only",
            ),
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

        Without a metric whole processes are counted, with their start-up, and chunks are for time.
        """
        if metric is None:
            return with_chunks(self.passes(workload), workload)
        assert workload.counts_m is not None
        counts = bool(BY_NAME[metric].callgrind)
        regions = Regions(
            name=REGIONS,
            events=tuple(dict.fromkeys(("instructions", metric if counts else "instructions", *BY_FUNCTION))),
            m=workload.counts_m,
            phases=_PHASES,
            blocks=(0, None if counts else _REGION_BLOCKS),
        )
        return (regions,) if counts else (regions, chunk_pass(workload))

    def measure(self, what: Pass, command: Command, scratch: Path) -> Outcome:
        """Run one process under callgrind, or bare for the timed pass.

        Raises:
            MachineError: valgrind itself failed (no out file although the workload was started).
        """
        if what.events == TIMED_EVENTS:
            return timed(command)
        out_file = scratch / "callgrind.out"
        done = process.run(
            msgspec.structs.replace(
                command,
                argv=(
                    self._valgrind,
                    *OWN_OPTIONS,
                    *(_SIMULATION if any(BY_NAME[name].simulated for name in what.events) else ()),
                    *(_IN_REGIONS if isinstance(what, Regions) else ()),
                    f"--callgrind-out-file={out_file}.%p",
                    f"--log-file={scratch / 'valgrind.log'}.%p",
                    "--trace-children=yes",
                    *command.argv,
                ),
                timeout_s=command.timeout_s * _SLOWDOWN,
            )
        )
        readings: tuple[Reading, ...] = ()
        calls: tuple[tuple[Calls, ...], ...] = ()
        if done.exit == 0 and not done.timed_out and not done.output_exceeded:
            files = sorted(scratch.glob(f"{out_file.name}.*"))
            if not files:
                log = "".join(path.read_text(errors="replace") for path in sorted(scratch.glob("valgrind.log.*")))
                raise MachineError(
                    f"valgrind wrote no counts for {command.argv[0]}: {log.strip()[-1000:] or done.stderr_tail}",
                    hint="callgrind cannot follow this program (static, setuid or not for this architecture?)",
                )
            texts = [path.read_text(errors="replace") for path in files]
            parts: list[tuple[list[dict[str, int]], tuple[Profile, ...]]]
            profiles = tuple(part for text in texts for part in read_profiles(text))
            if isinstance(what, Regions):
                inside = [one for one in profiles if one.trigger.startswith(_REGION_TRIGGER)]
                parts = [([totals], (one,)) for totals, one in zip(_regions(texts), inside, strict=True)]
            else:
                parts = [([parse_totals(text) for text in texts], profiles)]
            found = [(totals, count_tls(profiles)) for totals, profiles in parts]
            readings = tuple(reading for totals, tls in found for reading in combine(totals, what.events, tls))
            calls = tuple(tls.callers for _, tls in found)
        return Outcome(
            readings=readings,
            exit=done.exit,
            stdout=done.stdout,
            stderr_tail=done.stderr_tail,
            timed_out=done.timed_out,
            output_exceeded=done.output_exceeded,
            calls=calls,
        )


def _regions(texts: list[str]) -> list[dict[str, int]]:
    """The totals of each region, in their order, from the out files of a process and its children.

    Raises:
        MachineError: the file was cut off.
    """
    return [parse_totals(part) for text in texts for part in text.split("\npart: ") if _REGION_MARK in part]


def parse_totals(text: str) -> dict[str, int]:
    """Read ``{"Ir": 75165605, …}`` from a callgrind out file: the sum of its parts (dumps, threads).

    Raises:
        MachineError: a part has no ``events:`` or ``totals:`` line, or they do not match (it was cut off); or nothing
            was counted.
    """
    lines = _LINE.findall(text)
    keys = [key for key, _ in lines]
    names: list[str] = []
    sums: dict[str, int] = {}
    for key, rest in lines:
        if key == "events":
            names = rest.split()
        elif key == "totals":
            for name, figure in _figures(names, rest.split()).items():
                sums[name] = sums.get(name, 0) + figure
    if not sums or keys.count("totals") < keys.count("part"):
        raise MachineError("callgrind's out file was cut off: no events: or totals: line", hint="is the disk full?")
    if max(sums.values()) == 0:
        raise MachineError(
            "callgrind counted nothing: its instrumentation or collection never began",
            hint="does the program start valgrind, or control callgrind, itself?",
        )
    return sums


def _figures(names: list[str], figures: list[str]) -> dict[str, int]:
    # Trailing zeros may be left out of cost lines (format specification, "Cost Lines").
    figures += ["0"] * (len(names) - len(figures))
    try:
        found = dict(zip(names, map(int, figures), strict=True))
    except ValueError as error:
        raise MachineError(f"callgrind's out file is not readable: {error}", hint="is the disk full?") from error
    if min(found.values(), default=0) < 0:
        raise MachineError(
            f"callgrind counted nothing that can be used: {min(found.values())} is a difference to a time before it "
            "began to count",
            hint="does the program start valgrind, or control callgrind, itself?",
        )
    return found


def combine(processes: list[dict[str, int]], wanted: tuple[str, ...], tls: Tls | None = None) -> tuple[Reading, ...]:
    """Add up the processes of one run (children are traced too) and name the sums as the event table does.

    ``tls`` is what was read by function; without it those events are unknown.
    """
    return tuple(
        _by_function(name, tls) if BY_NAME[name].by_function else _by_column(name, processes) for name in wanted
    )


def _by_column(name: str, processes: list[dict[str, int]]) -> Reading:
    columns = BY_NAME[name].callgrind
    known = all(column in totals for totals in processes for column in columns)
    value = float(sum(totals[column] for totals in processes for column in columns)) if known else None
    raw_name = "+".join(columns)
    return _reading(name, value, raw_name, None if known else f"this callgrind does not write {raw_name}")


def _by_function(name: str, tls: Tls | None) -> Reading:
    if tls is None:
        return _reading(name, None, "", "not read by function")
    value = tls.accesses if name == TLS_ACCESSES else tls.instructions
    called = "+".join(sorted({one.callee for one in tls.callers})) or "__tls_get_addr"
    what = "calls of" if name == TLS_ACCESSES else "Ir inside"
    return _reading(name, None if value is None else float(value), f"{what} {called}", tls.reason)


def _reading(name: str, value: float | None, raw_name: str, reason: str | None) -> Reading:
    return Reading(
        event=name,
        value=value,
        unit=BY_NAME[name].unit,
        enabled_ns=None,
        running_ns=None,
        source="callgrind",
        raw_name=raw_name,
        reason=reason,
    )


def _why_missing(name: str) -> str:
    if name == "cycles":
        return "callgrind counts no cycles; hardware counters would"
    return "callgrind does not simulate it; hardware counters would count it"
