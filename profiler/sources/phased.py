"""One process cut into the phases of its life, in CPU time and in instructions, at the same points of its code.

The points: the program's entry (the loader is done), the return of ``Py_InitializeFromConfig``, and two marks that the
script sets by calling functions of libc that nothing else calls: it is compiled and begins (``getsid``), and it has
ended (``getpgid``). In instructions callgrind writes a part of its counts at each point.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import msgspec

from profiler.errors import MachineError
from profiler.model import PHASES, Reading, SourceName
from profiler.sources.callgrind import OWN_OPTIONS
from profiler.sources.callgrind_output import parse_totals
from profiler.sources.source import Outcome, outcome_of
from profiler.sources.stopwatch import Stopwatch, UnwatchableError
from profiler.system import process
from profiler.system.install import how_to_install
from profiler.system.process import Command

TIMES = tuple(f"{phase}-time" for phase in PHASES)
WHOLE = ("whole-time",)
"""The same process under the same tracer, without a single breakpoint: what the phases have to add up to."""
COUNTS = tuple(f"{phase}-instructions" for phase in PHASES)

_INIT = "Py_InitializeFromConfig"
_MARKS = ("getsid", "getpgid")
_NEXT = "sched_get_priority_max"
"""Called right after the last mark."""
_STOPS = (1, 3, 4, 5)
"""How many stops lie before each point, its own among them."""
_LIBC = re.compile(r"/libc[.-][^/]*$")
_SLOWDOWN = 50
_POINTS = ("--dump-before=__libc_start_main*", f"--dump-after={_INIT}", *(f"--dump-before={mark}" for mark in _MARKS))


def measure(events: tuple[str, ...], command: Command, image: str | None, scratch: Path) -> Outcome:
    """Read ``TIMES``, ``WHOLE`` or ``COUNTS`` of one process.

    Raises:
        OSError: the program could not be started.
        MachineError: callgrind is gone or wrote no counts.
    """
    if events == TIMES:
        return time_phases(command, image)
    if events == WHOLE:
        return _time(command, WHOLE, lambda watch: ([], 0))
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise MachineError("valgrind is not installed any more", hint=how_to_install("valgrind"))
    return count_phases(command, valgrind, scratch)


def time_phases(command: Command, image: str | None) -> Outcome:
    """Run ``command`` under breakpoints; ``image`` is the file that holds its eval loop.

    Raises:
        OSError: the program could not be started.
    """
    return _time(command, TIMES, lambda watch: _cut(watch, image))


def _cut(watch: Stopwatch, image: str | None) -> tuple[list[int], int]:
    """CPU time in ns at each point inside the process's life, less what stopping has taken so far; and that in all."""
    watch.run_to(watch.entry())
    marks = [watch.cpu_ns()]
    # All at once: what the tracer does between points would empty caches that the process shares with it.
    begin = watch.address(_INIT, lambda path: path == image)
    points = [watch.address(name, lambda path: _LIBC.search(path) is not None) for name in (*_MARKS, _NEXT)]
    watch.run_to(begin)
    for point in (watch.return_address(), *points):
        watch.run_to(point)
        marks.append(watch.cpu_ns())
    # Between the last two lies nothing but a stop.
    stop = marks.pop() - marks[-1]
    return [mark - before * stop for mark, before in zip(marks, _STOPS, strict=True)], (_STOPS[-1] + 1) * stop


def _time(command: Command, events: tuple[str, ...], cut: Callable[[Stopwatch], tuple[list[int], int]]) -> Outcome:
    """The time from exec to the end, between the points of ``cut``. Fork and exec are the tracer's own way to start."""
    watch = None
    try:
        watch = Stopwatch(command)
        start = watch.cpu_ns()
        marks, stops = cut(watch)
        exit_, total = watch.finish()
        assert watch.child.stdout is not None
        assert watch.child.stderr is not None
        printed, complaints = watch.child.stdout.read(), watch.child.stderr.read()
        spent = [after - before for before, after in pairwise((start, *marks, total - stops))]
        return _outcome(
            _readings(events, spent, "ns", "software", "schedstat between breakpoints"), exit_, printed, complaints
        )
    except UnwatchableError as error:
        return _unknown(process.run(command), events, "ns", "software", str(error))
    finally:
        if watch is not None:
            watch.close()


def count_phases(command: Command, valgrind: str, scratch: Path) -> Outcome:
    """Run ``command`` under callgrind.

    Raises:
        MachineError: callgrind wrote no counts.
    """
    out = scratch / "callgrind.out"
    options = (f"--callgrind-out-file={out}", f"--log-file={scratch / 'valgrind.log'}", *_POINTS)
    done = process.run(
        msgspec.structs.replace(
            command,
            argv=(valgrind, *OWN_OPTIONS, *options, *command.argv),
            timeout_s=command.timeout_s * _SLOWDOWN,
        )
    )
    if done.exit == 0 and not out.exists():
        raise MachineError(
            f"valgrind wrote no counts for {command.argv[0]}",
            hint="run it under valgrind --tool=callgrind by hand: what is said there is in the way",
        )
    parts = [*(out.with_name(f"{out.name}.{number}") for number in range(1, len(PHASES))), out]
    if done.exit != 0 or not all(part.exists() for part in parts):
        return _unknown(done, COUNTS, "instructions", "callgrind", "the process never came to all points")
    spent = [parse_totals(part.read_text(errors="replace"))["Ir"] for part in parts]
    readings = _readings(COUNTS, spent, "instructions", "callgrind", "Ir between dumps")
    return _outcome(readings, done.exit, done.stdout, done.stderr_tail.encode())


def _readings(
    names: tuple[str, ...], spent: list[int], unit: str, source: SourceName, raw_name: str
) -> tuple[Reading, ...]:
    return tuple(
        _reading(name, float(value), unit, source, raw_name, None) for name, value in zip(names, spent, strict=True)
    )


def _reading(  # noqa: PLR0917 - the fields that differ
    name: str, value: float | None, unit: str, source: SourceName, raw_name: str, reason: str | None
) -> Reading:
    return Reading(
        event=name,
        value=value,
        unit=unit,
        enabled_ns=None,
        running_ns=None,
        source=source,
        raw_name=raw_name,
        reason=reason,
    )


def _outcome(readings: tuple[Reading, ...], exit_: int, printed: bytes, complaints: bytes) -> Outcome:
    return Outcome(
        readings=readings,
        exit=exit_,
        stdout=printed,
        stderr_tail=complaints.decode(errors="replace")[-4096:],
        timed_out=False,
        output_exceeded=False,
    )


def _unknown(done: process.Completed, names: tuple[str, ...], unit: str, source: SourceName, reason: str) -> Outcome:
    return outcome_of(done, tuple(_reading(name, None, unit, source, "", reason) for name in names))
