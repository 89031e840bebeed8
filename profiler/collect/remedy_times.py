"""The remedy's time: its library in turns with the baseline and the distribution's, until the interval is narrow.

A run of its own in a folder of its own, beside the library that it is about: times need chunks and quiet minutes where
counting needs neither, and can be taken again later without anything being built.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from profiler.catalogue.caveats import NOT_QUIET, caveat
from profiler.catalogue.interventions import REBUILT
from profiler.collect.bench import Limits
from profiler.collect.calibration_runs import calibrated
from profiler.collect.resume import continued, is_own
from profiler.collect.session import Look, Progress, measure
from profiler.errors import MachineError
from profiler.folder import RUN, load_run, recorded, require_own_folder, save_run, write_atomically
from profiler.launch.interpreters import resolve_target
from profiler.model import Precision, Run, Standing, Variant
from profiler.model.factorial import Remedy, remedy_time_folder
from profiler.plan.schedule import make_plan
from profiler.plan.treat import on_library
from profiler.sources.software import SoftwareSource
from profiler.system.home import cache_folder
from profiler.system.quiet import Quiet
from profiler.workloads import BUILT_IN

METRIC = "task-clock"
PRECISION = 0.02
_WAITING = 1 / 3
"""Of the budget, at most, for quiet minutes."""


class Told(Progress, Protocol):
    """Progress that also prints a line."""

    def say(self, text: str) -> None:
        """A line for the user."""


def time_remedy(
    run: Run,
    remedy: Remedy,
    folder: Path,
    *,
    limits: Limits,
    budget_s: float,
    progress: Told,
    watch: Callable[[Path], Look],
    quiet: Quiet | None = None,
) -> Path:
    """Measure CPU time until each ratio to the baseline is known within ± ``PRECISION``, or ``budget_s`` seconds ended.

    What was measured of this very library before is gone on with. ``watch`` makes, of the folder, who looks when the
    precision is reached (``analyze.sequential.PrecisionWatch``).

    Returns:
        The folder with run and rows, a result folder like any other.

    Raises:
        Interrupted: what was measured is kept.
        WorkloadError, MachineError: a launcher does not run, or the folder cannot be written.
    """
    place = folder / remedy_time_folder(remedy)
    source, quiet = SoftwareSource(), quiet or Quiet(budget_s * _WAITING)
    if recorded(place, RUN).exists():
        begun = load_run(place)
        if not is_own(begun):
            raise MachineError(
                f"{place} does not show that you began it",
                hint=f"tax-probe ipc --resume {place} says what that would run",
            )
        begun = continued(begun, lambda: resolve_target(begun.target.path), accept_changes=False)
    else:
        try:
            require_own_folder(place.parent)
            require_own_folder(place)
        except OSError as error:
            raise MachineError(
                f"cannot write to {place}: {error.strerror}", hint="make room, or choose --out"
            ) from error
        begun = plan_of(run, remedy, folder, limits)
    progress.say(f"remedy: timing {remedy.launcher} until ± {PRECISION:.0%}, {budget_s:.0f} s at most")
    stands = watch(place)

    def look(now: Run, blocks: int) -> Standing:
        standing = stands(now, blocks)
        if not standing.reached:
            quiet.wait()
        return standing

    quiet.wait()
    done = measure(begun, source, place, limits=limits, budget_s=budget_s, progress=progress, look=look)
    if quiet.disturbed:
        found = caveat(
            NOT_QUIET,
            f"{len(quiet.disturbed)} of {quiet.waits} blocks were begun while other work took up to "
            f"{max(quiet.disturbed):.0%} of the CPUs: waiting for quiet minutes had come to its end",
        )
        save_run(place, msgspec.structs.replace(done, warnings=(*done.warnings, found)))
    return place


def _in_cache(library: Path) -> Path:
    """A copy of ``library`` that nobody else can change, in a folder of its own: the loader takes what it is told to
    from there, and a result folder may come back with other files.

    Raises:
        MachineError: it cannot be read, or the cache cannot be written.
    """
    try:
        data = library.read_bytes()
        place = cache_folder() / "libraries" / hashlib.sha256(data).hexdigest()[:16]
        place.mkdir(parents=True, exist_ok=True)
        write_atomically(place / library.name, data)
    except OSError as error:
        raise MachineError(
            f"cannot copy {library} into the cache: {error.strerror}", hint="make room, or set XDG_CACHE_HOME"
        ) from error
    return place / library.name


def plan_of(run: Run, remedy: Remedy, folder: Path, limits: Limits) -> Run:
    """The run that times the library in ``folder``: the baseline, the embedder on its own library, and on this one.

    Raises:
        WorkloadError: the workload's M cannot be calibrated.
        MachineError: the cache cannot be written.
    """
    baseline, embedder = (
        next(launcher for launcher in run.plan.launchers if launcher.role == role) for role in ("baseline", "embedder")
    )
    library = _in_cache(folder / remedy.library)
    variant = Variant(of=embedder.name, intervention=REBUILT, way="replaced")
    workload = next(
        (workload for workload in BUILT_IN if workload.work == run.plan.workload.work),
        # M that suit counting, or were asked for, may be too little work to time.
        msgspec.structs.replace(run.plan.workload, counts_m=None, timed_m=None),
    )
    workload = calibrated(workload, baseline, limits.timeout_s)
    source = SoftwareSource()
    return msgspec.structs.replace(
        run,
        command="ipc",
        plan=make_plan(
            seed=run.plan.seed,
            source=source.name,
            workload=workload,
            launchers=(baseline, embedder, on_library(embedder, variant, library, name=remedy.launcher)),
            passes=source.chunk_passes(workload, METRIC),
            blocks=1,
            precision=Precision(metric=METRIC, half_width=PRECISION),
        ),
        source_sentence=source.describe(),
        missing=source.missing,
        fingerprints={},
        warnings=(),
        measured_s=None,
        rebuilt=None,
        known_causes=(),
        remedy=None,
    )
