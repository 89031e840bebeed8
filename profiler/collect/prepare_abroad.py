"""From a request to a run within another target: what ``prepare`` makes, of a provisioned target's files."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version

import msgspec

from profiler.catalogue.targets import TargetEntry
from profiler.collect.beforehand import inherited
from profiler.collect.calibration_runs import calibrated
from profiler.collect.request import Request
from profiler.launch.binaries.elf import read_elf
from profiler.launch.file_inspection import inspection_of
from profiler.launch.launchers import baseline_launcher, names_to_own, own_launcher
from profiler.model import SCHEMA, Launcher, Noun, Run, Target, Workload
from profiler.plan.schedule import make_plan
from profiler.plan.studies import Study
from profiler.provision.abroad import Abroad, abroad, toolchain_of
from profiler.provision.host_step import with_hosts
from profiler.provision.known_program import known_program
from profiler.provision.provisioner import require_provisioned, target_folder
from profiler.sources.foreign_qemu import ForeignQemuSource
from profiler.sources.source import Source
from profiler.system import machine
from profiler.system.rooted import Rooted


class Ready(Noun, frozen=True, kw_only=True):
    """A target with everything that is measured on it."""

    entry: TargetEntry
    place: Abroad
    launchers: tuple[Launcher, ...]
    """The target's own program first, then our hosts."""
    builds: tuple[dict[str, object], ...]
    root: str


def ready(entry: TargetEntry, names: tuple[str, ...] | None, say: Callable[[str], None]) -> Ready:
    """The target of ``entry``, with the hosts called ``names`` (all of the entry's unless given).

    Raises:
        UsageError: an unknown name.
        MachineError: it is not provisioned, or cannot be run or built for here.
    """
    found = require_provisioned(entry)
    place = abroad(entry, found)
    names = entry.launchers if names is None else names
    builds = with_hosts(entry, found, say, names)
    own = (own_launcher(own, builds[own.link], place.target, place.emulator) for own in names_to_own(names))
    return Ready(
        entry=entry,
        place=place,
        launchers=(baseline_launcher(place.target, place.emulator), *own),
        builds=tuple(msgspec.to_builtins(build) for build in builds.values()),
        root=found.folders["sysroot"],
    )


def counter_of(entry: TargetEntry) -> Source:
    """The exact counter of a provisioned target, tried.

    Raises:
        MachineError: it does not work here.
    """
    found = require_provisioned(entry)
    assert entry.counts is not None
    known = known_program(toolchain_of(entry, found), target_folder(entry))
    return ForeignQemuSource.probe(abroad(entry, found).emulator, known, entry.counts)


def target_abroad(entry: TargetEntry) -> Target:
    """The interpreter of a provisioned target, as its files are now; nothing of it runs.

    Raises:
        MachineError: it is not provisioned, or cannot be run here.
    """
    return abroad(entry, require_provisioned(entry)).target


def prepare_abroad(  # noqa: PLR0917 - what a run begins with
    request: Request, study: Study, workload: Workload, at: Ready, source: Source, argv: Sequence[str]
) -> Run:
    """The run of ``workload`` on all launchers of ``at``.

    Raises:
        WorkloadError: its M cannot be calibrated.
    """
    if request.m is not None:
        workload = msgspec.structs.replace(workload, counts_m=request.m, timed_m=request.m)
    workload = calibrated(workload, at.launchers[0], request.timeout)
    plan = make_plan(
        seed=request.seed if request.seed is not None else random.SystemRandom().randrange(2**32),
        source=source.name,
        workload=workload,
        launchers=at.launchers,
        passes=source.passes(workload),
        blocks=request.blocks or study.blocks[source.name],
        sections=study.sections,
    )
    target = at.place.target
    files = inspection_of(target, read_elf(target.real_path), at.place.installed.sysconfig, (), Rooted(at.root))
    return Run(
        schema=SCHEMA,
        command=study.command,
        argv=tuple(argv),
        started_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        target=target,
        plan=plan,
        source_sentence=source.describe(),
        missing=source.missing,
        machine=msgspec.to_builtins(machine.facts()),
        interpreters=msgspec.to_builtins(files),
        builds=at.builds,
        fingerprints={},
        warnings=inherited(),
        measured_s=None,
        tool_version=version("tax-probe"),
    )
