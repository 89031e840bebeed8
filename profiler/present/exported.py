"""A result folder for other tools: files that pyperf's commands read, and Parquet beside the CSV files."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from profiler.analyze.conclude import compared_rows, conclude
from profiler.analyze.costing import costs_as_measured
from profiler.analyze.doubts import withdraw
from profiler.analyze.rows import measured, read_all, spans
from profiler.catalogue.metrics import METRICS
from profiler.errors import MachineError, UsageError
from profiler.folder import load_run, write_atomically
from profiler.folder.regular_files import require_own_folder
from profiler.model import Launcher, Run
from profiler.present.exported_profile import callgrind_files, speedscope_files
from profiler.present.progress import tell
from profiler.present.streams import printing

if TYPE_CHECKING:
    import pandas as pd
    import pyperf

    from profiler.analyze.compare import Costs

Metadata = dict[str, str | int | float]

FOLDER = "export"
"""Where exports stand in a result folder."""

_UNITS = {"ns": ("second", 1e-9)}
"""Unit of a metric → pyperf's unit and what a value is multiplied by; all others are counts."""

_TIME, _COUNT = "wall", "instructions"
_TITLES = {_TIME: "{workload}", _COUNT: "{workload} instructions"}
"""What is exported, and how pyperf calls it: time by the workload's name alone, as its own files do."""


def export(folder: Path, wanted: Sequence[str], *, out: Path | None) -> None:
    """Write what is ``wanted`` (of ``KINDS``) into ``out``, or else into ``export/`` in ``folder``; print where it is.

    Raises:
        UsageError: ``folder`` is no result folder or holds no times for pyperf; ``out`` holds a file already that would
            be written: it may not be ours.
        MachineError: pyarrow is missing, or the place cannot be written to.
    """
    files: dict[str, bytes] = {}
    for kind in wanted:
        files |= KINDS[kind](folder)
    place = folder / FOLDER if out is None else out
    there = [name for name in files if out is not None and (out / name).exists()]
    if there:
        raise UsageError(
            f"{place / there[0]} is there already and may not be ours", hint="choose another folder with --out DIR"
        )
    try:
        if out is None:
            require_own_folder(place)
        place.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            write_atomically(place / name, data)
    except OSError as error:
        raise MachineError(
            f"cannot write to {place}: {error.strerror}", hint="make room, or choose another folder with --out DIR"
        ) from error
    with printing(f"the files are in {place}"):
        for name in files:
            print(place / name)


# ---------------------------------------------------------------- pyperf


def _benchmarks(folder: Path) -> dict[str, bytes]:
    """One suite per launcher: a run for each block, which has one value, the cost per iteration that is compared.

    A process's chunks or repetitions are no values of their own: pyperf takes all values for independent of each other.
    """
    import pyperf

    run = load_run(folder)
    rows = compared_rows(run, measured(read_all(folder)))
    costs, _ = costs_as_measured(run, rows)
    if _TIME not in costs.table or not costs.table[_TIME].notna().any():
        raise UsageError(
            f"{folder} holds no time per iteration: {costs.reasons.get(_TIME, 'no block is complete')}",
            hint="tax-probe ipc measures times whatever the source; a run that was interrupted goes on with --resume",
        )
    loops = spans(rows)
    of_metrics = {metric: _of_metric(run, metric, costs, loops[metric]) for metric in _TITLES if metric in costs.table}
    files = {}
    for launcher in run.plan.launchers:
        own = _of_launcher(run, launcher)
        values = {metric: _values(costs, launcher.name, metric) for metric in of_metrics}
        found = [
            _benchmark(run, values[metric], own | known | {"duration": _duration(values[_TIME], loops[metric])})
            for metric, known in of_metrics.items()
            if values[metric]
        ]
        if found:
            text = io.StringIO()
            pyperf.BenchmarkSuite(found).dump(text, compact=False)
            files[f"{quote(launcher.name, safe='+~@')}.json"] = text.getvalue().encode()
        else:
            tell(f"{launcher.name} is left out: its cost per iteration was not measured")
    return files


def _duration(times: dict[int, float], loops: int) -> float:
    """How long the loops of a run take, in seconds: pyperf would take counts for seconds."""
    return loops * sum(times.values()) / len(times) if times else 0.0


