"""The launchers of ``rebuild``: the target's own program and embedder, and both on every combination that is built."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from profiler.catalogue.caveats import NOT_BUILT
from profiler.catalogue.factorial_design import cells
from profiler.catalogue.interventions import REBUILT, Given
from profiler.errors import Interrupted, MachineError
from profiler.guest.script import ENV_SITE
from profiler.launch.host_builds import build_hosts
from profiler.launch.launchers import baseline_launcher, names_to_own, own_launcher
from profiler.model import Launcher, Target, Variant
from profiler.model.factorial import Built, FactorialPlan, Rebuilt
from profiler.plan.lineup import Lineup
from profiler.plan.treat import on_library, vary
from profiler.rebuild.build_cache import BuildCache, default_cache
from profiler.rebuild.build_progress import BuildListener
from profiler.rebuild.builder import Builder
from profiler.rebuild.plans import DEFAULT, load_plan, plan_for
from profiler.rebuild.recipe import base_of
from profiler.rebuild.source_tree import find_source

_SECONDS_PER_WEIGHT = 150.0
"""One plain build on one core of the reference machine: for the first estimate alone."""
_BYTES_PER_JOB = 1.0e9
_BYTES_KEPT = 40e6


def rebuilt_lineup(
    target: Target, *, plan_file: str | None, source_tree: str | None, jobs: int | None, watch: BuildListener
) -> Lineup:
    """Build what the plan asks for and is not in the cache, and make launchers of it.

    Raises:
        UsageError: a bad plan or source.
        MachineError: no source, no compiler, no host, or not one combination could be built.
        Interrupted: what is built is kept.
    """
    plan = _plan(target, plan_file, watch)
    # The source first: it may be of another version, or not to be had.
    builder = open_builder(target, plan, source_tree, watch)
    host = build_hosts(target, "shared", on_line=watch.say)
    build_cache, base = builder.build_cache, builder.base
    for changed in builder.changed:
        watch.say(f"not as the target's sysconfig says: {changed}")
    wanted = cells(plan)
    jobs = jobs or len(os.sched_getaffinity(0))
    estimate = _first_estimate(builder.missing(wanted), jobs, build_cache)
    watch.say(f"{len(wanted)} combinations in {build_cache.folder}; {estimate}")
    try:
        built, failed = builder.build(wanted, jobs, watch)
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"interrupted; what is built is kept in {build_cache.folder}",
            hint="the same command goes on where it stopped",
        ) from error
    if not built:
        raise MachineError(
            f"no combination could be built: {failed[0].message}", hint=failed[0].hint or NOT_BUILT.remedy
        )
    embedder = own_launcher(names_to_own(("pyo3",))[0], host, target)
    baseline = baseline_launcher(target)
    return Lineup(
        launchers=(baseline, embedder, *(_launcher(build, baseline, embedder, target) for build in built)),
        builds=(host,),
        caveats=(),
        rebuilt=Rebuilt(
            plan=plan,
            source=builder.source.origin,
            compiler=base.compiler.strip().splitlines()[-1],
            changed=builder.changed,
            built=built,
            failed=failed,
        ),
    )


def _plan(target: Target, plan_file: str | None, watch: BuildListener) -> FactorialPlan:
    """The plan that was asked for, or the one that fits the target's library."""
    if plan_file is not None:
        return load_plan(Path(plan_file))
    if target.shared_library is None:
        return load_plan(DEFAULT)
    path, why = plan_for(target.shared_library)
    watch.say(f"plan: {path.stem} ({why})")
    return load_plan(path)


def open_builder(target: Target, plan: FactorialPlan, source_tree: str | None, watch: BuildListener) -> Builder:
    """Source, compiler and cache for the combinations of ``plan``.

    Raises:
        UsageError: a bad source tree.
        MachineError: no source, no compiler, or no place to build.
    """
    build_cache = default_cache()
    source = find_source(target, source_tree, build_cache.folder, watch.say)
    watch.say(f"CPython's code: {source.origin}")
    return Builder(target=target, source=source, plan=plan, base=base_of(target, plan), build_cache=build_cache)


def _first_estimate(missing: tuple[int, float], jobs: int, build_cache: BuildCache) -> str:
    number, weight = missing
    if not number:
        return "all of them are built"
    minutes = weight * _SECONDS_PER_WEIGHT / jobs / 60
    needed = (jobs * _BYTES_PER_JOB + number * _BYTES_KEPT) / 1e9
    return (
        f"{number} builds and trainings are missing: some {minutes:.0f} min with {jobs} at a time, "
        f"{needed:.1f} GB of the {build_cache.free_bytes() / 1e9:.0f} GB free there"
    )


def _launcher(built: Built, baseline: Launcher, embedder: Launcher, target: Target) -> Launcher:
    if built.kind == "library":
        variant = Variant(of=embedder.name, intervention=REBUILT, way="replaced")
        return on_library(embedder, variant, Path(built.product), name=built.launcher)
    # It looks for its standard library beside itself first; the target's is the one that fits.
    variant = Variant(of=baseline.name, intervention=REBUILT, way="replaced")
    program = vary(baseline, variant, Given(env={"PYTHONHOME": target.prefix} | _packages(target)), name=built.launcher)
    return msgspec.structs.replace(program, argv=(built.product, *baseline.argv[1:]), link="program")


def _packages(target: Target) -> dict[str, str]:
    """What has a program elsewhere find the packages of the target's virtual environment, where it is in one."""
    if target.venv_program is None:
        return {}
    found = sorted(Path(target.venv_program).parent.parent.glob("lib/python*/site-packages"))
    return {ENV_SITE: str(found[0])} if found else {}
