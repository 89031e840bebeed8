"""Analysis time and memory against the number of rows; run as a program it analyses one file and prints both."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_HEADER = (
    "block,position,pass,launcher,workload,m,repetition,event,value,unit,enabled_ns,running_ns,exit,output_sha256,source,"
    "raw_name,reason\n"
)
_LAUNCHERS = ("python3", "python3-again", "pyo3")
_TURNS = 32


def write_rows(path: Path, count: int) -> None:
    """About ``count`` rows as a run with chunks leaves them."""
    digest = "0" * 64
    with path.open("w") as out:
        out.write(_HEADER)
        written = block = 0
        while written < count:
            for turn in range(_TURNS):
                for place, launcher in enumerate(_LAUNCHERS):
                    for event in ("wall", "task-clock"):
                        value = 12_000_000 + (block * 7919 + turn * 104729 + place * 1299709) % 100_003
                        out.write(
                            f"{block},{place},chunks,{launcher},int_loop,200000,{turn},{event},{value},ns,,,0,{digest},software,"
                            "clock around a chunk; in the process,\n"
                        )
                        written += 1
            block += 1


def analysed(folder: Path, count: int) -> dict[str, Any]:
    """Seconds and peak memory of a process that reads and compares ``count`` rows."""
    write_rows(folder / "rows.csv", count)
    done = subprocess.run([sys.executable, "-m", "benchmarks.growth", str(folder)], check=True, stdout=subprocess.PIPE)
    (folder / "rows.csv").unlink()
    return {"rows": count, **json.loads(done.stdout)}


def main() -> None:
    """Read, reduce, compare; print seconds and megabytes."""
    from profiler.analyze.compare import Costs, compare, cost_table
    from profiler.analyze.rows import read_rows, slopes, sources
    from profiler.analyze.variance import components

    began = time.monotonic()
    frame = read_rows(Path(sys.argv[1]))
    table = cost_table(slopes(frame))
    compare(
        Costs(table=table, apart=frozenset(), sources=sources(frame), reasons={}, fallback_source="software"),
        _LAUNCHERS,
    )
    components(table, frame)
    seconds = time.monotonic() - began
    sys.stdout.write(
        json.dumps({"seconds": seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})
    )


if __name__ == "__main__":
    main()
