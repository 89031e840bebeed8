"""What our plugin of qemu writes (``runner/qemu/src/report.rs``): a file per process, a line per event of its life.

``begin NAME…`` when a program begins, ``region N…``, ``exec N…`` when another program takes the process over (which
begins anew in the same file, if it is counted), ``total N…`` at the end.
"""

from __future__ import annotations

from pathlib import Path

from profiler.errors import MachineError
from profiler.model import Noun, Reading
from profiler.sources.source import reading_of
from profiler.system.process_groups import has_ended

Totals = dict[str, int]
"""By event of the catalogue."""


class ProcessCounts(Noun, frozen=True, kw_only=True):
    """What one process's file says."""

    programs: tuple[Totals, ...]
    """Of each program that ran in it, one after the other."""
    regions: tuple[Totals, ...]
    whole: bool
    """The last of its programs was counted to its end."""


def parse(text: str) -> ProcessCounts:
    """Read one file.

    Raises:
        MachineError: it is damaged.
    """
    programs: list[Totals] = []
    regions: list[Totals] = []
    names: list[str] = []
    left: Totals | None = None
    whole = False
    # A line without its end was cut off.
    for line in text.split("\n")[:-1]:
        word, *rest = line.split(" ")
        if word == "begin":
            programs += [left] if left is not None else []
            names, left, whole = rest, None, False
            continue
        totals = _figures(names, rest)
        if word == "region":
            regions.append(totals)
        elif word == "exec":
            left = totals
        else:
            # An exec that failed was none: the program went on.
            programs.append(totals)
            left, whole = None, True
    programs += [left] if left is not None else []
    return ProcessCounts(programs=tuple(programs), regions=tuple(regions), whole=whole)


def _figures(names: list[str], figures: list[str]) -> Totals:
    try:
        return dict(zip(names, map(int, figures), strict=True))
    except ValueError as error:
        raise MachineError(f"the file of qemu's plugin is not readable: {error}", hint="is the disk full?") from error


def read_processes(out: Path, pid: int) -> tuple[list[ProcessCounts], int]:
    """``OUT.PID`` of each process of a tree, the first of which, ``pid``, has ended; and how many of them were not
    counted to their end: killed, still alive, or taken over by a program that qemu does not run.

    Raises:
        MachineError: the first is one of these.
    """
    found: list[ProcessCounts] = []
    lost = 0
    for path in sorted(out.parent.glob(f"{out.name}.*")):
        process = int(path.suffix.removeprefix("."))
        counts = parse(path.read_text(errors="replace"))
        ended = process == pid or has_ended(process)
        if process == pid and not counts.whole:
            raise MachineError(
                "the program became another one, which qemu does not run, and so it was not counted",
                hint="name that program itself, or choose --source callgrind",
            )
        lost += not (counts.whole and ended)
        if ended:
            found.append(counts)
    return found, lost


def combine(parts: list[Totals], wanted: tuple[str, ...]) -> tuple[Reading, ...]:
    """Readings of ``wanted``, summed over programs and processes."""
    known = [name for name in wanted if all(name in totals for totals in parts)]
    return tuple(
        reading_of("qemu", name, float(sum(totals[name] for totals in parts)), f"tcg plugin: {name}")
        if name in known
        else reading_of("qemu", name, None, "", "the plugin did not count it")
        for name in wanted
    )
