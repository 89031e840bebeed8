"""Reads what the guests brought back and hands it to the checks."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tools.pmu_guest import checks
from tools.pmu_guest.checks import Finding
from tools.pmu_guest.jobs import CAUSES, KINDS, RECORDED, Job

REFERENCE = Path(__file__).resolve().parents[2] / "results" / "pmu-guest"
"""``ipc`` and ``variants`` as they were measured once, kept as the other results are."""
REFERENCE_TOLERANCE = 0.01
"""Heap and hash seeds move instructions by some tenths of a percent."""


def judge(jobs: Sequence[Job], out: Path) -> list[Finding]:
    """Every check of ``jobs``, whose results lie in ``out``/NAME."""
    return [finding for job in jobs for finding in _job(job, out / job.name)]


def _job(job: Job, folder: Path) -> Iterator[Finding]:
    tsv = folder / "steps.tsv"
    ran = tsv.read_text() if tsv.is_file() else ""
    yield from checks.steps(ran, [step.name for step in job.steps], str(tsv))
    for step in job.steps:
        reader = _READERS[step.name]
        try:
            yield from reader(folder, job)
        except (OSError, ValueError, KeyError) as error:
            yield Finding(
                what=f"results of {step.name}", found=f"{type(error).__name__}: {error}", expected="complete ones",
                file=str(folder / f"{step.name}.log"), passed=False,
            )  # fmt: skip


def _self_check(folder: Path, job: Job) -> Iterator[Finding]:
    file = folder / "self-check.json"
    yield from checks.self_check(json.loads(file.read_text()), job.shift, str(file))


def _perf_tests(folder: Path, _: Job) -> Iterator[Finding]:
    file = folder / "perf-tests.xml"
    yield from checks.perf_tests(file.read_text(), str(file))


def _doctor(folder: Path, _: Job) -> Iterator[Finding]:
    file = folder / "doctor.json"
    yield from checks.doctor(json.loads(file.read_text()), str(file))


def _measured(folder: Path, job: Job, name: str) -> Iterator[Finding]:
    result = result_folder(folder, name)
    file = result / "verdict.json"
    said = json.loads(file.read_text())
    with (result / "rows.csv").open(newline="") as lines:
        readings = list(csv.DictReader(lines))
    yield from checks.verdict(said, job.shift, str(file))
    yield from checks.rows(readings, job.shift, str(result / "rows.csv"))
    yield from checks.kinds_measured(readings, KINDS[name], str(result / "rows.csv"))
    reference = reference_of(job, name)
    if reference is not None:
        yield from checks.as_recorded(said, json.loads(reference.read_text()), str(file), REFERENCE_TOLERANCE)


def reference_of(job: Job, step: str) -> Path | None:
    """The verdict that this very plan gave once."""
    path = REFERENCE / step / "verdict.json"
    return path if (job.name, step) in RECORDED and path.is_file() else None


def _ipc(folder: Path, job: Job) -> Iterator[Finding]:
    yield from _measured(folder, job, "ipc")


def _variants(folder: Path, job: Job) -> Iterator[Finding]:
    yield from _measured(folder, job, "variants")
    file = result_folder(folder, "variants") / "verdict.json"
    yield from checks.causes(json.loads(file.read_text()), CAUSES, str(file))


def result_folder(folder: Path, name: str) -> Path:
    """The only result folder below ``folder``/NAME.

    Raises:
        ValueError: there is none, or there are several.
    """
    (found,) = (folder / name).glob("*")
    return found


_READERS: dict[str, Any] = {
    "self-check": _self_check,
    "perf-tests": _perf_tests,
    "doctor": _doctor,
    "ipc": _ipc,
    "variants": _variants,
}
