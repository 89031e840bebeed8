"""From a request to a run that can begin: target, source, hosts, calibrated workload, plan, result folder facts."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from profiler.catalogue.events import BY_NAME
from profiler.collect.calibrating import calibrated
from profiler.collect.request import SWEEPS, Request
from profiler.errors import MachineError, UsageError
from profiler.launch.builds import HostBuild
from profiler.launch.inspection import inspect_target
from profiler.launch.interpreters import resolve_target
from profiler.launch.launchers import DEFAULT
from profiler.model import (
    BASELINE,
    EMBEDDER,
    SCHEMA,
    Cause,
    Launcher,
    Native,
    Phased,
    Precision,
    Run,
    SourceName,
    Target,
    Workload,
)
from profiler.plan.arms import build_arms, default_eliminations
from profiler.plan.lineup import chosen, whole_ladder
from profiler.plan.schedule import make_plan
from profiler.plan.sweep import intervened, startup_passes, sweep_m, sweep_passes
from profiler.rebuild.combinations import rebuilt_lineup
from profiler.rebuild.left import Watch
from profiler.rebuild.memory import recall
from profiler.rebuild.shop import default_shop
from profiler.sources.source import Source
from profiler.system import machine
from profiler.system.environment import environment_caveats
from profiler.workloads import find_workload

DEFAULT_BLOCKS: dict[str, dict[SourceName, int]] = {
    "ipc": {"hardware": 10, "callgrind": 6, "software": 15},
    "variants": {"hardware": 8, "callgrind": 5, "software": 10},
    "amortize": {"hardware": 15, "callgrind": 15, "software": 15},
    "eliminate": {"hardware": 8, "callgrind": 6, "software": 8},
    "rebuild": {"hardware": 8, "callgrind": 4, "software": 10},
}
"""Enough blocks for intervals within the time of a command: ``ipc`` a minute with counters and two without,
``variants`` five and eight, ``amortize`` and ``eliminate`` three to four."""

DEFAULT_WORKLOAD = {"amortize": "dynamic"}
"""Of commands that repeat a measurement of the PoC; ``int_loop`` elsewhere."""

DEFAULT_LAUNCHERS = {"eliminate": (BASELINE, EMBEDDER)}

CHUNKS_SUFFICE = frozenset({"ipc"})
"""Commands that can do with parts of processes, where nothing can count whole ones."""


class Choose(Protocol):
    """How a source is chosen (``choose.choose_source``)."""

    def __call__(self, name: str, *, chunks_suffice: bool) -> tuple[Source, str]:
        """The source, and one sentence on which and why."""


def prepare(request: Request, command: str, argv: Sequence[str], choose: Choose, watch: Watch) -> tuple[Run, Source]:
    """Everything before the first measured process.

    Raises:
        UsageError, MachineError, WorkloadError: with the remedy; nothing has been written yet.
    """
    target = resolve_target(request.python)
    workload = find_workload(request.workload or DEFAULT_WORKLOAD.get(command, "int_loop"))
    source, why = choose(request.source, chunks_suffice=command in CHUNKS_SUFFICE)
    watch.say(f"source: {why}")
    if command == "variants":
        lineup = whole_ladder(target, request.host, request.libpython, source.name, watch.say)
    elif command == "rebuild":
        lineup = rebuilt_lineup(
            target, plan_file=request.plan, source_tree=request.source_tree, jobs=request.jobs, watch=watch
        )
    else:
        names = DEFAULT_LAUNCHERS.get(command, DEFAULT) if request.launcher is None else request.launcher
        lineup = chosen(target, names, request.host, watch.say)
    workload = _with_m(workload, request, command, lineup.launchers[0])
    precision = wanted_precision(request, source)
    watch.say(f"target: {target.real_path} (CPython {target.version}), workload: {workload.name}")
    passes = source.passes(workload)
    arms = None
    more: tuple[Launcher, ...] = ()
    if command == "amortize":
        passes = sweep_passes(workload, sweep_m(workload, request.m), passes, lineup.launchers)
        passes += startup_passes(lineup.launchers, counted=shutil.which("valgrind") is not None)
        more = intervened(lineup.launchers)
    elif command == "eliminate":
        arms = build_arms(
            default_eliminations() if request.elimination is None else request.elimination,
            workload=request.workload or workload.name,
            complete=lambda name: _with_m(find_workload(name), request, command, lineup.launchers[0]),
            launchers=lineup.launchers,
            offered=passes,
            source=source.name,
        )
        passes, more = arms.passes, arms.launchers
    elif precision is not None:
        passes = source.chunk_passes(workload, precision.metric)
    elif command in CHUNKS_SUFFICE and request.m is None:
        # Chunks are of the lower M, which is calibrated to be work enough; one that was asked for may be 1.
        passes = source.chunk_passes(workload, None)
    plan = make_plan(
        seed=request.seed if request.seed is not None else random.SystemRandom().randrange(2**32),
        source=source.name,
        workload=workload,
        launchers=(*lineup.launchers, *more),
        passes=passes,
        blocks=(request.blocks or DEFAULT_BLOCKS[command][source.name]) if precision is None else 1,
        eliminations=arms.eliminations if arms else (),
        precision=precision,
        most_blocks=request.blocks if precision is not None else None,
    )
    run = Run(
        schema=SCHEMA,
        command=command,
        argv=tuple(argv),
        started_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        target=target,
        plan=plan,
        source_sentence=why,
        missing=source.missing,
        machine=msgspec.to_builtins(machine.facts()),
        interpreters=msgspec.to_builtins(inspect_target(target)),
        builds=tuple(map(_as_dict, lineup.builds)),
        fingerprints={},
        warnings=(*environment_caveats(os.environ), *lineup.caveats),
        measured_s=None,
        per_launch_ms=request.per_launch_ms,
        rebuilt=msgspec.to_builtins(lineup.rebuilt),
        known_causes=_known_causes(target, workload) if command == "variants" else (),
    )
    return run, source


def wanted_precision(request: Request, source: Source) -> Precision | None:
    """The precision that was asked for, of the metric that was asked for or else of cycles, or CPU time without them.

    Raises:
        UsageError: the source has no such metric.
    """
    if request.half_width is None:
        return None
    missing = {one.event for one in source.missing}
    metric = request.metric or next(name for name in ("cycles", "task-clock") if name not in missing)
    if metric not in BY_NAME or BY_NAME[metric].overhead or metric in missing:
        known = [name for name, event in BY_NAME.items() if not event.overhead and name not in missing]
        raise UsageError(f"--metric: the {source.name} source has no {metric}", hint=f"choose from {', '.join(known)}")
    return Precision(metric=metric, half_width=request.half_width)


def require_same_machine(run: Run) -> None:
    """A resumed run must find the launchers that it began with.

    Raises:
        UsageError: the target or a launcher has changed or is gone.
    """
    now = resolve_target(run.target.path)
    if (now.build_id, now.shared_library_build_id) != (run.target.build_id, run.target.shared_library_build_id):
        raise UsageError(
            f"{run.target.path} is not the interpreter that this run began with", hint="begin a new run instead"
        )
    for launcher in run.plan.launchers:
        if not os.access(launcher.argv[0], os.X_OK):
            raise UsageError(f"launcher {launcher.name} is gone: {launcher.argv[0]}", hint="begin a new run instead")


def require_same_passes(run: Run, source: Source) -> None:
    """A resumed run must be able to count what it began to count, in passes of the same events.

    Raises:
        MachineError: other counters are free now, or perf knows other events.
    """
    workload, precision = run.plan.workload, run.plan.precision
    possible = source.passes(workload)
    if run.command in CHUNKS_SUFFICE:
        possible += source.chunk_passes(workload, precision.metric if precision else None)
    offered = {pass_.events for pass_ in possible}
    own = (pass_ for pass_ in run.plan.passes if not isinstance(pass_, Phased))
    if not {pass_.events for pass_ in own if not (isinstance(pass_, Native) and pass_.bare)} <= offered:
        raise MachineError(
            "the counters that can be used now are not those that this run began with",
            hint="end other perf sessions and --resume again, or begin a new run instead",
        )


def _with_m(workload: Workload, request: Request, command: str, baseline: Launcher) -> Workload:
    if request.m is not None and command not in SWEEPS:
        pair = (request.m[0], request.m[-1])
        return msgspec.structs.replace(workload, counts_m=pair, timed_m=pair)
    return calibrated(workload, baseline, request.timeout)


def _known_causes(target: Target, workload: Workload) -> tuple[Cause, ...]:
    found = recall(default_shop().place, target, Path(workload.path))
    if found is None:
        return ()
    by = f"; found by rebuild on {found.measured_utc[:10]} ({found.source}), part of eval-loop-image"
    return tuple(msgspec.structs.replace(cause, evidence=cause.evidence + by) for cause in found.causes)


def _as_dict(build: HostBuild) -> dict[str, Any]:
    facts: dict[str, Any] = msgspec.to_builtins(build)
    return facts
