"""Time to a given interval of the ratio of wall times, against hyperfine, pyperf and ``perf stat -r``.

Every tool is used as its documentation has it, in slices that take turns, until its interval is narrow or time is up.
The peers' interval is that of the ratio of two means by their own runs (delta method); a peer whose time is up gets the
time that it would need if its interval shrank with the root of its runs, marked as extrapolated.
"""

from __future__ import annotations

import json
import math
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

RUNS = 10
Slice = Callable[[Sequence[str], Path], list[float]]
"""Run one command RUNS times or so; returns seconds per run."""


def hyperfine(command: Sequence[str], scratch: Path) -> list[float]:
    """``hyperfine -N --warmup 1``."""
    out = scratch / "hyperfine.json"
    quiet(["hyperfine", "-N", "--warmup", "1", "--runs", str(RUNS), "--export-json", str(out), " ".join(command)])
    return list(json.loads(out.read_text())["results"][0]["times"])


def pyperf(command: Sequence[str], scratch: Path) -> list[float]:
    """``pyperf command``: five processes with a warm-up and three values each; the process is the unit."""
    out = scratch / "pyperf.json"
    out.unlink(missing_ok=True)
    quiet([sys.executable, "-m", "pyperf", "command", "-q", "-p", "5", "-o", str(out), "--", *command])
    runs = json.loads(out.read_text())["benchmarks"][0]["runs"]
    return [statistics.mean(run["values"]) for run in runs if run.get("values")]


def perf_stat(command: Sequence[str], scratch: Path) -> list[float]:
    """``perf stat -r`` gives mean and error of the mean only; figures with that mean and scatter stand for runs."""
    out = scratch / "perf.csv"
    quiet(["perf", "stat", "-x,", "-o", str(out), "-r", str(RUNS), "-e", "duration_time", "--", *command])
    cells = next(line for line in out.read_text().splitlines() if "duration_time" in line).split(",")
    mean = float(cells[0]) * 1e-9
    deviation = mean * float(cells[3].rstrip("%")) / 100 * math.sqrt(RUNS)
    # Two symmetric halves with exactly this mean and sample deviation.
    off = deviation * math.sqrt((RUNS - 1) / RUNS)
    return [mean - off] * (RUNS // 2) + [mean + off] * (RUNS // 2)


def quiet(argv: Sequence[str]) -> None:
    """Run to the end; what it prints is of no use here."""
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def half_width(first: Sequence[float], second: Sequence[float]) -> float:
    """Relative half-width of the 95 % interval of mean(second) / mean(first) (delta method, the smaller freedom)."""
    from scipy import stats

    terms = [statistics.variance(one) / len(one) / statistics.mean(one) ** 2 for one in (first, second)]
    freedom = min(len(first), len(second)) - 1
    return float(stats.t.ppf(0.975, freedom)) * math.sqrt(sum(terms))


def race(
    commands: Sequence[Sequence[str]], wanted: float, limit_s: float, scratch: Path, seed: int
) -> list[dict[str, Any]]:
    """One result per tool: seconds to ± ``wanted``, and whether it got there."""
    peers: dict[str, Slice] = {"hyperfine": hyperfine, "pyperf": pyperf, "perf stat -r": perf_stat}
    results = [tax_probe(wanted, limit_s, scratch, seed)]
    running = [name for name in peers if name == "pyperf" or shutil.which(name.split()[0])]
    times: dict[str, tuple[list[float], list[float], float]] = {name: ([], [], 0.0) for name in running}
    while running:
        for name in list(running):
            first, second, spent = times[name]
            began = time.monotonic()
            first += peers[name](commands[0], scratch)
            second += peers[name](commands[1], scratch)
            spent += time.monotonic() - began
            times[name] = first, second, spent
            width = half_width(first, second)
            if width <= wanted or spent >= limit_s:
                running.remove(name)
                reached = width <= wanted
                results.append(
                    {
                        "tool": name,
                        "wanted": wanted,
                        "reached": reached,
                        "half_width": width,
                        "spent_s": spent,
                        "needed_s": spent if reached else spent * (width / wanted) ** 2,
                        "ratio": statistics.mean(second) / statistics.mean(first),
                    }
                )
    return results


def tax_probe(wanted: float, limit_s: float, scratch: Path, seed: int) -> dict[str, Any]:
    """``tax-probe ipc --precision``, everything included: start, checks, analysis, figures."""
    began = time.monotonic()
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from profiler.cli import entry; entry()", "ipc", "--source", "software"),
            *("--launcher", "pyo3", "--precision", f"{100 * wanted:g}%", "--metric", "wall", "--seed", str(seed)),
            *("--budget", f"{limit_s:g}", "--out", str(scratch / "runs"), "--format", "json"),
        ],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    spent = time.monotonic() - began
    wall = next(c for c in json.loads(done.stdout)["comparisons"] if (c["launcher"], c["metric"]) == ("pyo3", "wall"))
    width = max(wall["hi"] / wall["ratio"], wall["ratio"] / wall["lo"]) - 1 if wall["lo"] else None
    reached = width is not None and width <= wanted * 1.0001
    more = None if width is None else (width / wanted) ** 2
    return {
        "tool": "tax-probe",
        "wanted": wanted,
        "reached": reached,
        "half_width": width,
        "spent_s": spent,
        "needed_s": spent if reached else more and spent * more,
        "ratio": wall["ratio"],
    }
