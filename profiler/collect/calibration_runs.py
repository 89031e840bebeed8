"""The M that a user's workload leaves open, from bare runs of the baseline before there is a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from profiler.collect.missing_module import explained
from profiler.collect.workplace import Workplace
from profiler.errors import WorkloadError
from profiler.model import Launcher, Workload
from profiler.plan.calibrate import calibrate, does_not_grow, grows
from profiler.plan.schedule import draw_blocks
from profiler.system import process
from profiler.system.own_folder import own_folder

_ENDLESS_NS = 10**15


def calibrated(workload: Workload, baseline: Launcher, timeout_s: float) -> Workload:
    """``workload`` with the M that it leaves open, from a few bare runs of ``baseline``.

    Raises:
        WorkloadError: it fails, hangs, or its run time does not depend on M.
    """
    with _bare_runs(workload, baseline, timeout_s) as run:

        def cpu_time(m: int) -> int:
            done = run(m)
            if not done.succeeded:
                lacking = explained(baseline, baseline, done.stderr_tail)
                if lacking is not None:
                    raise lacking
                how = "hung" if done.timed_out else "printed too much" if done.output_exceeded else "failed"
                raise WorkloadError(
                    f"{workload.path} {how} with M = {m}\n{done.stderr_tail.strip() or '(nothing on stderr)'}",
                    hint="a workload reads M from sys.argv[1] or TAX_PROBE_M and prints one line; --m LO,HI and "
                    "--timeout are yours",
                )
            return done.cpu_ns

        return calibrate(workload, cpu_time)


def require_growth(workload: Workload, baseline: Launcher, timeout_s: float) -> None:
    """The work of ``workload``, whose M were asked for, is more at the higher one; outputs that differ show it.

    A run that fails is no matter of this: it will be told where all launchers are looked at.

    Raises:
        WorkloadError: it is the same whatever M is.
    """
    assert workload.counts_m is not None
    with _bare_runs(workload, baseline, timeout_s) as run:
        seen = [run(m) for m in workload.counts_m]
        if not all(completed.succeeded for completed in seen) or len({completed.stdout for completed in seen}) > 1:
            return

        def cpu_time(m: int) -> int:
            done = run(m)
            # More M than was asked for may be too much: so it does grow.
            return done.cpu_ns if done.succeeded else _ENDLESS_NS

        if not grows(cpu_time, max(workload.counts_m)):
            raise does_not_grow(workload)


@contextmanager
def _bare_runs(
    workload: Workload, baseline: Launcher, timeout_s: float
) -> Iterator[Callable[[int], process.Completed]]:
    """How to run ``workload`` in ``baseline`` at an M, without any counters."""
    block = draw_blocks(0, 1)[0]
    with own_folder() as folder:
        place = Workplace(folder, timeout_s)
        path = place.placed(block, workload)

        def run(m: int) -> process.Completed:
            return process.run(place.command(path, workload, block, baseline, m, folder / "side", None))

        yield run
