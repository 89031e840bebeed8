"""A day's work in little time: very many processes through perf stat, appended row by row; nothing grows."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from profiler.folder import RowWriter
from profiler.model import Row
from profiler.sources.perf_output import Asked
from profiler.sources.perf_stat import stat
from profiler.system import process
from profiler.system.perf import Perf
from profiler.system.process_groups import sweep
from tools.fault_trials.outcome import Result, Tries, lost

_PERF = """#!/bin/sh
printf '%s\\n' '{"counter-value" : "1128.000000", "unit" : "", "event" : "instructions", "event-runtime" : 100, \
"pcnt-running" : 100.00}' >"$4"
shift 7
exec "$@"
"""
_FIRST = 2000
"""Runs after which everything that is kept has been made."""
_MOST_GROWN_KIB = 8 << 10
_SYNCED = 100


def loaded(tries: Tries, folder: Path, rng: random.Random) -> Iterator[Result]:
    """A fake perf that counts 1128 instructions of /bin/true."""
    path = folder / "perf"
    path.write_text(_PERF)
    path.chmod(0o755)
    perf = Perf(path=str(path), version="6.1.187")
    asked = (Asked(event="instructions", spec="instructions", unit="instructions"),)
    command = process.helper(("/bin/true",), timeout_s=60.0)
    results = folder / "results"
    results.mkdir()
    writer = RowWriter(results)
    losses = Counter[str]()
    begun = _State(0, 0, 0, 0)
    for number in tries:
        found = stat(perf, asked, command, folder)
        (reading,) = found.readings
        losses["counts that are wrong"] += reading.value != 1128
        writer.append([_row(number, reading.value)])
        if number % _SYNCED == 0:
            writer.sync()
            sweep()
        if number == min(_FIRST, tries.most // 2):
            begun = _State.now()
    ended = _State.now()
    losses["KiB of memory grown"] += max(0, ended.kib - begun.kib - _MOST_GROWN_KIB)
    losses["file descriptors left"] += ended.files - begun.files
    losses["processes left"] += ended.children - begun.children
    losses["threads left"] += ended.threads - begun.threads
    losses["rows missing"] += tries.made - writer.lines
    how = f"{begun.kib / 1024:.1f} → {ended.kib / 1024:.1f} MiB, {ended.files} files open, {ended.children} children"
    yield Result("load: runs through a fake perf, each with its rows", tries.made, how, lost(losses))


class _State(msgspec.Struct, frozen=True):
    """What this process holds."""

    kib: int
    files: int
    children: int
    threads: int

    @staticmethod
    def now() -> _State:
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        children = sum(len(path.read_text().split()) for path in Path("/proc/self/task").glob("*/children"))
        return _State(
            int(status["VmRSS"].split()[0]), len([*Path("/proc/self/fd").iterdir()]), children, threading.active_count()
        )


def _row(number: int, value: float | None) -> Row:
    return Row(
        block=number,
        position=0,
        pass_name="hardware-1",  # noqa: S106
        kind="whole",
        launcher="python3",
        workload="true",
        m=1,
        repetition=0,
        event="instructions",
        value=value,
        unit="instructions",
        enabled_ns=None,
        running_ns=None,
        exit=0,
        output_sha256="00",
        source="hardware",
        raw_name="instructions",
        reason=None,
    )
