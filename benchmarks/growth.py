"""Analysis time and memory against the number of rows; run as a program it analyses one folder and prints both."""

from __future__ import annotations

import hashlib
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
    digest = hashlib.sha256(b"").hexdigest()
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
    """Seconds and peak memory of concluding from ``count`` rows in the folder of a run of chunks."""
    write_rows(folder / "rows.csv", count)
    done = subprocess.run([sys.executable, "-m", "benchmarks.growth", str(folder)], check=True, stdout=subprocess.PIPE)
    return {"rows": count, **json.loads(done.stdout)}


def main() -> None:
    """From the files to the verdict; print seconds (imports included) and megabytes."""
    began = time.monotonic()
    from profiler.analyze.conclude import conclude

    conclude(Path(sys.argv[1]))
    seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {"seconds": seconds, "cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
