"""Too little of what a process takes: files, memory, processes, CPU time; and a clock that jumps."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from tools.fault_trials.outcome import Result, Tries, counted, lost
from tools.fault_trials.places import CHUNKS, GENEROUS_S, TIMED, Place, until_gone

_CGROUPS = Path("/sys/fs/cgroup")
_CLOCK = Path(__file__).with_name("stepping_clock.c")
_BY_LIMIT = (signal.SIGXCPU, signal.SIGKILL)
"""How the kernel ends what has used up its CPU time or its group's memory: nothing can be said then."""


def _least(which: int, value: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(which, (value, value))


def starved(tries: Tries, folder: Path, rng: random.Random) -> Iterator[Result]:
    """Limits of a process (setrlimit(2)): an error with its remedy, or it runs."""
    losses, codes = Counter[str](), Counter[str]()
    for number in tries:
        name, before = rng.choice(
            (
                ("open files", _least(resource.RLIMIT_NOFILE, rng.randint(12, 64))),
                ("memory", _least(resource.RLIMIT_AS, rng.randint(150, 8000) << 20)),
                ("CPU time", _least(resource.RLIMIT_CPU, rng.randint(1, 4))),
                ("stack", _least(resource.RLIMIT_STACK, rng.randint(64, 512) << 10)),
            )
        )
        place = Place(folder / f"run-{number}", rng.choice((TIMED, CHUNKS)))
        _watched(place, name, before, losses, codes)
    yield Result("limits of open files, memory, CPU time, stack", tries.made, counted(codes), lost(losses))


def in_a_group(tries: Tries, folder: Path, rng: random.Random) -> Iterator[Result]:
    """A control group with little memory or few processes, where there is one that can be made (version 2, root)."""
    group = _CGROUPS / f"tax-probe-faults-{os.getpid()}"
    losses, codes = Counter[str](), Counter[str]()
    try:
        group.mkdir()
    except OSError:
        return
    try:
        for number in tries:
            name, file, value = rng.choice(
                (
                    ("memory.max", "memory.max", str(rng.randint(40, 250) << 20)),
                    ("pids.max", "pids.max", str(rng.randint(2, 12))),
                )
            )
            if not (group / file).exists():
                return
            for other in ("memory.max", "pids.max"):
                with suppress(OSError):
                    (group / other).write_text("max")
            (group / file).write_text(value)
            place = Place(folder / f"run-{number}", TIMED)
            _watched(place, name, lambda: (group / "cgroup.procs").write_text("0"), losses, codes)
    finally:
        with suppress(OSError):
            group.rmdir()
    yield Result("a control group of little memory or few processes", tries.made, counted(codes), lost(losses))


def clock_steps(tries: Tries, folder: Path, rng: random.Random) -> Iterator[Result]:
    """The wall clock jumps by a day at every look (a library before the C library's; needs cc)."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return
    library = folder / "stepping_clock.so"
    subprocess.run((compiler, "-shared", "-fPIC", "-o", str(library), str(_CLOCK)), check=True)
    losses, codes = Counter[str](), Counter[str]()
    for number in tries:
        place = Place(folder / f"run-{number}", TIMED)
        place.env["LD_PRELOAD"] = str(library)
        _watched(place, "clock", lambda: None, losses, codes)
    yield Result("a wall clock that jumps by a day at every look", tries.made, counted(codes), lost(losses))


def _watched(place: Place, name: str, before: Callable[[], object], losses: Counter[str], codes: Counter[str]) -> None:
    with place.start(before=before) as child:
        _, said = child.communicate(timeout=GENEROUS_S)
    codes[f"× {name}: exit {child.returncode}"] += 1
    left = until_gone(place.temporary)
    wrong = {
        "tracebacks": b"Traceback" in said,
        "bugs": child.returncode == 1,
        "deaths by a signal": child.returncode < 0 and -child.returncode not in _BY_LIMIT,
        "errors without a remedy": child.returncode > 1 and "→".encode() not in said,
        "processes left": bool(left),
    }
    for what in (what for what, is_so in wrong.items() if is_so):
        losses[what] += 1
        print(f"  {what}: {name}: {said[-700:]!r}", flush=True)  # noqa: T201
    shutil.rmtree(place.folder)
