"""The M that a user's workload leaves open, from bare runs of the baseline before there is a plan."""

from __future__ import annotations

import tempfile
from pathlib import Path

from profiler.collect.workplace import Workplace
from profiler.errors import WorkloadError
from profiler.model import Launcher, Workload
from profiler.plan.calibrate import calibrate
from profiler.plan.schedule import draw_blocks
from profiler.system import process


def calibrated(workload: Workload, baseline: Launcher, timeout_s: float) -> Workload:
    """``workload`` with the M that it leaves open, from a few bare runs of ``baseline``.

    Raises:
        WorkloadError: it fails, hangs, or its run time does not depend on M.
    """
    block = draw_blocks(0, 1)[0]
    with tempfile.TemporaryDirectory(prefix="tax-probe-") as name:
        place = Workplace(Path(name), timeout_s)
        path = place.placed(block, workload)

        def cpu_time(m: int) -> int:
            done = process.run(place.command(path, block, baseline, m, Path(name) / "side", None))
            if done.timed_out or done.output_exceeded or done.exit != 0:
                how = "hung" if done.timed_out else "printed too much" if done.output_exceeded else "failed"
                raise WorkloadError(
                    f"{workload.path} {how} with M = {m}\n{done.stderr_tail.strip() or '(nothing on stderr)'}",
                    hint="a workload reads M from sys.argv[1] and prints one line; --m LO,HI and --timeout are yours",
                )
            return done.cpu_ns

        return calibrate(workload, cpu_time)
