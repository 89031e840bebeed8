"""From a request to a run that can begin: target, source, hosts, calibrated workload, plan, result folder facts."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Protocol

import msgspec

from profiler.catalogue.events import BY_NAME
from profiler.catalogue.source_kinds import SOURCE_KINDS
from profiler.collect.beforehand import Foreseen
from profiler.collect.calibration_runs import calibrated, require_growth
from profiler.collect.drilldown.beside import matched_files, not_by_hardware
from profiler.collect.request import Request
from profiler.errors import MachineError, UsageError
from profiler.launch.file_inspection import inspect_target
from profiler.launch.host_builds import HostBuild
from profiler.launch.launchers import baseline_launcher
from profiler.model import (
    SCHEMA,
    AnyPass,
    Cause,
    Elimination,
    Launcher,
    Noun,
    Precision,
    Run,
    Target,
    Workload,
)
from profiler.plan.addresses import address_pass
from profiler.plan.arms import build_arms, default_eliminations
from profiler.plan.lineup import Lineup, chosen, interpreters_alone, whole_ladder
from profiler.plan.matched_launchers import matched, names_help
from profiler.plan.schedule import make_plan
from profiler.plan.statement_forms import statement_pass
from profiler.plan.studies import Study
from profiler.plan.sweep import intervened, startup_passes, sweep_m, sweep_passes
from profiler.rebuild.build_cache import default_cache
from profiler.rebuild.build_progress import BuildListener
from profiler.rebuild.combinations import rebuilt_lineup
from profiler.rebuild.memory import recall
from profiler.sources.choose import probe
from profiler.sources.source import Source
from profiler.system import machine
from profiler.workloads import BUILT_IN, find_workload


class _Work(Noun, frozen=True, kw_only=True):
    """What is run, and who runs beside the line-up."""

    passes: tuple[AnyPass, ...]
    launchers: tuple[Launcher, ...] = ()
    eliminations: tuple[Elimination, ...] = ()


class Choose(Protocol):
    """How a source is chosen (``choose.choose_source``)."""

    def __call__(self, name: str, *, chunks_suffice: bool, by_function: bool) -> tuple[Source, str]:
        """The source, and one sentence on which and why."""


def prepare(  # noqa: PLR0917 - what a run begins with
    request: Request,
    study: Study,
    foreseen: Foreseen,
    argv: Sequence[str],
    choose: Choose,
    watch: BuildListener,
    require: Callable[[Source], None] = lambda source: None,
) -> tuple[Run, Source]:
    """Everything before the first measured process, what may fail soon before what takes long: the source, which
    ``require`` may refuse, and M, before hosts and libraries are built.

    Raises:
        UsageError, MachineError, WorkloadError: with the remedy; nothing has been written yet.
    """
    target = foreseen.target
    wanted = _wanted_source(request, study)
    source, why = choose(wanted, chunks_suffice=study.parts_suffice, by_function=study.by_function)
    watch.say(f"source: {why}")
    require(source)
    precision = wanted_precision(request, source)
    baseline = baseline_launcher(target)
    workload = _with_m(foreseen.workload, request, study, baseline)
    if foreseen.builds and request.m is not None and workload.path not in {workload.path for workload in BUILT_IN}:
        require_growth(workload, baseline, request.timeout)
    told = f"(CPython {target.version}{target.where_it_runs}), workload: {workload.name}"
    watch.say(f"target: {target.real_path} {told}")
    for launcher in foreseen.named:
        if launcher.kind == "program":
            watch.say(f"against: {launcher.name}, {launcher.argv[0]}")
    lineup = _lineup(request, study, foreseen, source, watch)
    fetched = None
    if request.symbols is not None and names_help(lineup.launchers):
        fetched = matched_files(target, watch.say)
    elif request.symbols is not None:
        watch.say("symbols: no host loads the library, none are fetched")
    work = _work(request, study, workload, lineup.launchers, source, precision=precision)
    plan = make_plan(
        seed=request.seed if request.seed is not None else random.SystemRandom().randrange(2**32),
        source=source.name,
        workload=workload,
        launchers=(
            *lineup.launchers,
            *work.launchers,
            *(() if fetched is None else matched(lineup.launchers, fetched)),
        ),
        passes=work.passes,
        blocks=(request.blocks or study.blocks[source.name]) if precision is None else 1,
        eliminations=work.eliminations,
        sections=study.sections,
        precision=precision,
        most_blocks=request.blocks if precision is not None else None,
    )
    run = Run(
        schema=SCHEMA,
        command=study.command,
        argv=tuple(argv),
        started_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        target=target,
        plan=plan,
        source_sentence=why,
        missing=(*source.missing, *(not_by_hardware() if study.passes == "addresses" else ())),
        machine=msgspec.to_builtins(machine.facts()),
        interpreters=msgspec.to_builtins(inspect_target(target)),
        builds=tuple(map(_as_dict, lineup.builds)),
        fingerprints={},
        warnings=(*foreseen.inherited, *lineup.caveats),
        measured_s=None,
        per_launch_ms=request.per_launch_ms,
        rebuilt=msgspec.to_builtins(lineup.rebuilt),
        known_causes=_known_causes(target, workload) if study.remembers else (),
        matched_revision=None if fetched is None else fetched.revision,
        tool_version=version("tax-probe"),
    )
    return run, source


def _wanted_source(request: Request, study: Study) -> str:
    """What was asked for, where the study leaves a choice.

    Raises:
        UsageError: it leaves none, and another was asked for.
    """
    if study.source is None:
        return request.source
    if request.source not in ("auto", study.source):
        raise UsageError(
            f"--source {request.source}: {study.command} counts single machine instructions, "
            f"which {study.source} alone does here",
            hint=f"leave --source out, or give --source {study.source}",
        )
    return study.source


def _lineup(request: Request, study: Study, foreseen: Foreseen, source: Source, watch: BuildListener) -> Lineup:
    target = foreseen.target
    if study.lineup == "ladder" and foreseen.interpreters_alone:
        return interpreters_alone(target, foreseen.named, source.name)
    if study.lineup == "ladder":
        return whole_ladder(target, foreseen.named, request.libpython, source.name, watch.say)
    if study.lineup == "rebuilt":
        return rebuilt_lineup(
            target, plan_file=request.plan, source_tree=request.source_tree, jobs=request.jobs, watch=watch
        )
    return chosen(target, foreseen.own, foreseen.named, watch.say)


def _work(
    request: Request,
    study: Study,
    workload: Workload,
    launchers: tuple[Launcher, ...],
    source: Source,
    *,
    precision: Precision | None,
) -> _Work:
    """The passes of the study, and the launchers and eliminations that they bring along."""
    offered = source.passes(workload)
    if study.passes == "arms":
        own = request.workload or workload.name

        def complete(name: str) -> Workload:
            # Arguments and stdin are of the workload that was asked for, not of those that an arm names.
            return workload if name == own else _with_m(find_workload(name), request, study, launchers[0])

        arms = build_arms(
            default_eliminations() if request.elimination is None else request.elimination,
            workload=own,
            complete=complete,
            launchers=launchers,
            offered=offered,
            source=source.name,
        )
        return _Work(passes=arms.passes, launchers=arms.launchers, eliminations=arms.eliminations)
    if study.passes == "sweep":
        sweep = sweep_passes(workload, sweep_m(workload, request.m), offered, launchers)
        started = startup_passes(launchers, counted=_callgrind_counts(source))
        return _Work(passes=(*sweep, *started), launchers=intervened(launchers))
    if study.passes == "addresses":
        return _Work(passes=(address_pass(workload),))
    if study.passes == "statements":
        return _Work(passes=(statement_pass(workload, offered, regions=SOURCE_KINDS[source.name].emulates),))
    if precision is not None:
        offered = source.chunk_passes(workload, precision.metric)
    elif study.parts_suffice and request.m is None:
        # Chunks are of the lower M, which is calibrated to be work enough; one that was asked for may be 1.
        offered = source.chunk_passes(workload, None)
    return _Work(passes=offered)


def _callgrind_counts(source: Source) -> bool:
    """Whatever counts the work, the start-up's phases are callgrind's."""
    if source.name == "callgrind":
        return True
    try:
        probe("callgrind")
    except MachineError:
        return False
    return True


def wanted_precision(request: Request, source: Source) -> Precision | None:
    """The precision that was asked for, of the metric that was asked for or else of cycles, or CPU time without them.

    Raises:
        UsageError: the source has no such metric.
    """
    if request.half_width is None:
        return None
    missing = {lack.event for lack in source.missing}
    metric = request.metric or next(name for name in ("cycles", "task-clock") if name not in missing)
    if metric not in BY_NAME or BY_NAME[metric].overhead or metric in missing:
        known = [name for name, event in BY_NAME.items() if not event.overhead and name not in missing]
        raise UsageError(f"--metric: the {source.name} source has no {metric}", hint=f"choose from {', '.join(known)}")
    return Precision(metric=metric, half_width=request.half_width)


def _with_m(workload: Workload, request: Request, study: Study, baseline: Launcher) -> Workload:
    if request.m is not None and not study.any_m:
        pair = (request.m[0], request.m[-1])
        return msgspec.structs.replace(workload, counts_m=pair, timed_m=pair)
    return calibrated(workload, baseline, request.timeout)


def _known_causes(target: Target, workload: Workload) -> tuple[Cause, ...]:
    try:
        kept = default_cache().folder
    except MachineError:
        return ()  # Where no cache can be, nothing was found before.
    found = recall(kept, target, workload)
    if found is None:
        return ()
    by = f"; found by rebuild on {found.measured_utc[:10]} ({found.source}), part of eval-loop-image"
    return tuple(msgspec.structs.replace(cause, evidence=cause.evidence + by) for cause in found.causes)


def _as_dict(build: HostBuild) -> dict[str, Any]:
    facts: dict[str, Any] = msgspec.to_builtins(build)
    return facts
