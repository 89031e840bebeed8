"""``pythons --measure``: count what was found, and rank it."""

from __future__ import annotations

import time

import msgspec

from profiler.analyze.siblings import ranked
from profiler.collect.beforehand import inherited
from profiler.collect.python_counts import count_pythons
from profiler.model.installed import Pythons
from profiler.present.progress import ProgressBar
from profiler.sources.choose import probe
from profiler.system.run_lock import only_one_run
from profiler.workloads import find_workload

_USUAL = ("int_loop", "dynamic")


def counted(answer: Pythons, workloads: tuple[str, ...], *, seed: int, timeout_s: float) -> Pythons:
    """``answer`` with counts of every program, each ranked within its minor version.

    Raises:
        UsageError: no such workload.
        MachineError: callgrind does not work here, or another run is measuring.
        WorkloadError: a workload's M cannot be calibrated.
    """
    works = [find_workload(name) for name in dict.fromkeys(workloads or _USUAL)]
    source = probe("callgrind")
    began = time.monotonic()
    with only_one_run(), ProgressBar() as bar:
        found = count_pythons(answer.pythons, works, source, seed=seed, timeout_s=timeout_s, say=bar.say)
    pythons = [
        msgspec.structs.replace(python, counts=found.counts[python.file.real_path]) for python in answer.pythons
    ]  # fmt: skip
    return msgspec.structs.replace(
        answer,
        pythons=ranked(pythons),
        seed=seed,
        measured_s=time.monotonic() - began,
        warnings=(*inherited(), *found.caveats),
    )