def _values(costs: Costs, launcher: str, metric: str) -> dict[int, float]:
    """By block, in pyperf's unit; without what is compared in no way, and without what pyperf takes for an error."""
    if metric not in costs.table or launcher not in costs.table.index.get_level_values("launcher"):
        return {}
    own = costs.table[metric].xs(launcher, level="launcher").dropna()
    by_block = zip(map(int, own.index), map(float, own), strict=True)
    kept = {block: value for block, value in by_block if (block, launcher) not in costs.apart}
    noise = [block for block, value in kept.items() if value <= 0]
    if noise:
        tell(f"{launcher}: {metric} of {len(noise)} blocks is not above zero and left out: noise exceeds the cost")
    _, scale = _unit(metric)
    return {block: value * scale for block, value in kept.items() if value > 0}


def _unit(metric: str) -> tuple[str, float]:
    (unit,) = (entry.unit for entry in METRICS if entry.name == metric)
    return _UNITS.get(unit, ("integer", 1.0))


def _benchmark(run: Run, values: dict[int, float], known: Metadata) -> pyperf.Benchmark:
    import pyperf

    seeds = {block.index: block.hash_seed for block in run.plan.blocks}
    return pyperf.Benchmark(
        [
            pyperf.Run(
                (value,),
                metadata=known | {"tax_probe_block": block, "python_hash_seed": seeds[block]},
                collect_metadata=False,
            )
            for block, value in sorted(values.items())
        ]
    )


def _of_metric(run: Run, metric: str, costs: Costs, loops: int) -> Metadata:
    doubt = withdraw(costs).doubts.get(metric)
    known: Metadata = {
        "name": _TITLES[metric].format(workload=run.plan.workload.name),
        "unit": _unit(metric)[0],
        "loops": loops,
        "tax_probe_source": costs.sources.get(metric, costs.fallback_source),
        "description": "cost per iteration, without the start-up; a run is one block, by tax-probe",
    }
    return known if doubt is None else known | {"tax_probe_withdrawn": " ".join(doubt.reason.split())}


def _of_launcher(run: Run, launcher: Launcher) -> Metadata:
    """What pyperf itself would say of such a process, by its names, as far as it is known; and what only we know."""
    machine: dict[str, Any] = run.machine
    known: dict[str, Any] = {
        "python_implementation": "cpython",
        "python_version": run.fingerprints.get(launcher.name, {}).get("version", run.target.version),
        "python_executable": run.target.path if launcher.role in ("baseline", "twin") else launcher.argv[0],
        "date": run.started_utc.replace("T", " ").partition("+")[0],
        "cpu_model_name": machine.get("cpu_model"),
        "cpu_count": machine.get("cpus_online"),
        **{name: machine.get("pyperf", {}).get(name) for name in ("aslr", "cpu_config", "platform")},
        "tax_probe_launcher": launcher.name,
        "tax_probe_eval_loop": launcher.image,
        "tax_probe_command": run.command,
    }
    return {name: value for name, value in known.items() if value not in (None, "")}


# ---------------------------------------------------------------- Parquet


def _parquet(folder: Path) -> dict[str, bytes]:
    """All readings, warm-ups too, as in ``rows.csv``; and the comparisons, as in ``summary.csv``."""
    import pandas as pd

    if find_spec("pyarrow") is None:
        raise MachineError("Parquet needs pyarrow, which is not installed", hint="pip install pyarrow")
    rows = read_all(folder)
    rows.attrs.clear()  # of the reading, no part of the data
    comparisons = pd.DataFrame(msgspec.to_builtins(conclude(folder).comparisons))
    return {"rows.parquet": _packed(rows), "comparisons.parquet": _packed(comparisons)}


def _packed(frame: pd.DataFrame) -> bytes:
    data = io.BytesIO()
    frame.to_parquet(data, engine="pyarrow", index=False)
    return data.getvalue()


KINDS: dict[str, Callable[[Path], dict[str, bytes]]] = {
    "pyperf": _benchmarks,
    "parquet": _parquet,
    "callgrind": callgrind_files,
    "speedscope": speedscope_files,
}
"""What a folder can be made into, and what makes the files of it."""
