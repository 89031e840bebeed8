"""Run the samples once in each launcher, and hold what they print against this machine's own ``python3``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from profiler import workloads
from profiler.errors import WorkloadError
from profiler.launch.interpreters import resolve_target
from profiler.launch.launchers import baseline_launcher
from profiler.model import Launcher
from profiler.model.sample_table import SAMPLES_SCHEMA, SampleRun, SampleTable
from profiler.system import process
from profiler.system.own_folder import own_folder
from profiler.system.process import Command

_FOLDER = Path(workloads.__file__).parent
_SCRIPT = "import sys\nsys.path.insert(0, {folder!r})\nimport samples\nsamples.tell({told!r})\n"
_MAX_OUTPUT_BYTES = 1 << 20
_SHOWN = 160
_SLOWDOWN = 30
"""An emulator may take so many times as long."""

Told = dict[str, dict[str, Any]]
"""By sample: ``{"printed": …}`` or ``{"failed": …}``; empty: it began, and did not end."""


def run_samples(
    target: str, launchers: tuple[Launcher, ...], *, timeout_s: float, say: Callable[[str], None]
) -> SampleTable:
    """All samples in all ``launchers`` of the target called ``target``.

    Raises:
        WorkloadError: this machine's own ``python3`` does not run one of them.
        UsageError: there is none.
    """
    own = resolve_target(None)
    with own_folder() as folder:
        reference, ended = _told(baseline_launcher(own), folder, timeout_s)
        broken = [name for name, said in reference.items() if "printed" not in said]
        if broken or not reference:
            raise WorkloadError(
                f"{own.real_path} does not run the samples {', '.join(broken)}: {ended}",
                hint="this is the measure of all others: run the sample by itself",
            )
        runs: list[SampleRun] = []
        for launcher in launchers:
            told, ended = _told(launcher, folder, timeout_s * _SLOWDOWN)
            runs += compared(launcher.name, reference, told, ended)
            say(f"{target}, {launcher.name}: {sum(run.outcome == 'equal' for run in runs[-len(reference) :])} "
                f"of {len(reference)} samples equal bit for bit")  # fmt: skip
    return SampleTable(
        schema=SAMPLES_SCHEMA,
        target=target,
        reference=f"{own.real_path}, CPython {own.version}",
        launchers=tuple(launcher.name for launcher in launchers),
        samples=tuple(reference),
        runs=tuple(runs),
    )


def require_equal(table: SampleTable) -> None:
    """Every sample printed the same everywhere.

    Raises:
        WorkloadError: one did not.
    """
    unequal = [run for run in table.runs if run.outcome != "equal"]
    if unequal:
        first = unequal[0]
        raise WorkloadError(
            f"{len(unequal)} of {len(table.runs)} samples on {table.target} are not equal: {first.sample} in "
            f"{first.launcher} {first.outcome}: {first.reason}",
            hint="the table has them all; run the sample in that launcher by itself",
        )


def _told(launcher: Launcher, folder: Path, timeout_s: float) -> tuple[Told, str]:
    """What the samples said in one process, and how that ended."""
    script, told = folder / "samples-told.py", folder / "told"
    script.write_text(_SCRIPT.format(folder=str(_FOLDER), told=str(told)), encoding="utf-8")
    told.unlink(missing_ok=True)
    done = process.run(
        Command(
            argv=tuple(part.replace("{script}", str(script)).replace("{m}", "1") for part in launcher.argv),
            env=dict(os.environ) | {"PYTHONDONTWRITEBYTECODE": "1"} | launcher.env,
            cwd=str(Path.cwd()),
            cpu=None,
            timeout_s=timeout_s,
            max_output_bytes=_MAX_OUTPUT_BYTES,
        )
    )
    tail = (done.stderr_tail.strip() or "nothing on stderr").splitlines()[-1][:_SHOWN]
    ended = f"it did not end in {timeout_s:.0f} s" if done.timed_out else f"exit {done.exit}, {tail}"
    return read_told(told.read_text(encoding="utf-8") if told.is_file() else ""), ended


def read_told(text: str) -> Told:
    """What ``samples.tell`` wrote; a line without its end is left out."""
    found: Told = {}
    for line in text.split("\n")[:-1]:
        said = json.loads(line)
        if "begins" in said:
            found[said["begins"]] = {}
        else:
            found[said.pop("name")] = said
    return found


def compared(launcher: str, reference: Told, told: Mapping[str, dict[str, Any]], ended: str) -> Iterator[SampleRun]:
    """Each sample of ``reference`` in one launcher, whose process ``ended`` so."""
    for name, wanted in reference.items():
        said = told.get(name)
        if said is None:
            yield SampleRun(sample=name, launcher=launcher, outcome="not reached", reason=ended)
        elif "printed" not in said:
            yield SampleRun(sample=name, launcher=launcher, outcome="fails", reason=said.get("failed", ended)[:_SHOWN])
        elif said["printed"] != wanted["printed"]:
            reason = _difference(wanted["printed"], said["printed"])
            yield SampleRun(sample=name, launcher=launcher, outcome="differs", reason=reason)
        else:
            yield SampleRun(sample=name, launcher=launcher, outcome="equal", reason=None)


def _difference(wanted: str, printed: str) -> str:
    """The first line that is another; lines are told apart with their ends."""
    pairs = zip([*wanted.splitlines(), ""], [*printed.splitlines(), ""], strict=False)
    one, other = next(((a, b) for a, b in pairs if a != b), (None, None))
    if one is None or other is None:
        return "other ends of lines"
    both = zip(one, other, strict=False)
    at = next((n for n, (a, b) in enumerate(both) if a != b), min(len(one), len(other)))
    return f"{_around(other, at)} instead of {_around(one, at)}"


def _around(line: str, at: int) -> str:
    return repr(line[max(0, at - 20) : at + 40])
