"""``make bench``: race, overhead, start-up and growth; figures and plots go to ``results/bench/``."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.growth import analysed
from benchmarks.race import race
from profiler.cli import main as tax_probe
from profiler.folder import load_run
from profiler.launch.host_builds import build_hosts
from profiler.launch.interpreters import resolve_target
from profiler.sources import timed
from profiler.system import machine, process
from profiler.workloads import find_workload

OUT = Path("results/bench")
M = 1_200_000
_HELP_RUNS = 21


def main() -> None:
    """All parts, or those that are named."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "part", nargs="*", choices=["race", "overhead", "startup", "growth", "first", "aa"], help="default: all but aa"
    )
    parser.add_argument("--limit", type=float, default=75.0, help="seconds per tool and precision (default: 75)")
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 50), help="of the A/A runs; from 0 on: begin anew")
    parser.add_argument("--most-rows", type=float, default=1e7)
    args = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    parts = args.part or ["startup", "first", "overhead", "growth", "race"]
    results = json.loads((OUT / "bench.json").read_text()) if (OUT / "bench.json").exists() else {}
    results["machine"] = {"cpu": machine.facts().cpu_model, "kernel": machine.facts().kernel}
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for part in parts:
            say(part)
            results[part] = {
                "race": lambda: run_race(scratch, args.limit),
                "overhead": lambda: run_overhead(scratch),
                "startup": run_startup,
                "first": lambda: run_first(scratch),
                "growth": lambda: run_growth(scratch, int(args.most_rows)),
                "aa": lambda: run_aa(scratch, results.get("aa"), *args.seeds),
            }[part]()
            # Children of the benchmark count too; much more than one says that the machine was not its own.
            results.setdefault("load_average", {})[part] = os.getloadavg()[1]
            say(json.dumps(results[part], indent=1))
            (OUT / "bench.json").write_text(json.dumps(results, indent=1) + "\n")
    plot(results)


def run_race(scratch: Path, limit_s: float) -> list[dict[str, Any]]:
    """Time to ± 1 % and ± 0.5 %."""
    target = resolve_target(None)
    host = build_hosts(target, "shared", on_line=say)
    script = find_workload("int_loop").path
    commands = [(target.real_path, script, str(M)), (host.pyo3, script, str(M))]
    return [one for wanted in (0.01, 0.005) for one in race(commands, wanted, limit_s, scratch, seed=1)]


