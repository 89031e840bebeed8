"""What callgrind's out files say: totals per process or region, named as the catalogue names events.

Callgrind Format Specification, valgrind manual: the ``events:`` and ``totals:`` lines.
"""

from __future__ import annotations

import re
from pathlib import Path

from profiler.catalogue.events import BY_NAME, TLS_ACCESSES
from profiler.errors import MachineError
from profiler.model import Reading
from profiler.sources.by_function import Tls
from profiler.sources.source import reading_of
from profiler.system.process_groups import has_ended

REGION_TRIGGER = "Client Request: region"
_REGION_MARK = f"desc: Trigger: {REGION_TRIGGER}"

LOG = "valgrind.log"
"""Beside the out files; each process of valgrind begins one as soon as it is there."""

_LINE = re.compile(r"^(part|events|totals):(.*)\n", re.MULTILINE)
"""With its line end: a figure that was cut off in the middle is a figure too."""


def whole_files(out: Path, pid: int) -> tuple[list[str], int]:
    """The texts of ``OUT.PID``, one per process of a tree whose first, ``pid``, has ended; and how many others left
    none that is whole. The first one's is taken as it stands: that it is torn is an error.

    A file of a process that lives may be written at this moment, and one whose writer was killed ends anywhere.
    """
    texts: list[str] = []
    lost = 0
    written = _by_process(out)
    for process in sorted(written.keys() | _by_process(out.with_name(LOG)).keys()):
        own = [path.read_text(errors="replace") for path in written.get(process, ())]
        ended = process == pid or has_ended(process)
        if process == pid or (own and ended and all(map(is_whole, own))):
            texts += own
        else:
            lost += 1
    return texts, lost


def _by_process(name: Path) -> dict[int, list[Path]]:
    """Of each process its files: one, or more where the program itself asks for dumps (``NAME.PID.1``)."""
    found: dict[int, list[Path]] = {}
    for path in sorted(name.parent.glob(f"{name.name}.*")):
        pid = path.name.removeprefix(f"{name.name}.").partition(".")[0]
        if pid.isdigit():
            found.setdefault(int(pid), []).append(path)
    return found


def region_totals(texts: list[str]) -> list[dict[str, int]]:
    """The totals of each region, in their order, from the out files of a process and its children.

    Raises:
        MachineError: the file was cut off.
    """
    return [parse_totals(part) for text in texts for part in text.split("\npart: ") if _REGION_MARK in part]


def is_whole(text: str) -> bool:
    """Has the process that wrote this out file come to its end? A killed one may have begun to write."""
    keys = [key for key, _ in _LINE.findall(text)]
    return "totals" in keys and keys.count("totals") >= keys.count("part")


def parse_totals(text: str) -> dict[str, int]:
    """Read ``{"Ir": 75165605, …}`` from a callgrind out file: the sum of its parts (dumps, threads).

    Raises:
        MachineError: a part has no ``events:`` or ``totals:`` line, or they do not match (it was cut off); or nothing
            was counted.
    """
    names: list[str] = []
    sums: dict[str, int] = {}
    for key, rest in _LINE.findall(text):
        if key == "events":
            names = rest.split()
        elif key == "totals":
            for name, figure in _figures(names, rest.split()).items():
                sums[name] = sums.get(name, 0) + figure
    if not sums or not is_whole(text):
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
    return reading_of(
        "callgrind", name, value, raw_name, None if known else f"this callgrind does not write {raw_name}"
    )


def _by_function(name: str, tls: Tls | None) -> Reading:
    if tls is None:
        return reading_of("callgrind", name, None, "", "not read by function")
    value = tls.accesses if name == TLS_ACCESSES else tls.instructions
    called = "+".join(sorted({call.callee for call in tls.callers})) or "__tls_get_addr"
    what = "calls of" if name == TLS_ACCESSES else "Ir inside"
    return reading_of("callgrind", name, None if value is None else float(value), f"{what} {called}", tls.reason)
