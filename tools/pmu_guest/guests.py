"""The guests, two at a time: each gets its disks, does its job, and leaves its results in a folder of its name."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tools.pmu_guest.boot import qemu_command, run_guest
from tools.pmu_guest.console import say
from tools.pmu_guest.image import job_disk, precompile
from tools.pmu_guest.jobs import Job, steps_of
from tools.pmu_guest.prepare import Places
from tools.pmu_guest.side_by_side import side_by_side
from tools.pmu_guest.tree import copy_tree

TIMEOUT_S = 1500.0
"""Of one guest: four times what the longest takes on a busy machine."""
EXTENSION = "_counters.abi3.so"
SCRATCH = ".run-"
"""How the folders begin in which guests run; one that is there when none runs was left by a kill."""


def run_guests(jobs: Sequence[Job], places: Places, out: Path, *, python: str, timeout_s: float) -> dict[str, float]:
    """Run all of ``jobs``, results in ``out``/NAME; gives the seconds that each took.

    Raises:
        GuestFailed: a guest did not do its job; the others are ended.
    """
    with tempfile.TemporaryDirectory(dir=places.image.parent, prefix=SCRATCH) as name:
        scratch = Path(name)
        tree = scratch / "tree" / "work" / "tree"
        tree.mkdir(parents=True)
        copy_tree(tree, places.built / EXTENSION)
        precompile(scratch / "tree", python)
        built = [(f"rust/{file.name}", file) for file in places.built.iterdir() if file.name != EXTENSION]

        def one(job: Job) -> float:
            began = time.monotonic()
            own = scratch / job.name
            own.mkdir()
            disk, results = own / "job.tar", own / "out.img"
            job_disk([("tree", tree), *built], steps_of(job), disk)
            command = qemu_command(places.tools, places.disks(disk), results, job.shift)
            say(f"{job.name}: power on, icount shift {job.shift}")
            run_guest(
                command, places.tools, out=results, folder=out / job.name, timeout_s=timeout_s,
                on_line=lambda line: say(f"{job.name}: {line}"),
            )  # fmt: skip
            return time.monotonic() - began

        return side_by_side({job.name: partial(one, job) for job in jobs})