def run_overhead(scratch: Path) -> dict[str, dict[str, float]]:
    """Shares of a run's wall time in which nothing was measured: no child alive, no core's clock taken for its run.

    ``whole``: of all, imports, checks, analysis and figures included; ``measuring``: from the first block to the last.
    """
    spans: list[tuple[float, float]] = []

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any) -> Any:
            began = time.monotonic()
            try:
                return call(*args)
            finally:
                spans.append((began, time.monotonic()))

        return wrapped

    @contextmanager
    def watched_live(*args: Any) -> Iterator[Any]:
        began = time.monotonic()
        with live(*args) as child:
            yield child
        spans.append((began, time.monotonic()))

    live = process.live
    seams = {(process, "run"): watched(process.run), (process, "live"): watched_live}
    seams[timed, "_clock_ghz"] = watched(timed._clock_ghz)
    before = {place: getattr(*place) for place in seams}
    asked = {"whole processes": ("--blocks", "15"), "chunks": ("--precision", "0.01", "--blocks", "20")}
    found = {}
    for name, options in asked.items():
        spans.clear()
        for place, call in seams.items():
            setattr(*place, call)
        began = time.monotonic()
        try:
            argv = ["ipc", "--source", "software", "--launcher", "pyo3", "--seed", "1"]
            tax_probe([*argv, "--out", str(scratch / name), *options])
        finally:
            ended = time.monotonic()
            for place, call in before.items():
                setattr(*place, call)
        (folder,) = (scratch / name).iterdir()
        measured_s = load_run(folder).measured_s
        assert measured_s is not None
        idle = ended - began - covered(spans)
        # What precedes the first block: the launchers are looked at, while children are alive too.
        last = max(end for _, end in spans)
        inside = [(max(start, last - measured_s), end) for start, end in spans if end > last - measured_s]
        found[name] = {"whole": idle / (ended - began), "measuring": 1 - covered(inside) / measured_s}
    return found


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Length of the union of spans."""
    total = reached = 0.0
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def run_startup() -> dict[str, float]:
    """Median milliseconds of ``tax-probe --help`` and of ``import profiler.cli``, each in a fresh process."""
    entry = str(Path(sys.executable).with_name("tax-probe"))
    found = {}
    for name, argv in {"help": [entry, "--help"], "import": [sys.executable, "-c", "import profiler.cli"]}.items():
        times = []
        for _ in range(_HELP_RUNS):
            began = time.monotonic()
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
            times.append(1e3 * (time.monotonic() - began))
        found[f"{name}_ms"] = statistics.median(times)
    return found


def run_first(scratch: Path) -> dict[str, float]:
    """Seconds until the first exact count of a plain ``ipc`` by callgrind is told, and until its answer."""
    build_hosts(resolve_target(None), "shared", on_line=say)
    command = (sys.executable, "-c", "from profiler.cli import entry; entry()", "ipc", "--source", "callgrind")
    started = time.monotonic()
    with subprocess.Popen(
        (*command, "--out", str(scratch)), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr is not None
        told = next(
            (time.monotonic() - started for line in run.stderr if line.startswith("first count: ")), float("nan")
        )
        run.communicate()
    return {"first_count_s": told, "answer_s": time.monotonic() - started}


def run_growth(scratch: Path, most: int) -> list[dict[str, Any]]:
    """10³ rows, 10⁴ rows, … up to ``most``, in the folder of a run with chunks."""
    out = scratch / "growth"
    short = ("--precision", "90", "--metric", "wall", "--blocks", "1")
    tax_probe(["ipc", "--source", "software", "--launcher", "pyo3", "--seed", "1", "--out", str(out), *short])
    (folder,) = out.iterdir()
    return [analysed(folder, 10**power) for power in range(3, len(str(most)))]


def run_aa(scratch: Path, before: dict[str, Any] | None, first: int, end: int) -> dict[str, Any]:
    """The baseline against itself, once per seed: how often is it called slower or faster? ``before``: lower seeds."""
    wrong: list[dict[str, Any]] = [] if before is None or first == 0 else before["false"]
    widths: list[float] = [] if before is None or first == 0 else before["half_widths"]
    assert len(widths) == first
    for seed in range(first, end):
        out = scratch / f"aa-{seed}"
        argv = ["ipc", "--source", "software", "--launcher", "python3", "--precision", "1", "--metric", "wall"]
        done = subprocess.run(
            [
                *(sys.executable, "-c", "from profiler.cli import entry; entry()", *argv),
                *("--seed", str(seed), "--budget", "10", "--format", "json", "--out", str(out)),
            ],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        found = {c["metric"]: c for c in json.loads(done.stdout)["comparisons"]}
        widths.append((found["wall"]["hi"] - found["wall"]["lo"]) / 2)
        wrong += [
            {"seed": seed, "metric": metric, "ratio": c["ratio"], "lo": c["lo"], "hi": c["hi"]}
            for metric, c in found.items()
            if c["verdict"] in {"slower", "faster"}
        ]
        say(f"A/A, seed {seed}: {len({one['seed'] for one in wrong})} with a false verdict")
    return {
        "runs": len(widths),
        "runs_with_false_verdict": len({one["seed"] for one in wrong}),
        "median_half_width": statistics.median(widths),
        "false": wrong,
        "half_widths": widths,
    }


def plot(results: dict[str, Any]) -> None:
    """Seconds to the precision by tool, and analysis against rows."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "tax-probe"
    if "race" in results:
        drawing = Figure(figsize=(7, 3.5), layout="constrained")
        FigureCanvasAgg(drawing)
        axes = drawing.subplots()
        labels = [f"{one['tool']}, ± {100 * one['wanted']:g} %" for one in results["race"]]
        reached = ["#1b7f3b" if one["reached"] else "#c28a00" for one in results["race"]]
        # No bar where a tool had too few runs for any interval.
        axes.barh(labels[::-1], [one["needed_s"] or 0 for one in results["race"]][::-1], color=reached[::-1])
        axes.set_xscale("log")
        axes.set_xlabel("seconds to the interval (amber: extrapolated)")
        drawing.savefig(OUT / "race.svg", metadata={"Date": None})
    if "growth" in results:
        drawing = Figure(figsize=(7, 3), layout="constrained")
        FigureCanvasAgg(drawing)
        for axes, key, unit in zip(drawing.subplots(1, 2), ("seconds", "peak_mb"), ("s", "MB"), strict=True):
            axes.loglog([one["rows"] for one in results["growth"]], [one[key] for one in results["growth"]], "o-")
            axes.set_xlabel("rows")
            axes.set_ylabel(unit)
        drawing.savefig(OUT / "growth.svg", metadata={"Date": None})


def say(text: str) -> None:
    """Progress goes to stderr."""
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main()
