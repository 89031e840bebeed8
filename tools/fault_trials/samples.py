"""A small result folder that is well, made once and written again for each try."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

import msgspec

from profiler.collect.resume import own, programs_of
from profiler.folder import ROWS, RUN, load_run, save_run
from profiler.launch.interpreters import resolve_target
from profiler.launch.launchers import baseline_launcher
from profiler.plan.lineup import user_hosts
from profiler.plan.schedule import make_plan
from profiler.sources.software import SoftwareSource
from profiler.system import machine
from profiler.workloads import find_workload
from tests.unit.simulated import folder_of

HOST = "/bin/sh"


@cache
def sample(blocks: int = 1) -> dict[str, bytes]:
    """The files of a run of the software source, by name; its figures are planted."""
    workload = msgspec.structs.replace(find_workload("int_loop"), counts_m=(5, 10), timed_m=(5, 10))
    plan = make_plan(
        seed=1,
        source="software",
        workload=workload,
        launchers=(baseline_launcher(resolve_target(None)), *user_hosts((f"mine={HOST} {{script}} {{m}}",))),
        passes=SoftwareSource().passes(workload),
        blocks=blocks,
    )
    with tempfile.TemporaryDirectory() as name:
        folder = folder_of(Path(name), plan, "ipc", lambda step, work, count: {"wall": step.m * 100.0 + 1e6 + count})
        run = msgspec.structs.replace(load_run(folder), machine=msgspec.to_builtins(machine.facts()))
        save_run(folder, own(msgspec.structs.replace(run, programs=programs_of(run))))
        return {name: (folder / name).read_bytes() for name in (RUN, ROWS)}


def result_folder(below: Path, blocks: int = 1) -> Path:
    """A fresh one at ``below/results``; what was there is gone."""
    folder = below / "results"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in sample(blocks).items():
        (folder / name).write_bytes(data)
    return folder
