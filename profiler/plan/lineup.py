"""Which launchers a command measures: the few of ``ipc``, or the ladder, toggles and treatments of ``variants``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from profiler.catalogue.causes import CAUSES
from profiler.catalogue.caveats import MISSING_RUNG, STAND_IN_MODULES, caveat
from profiler.catalogue.interventions import AS_LIBRARY, INTERVENTIONS, SWAPPED, End, Intervention
from profiler.catalogue.source_kinds import SOURCE_KINDS
from profiler.errors import MachineError, UsageError
from profiler.launch.binaries.elf import read_elf
from profiler.launch.file_claims import calls_for_tls
from profiler.launch.host_builds import HostBuild, build_hosts
from profiler.launch.launchers import ALL, baseline_launcher, names_to_own, own_launcher, user_host
from profiler.launch.relink import relinked
from profiler.model import Caveat, Launcher, LinkMode, Noun, SourceName, Target, Variant
from profiler.model.factorial import Rebuilt
from profiler.plan.treat import on_library, toggled

_NO_BLAKE2 = ", without blake2b and blake2s"
"""``hashlib`` takes these from ``_blake2`` alone."""

Say = Callable[[str], None]


class Lineup(Noun, frozen=True, kw_only=True):
    """The launchers of a run, the baseline first."""

    launchers: tuple[Launcher, ...]
    builds: tuple[HostBuild, ...]
    caveats: tuple[Caveat, ...]
    rebuilt: Rebuilt | None = None
    """Where launchers run libraries built for this run."""


def chosen(target: Target, names: tuple[str, ...], named: tuple[Launcher, ...], say: Say) -> Lineup:
    """The launchers of ours that were asked for by name, and those that the user ``named``.

    Raises:
        UsageError: an unknown name.
        MachineError: a host cannot be built.
    """
    own = names_to_own(names)
    builds = {link: build_hosts(target, link, on_line=say) for link in dict.fromkeys(launcher.link for launcher in own)}
    return Lineup(
        launchers=(
            baseline_launcher(target),
            *(own_launcher(launcher, builds[launcher.link], target) for launcher in own),
            *named,
        ),
        builds=tuple(builds.values()),
        caveats=stand_in_caveats(builds.values()),
    )


def whole_ladder(
    target: Target, named: tuple[Launcher, ...], libpython: str | None, source: SourceName, say: Say
) -> Lineup:
    """Every rung that the target offers, the toggles on both ends, and the embedder on another libpython.

    A rung that cannot be built is left out with a caveat that names what would bring it.

    Raises:
        UsageError: a bad libpython.
        MachineError: not even the shared host can be built.
    """
    builds: dict[LinkMode, HostBuild] = {"shared": build_hosts(target, "shared", on_line=say)}
    caveats = []
    others: tuple[LinkMode, ...] = ("static", "pic")
    for link in others:
        try:
            builds[link] = build_hosts(target, link, on_line=say)
        except MachineError as error:
            caveats.append(caveat(MISSING_RUNG, f"no {link} rung: {error.message}", remedy=error.hint))
    rungs = tuple(
        own_launcher(launcher, builds[launcher.link], target)
        for launcher in names_to_own(ALL)
        if launcher.link in builds
    )
    baseline, embedder = baseline_launcher(target), next(rung for rung in rungs if rung.role == "embedder")
    same_start = next(rung for rung in rungs if (rung.link, rung.init) == (embedder.link, baseline.init))
    relinked_too, missing = _relinked(target, same_start) if "pic" in builds else ((), ())
    caveats.extend(missing)
    variants = _toggled({"baseline": (baseline,), "embedder": (embedder,), "host": named}, source)
    swapped = (swap_library(embedder, target, libpython),) if libpython is not None else ()
    return Lineup(
        launchers=(baseline, *rungs, *named, *variants, *swapped, *relinked_too),
        builds=tuple(builds.values()),
        caveats=(*caveats, *stand_in_caveats(builds.values())),
    )


def interpreters_alone(target: Target, named: tuple[Launcher, ...], source: SourceName) -> Lineup:
    """The target and the interpreters that it is compared with, and the toggles on both ends; no host of ours."""
    baseline = baseline_launcher(target)
    variants = _toggled({"baseline": (baseline,), "host": named}, source)
    return Lineup(launchers=(baseline, *named, *variants), builds=(), caveats=())


def _toggled(ends: dict[End, tuple[Launcher, ...]], source: SourceName) -> tuple[Launcher, ...]:
    return tuple(
        toggled(launcher, entry)
        for entry in INTERVENTIONS
        if entry.change is not None and _shows(entry, source)
        for end in entry.ends
        for launcher in ends.get(end, ())
    )


def stand_in_caveats(builds: Iterable[HostBuild]) -> tuple[Caveat, ...]:
    """One line for each link in which built-in modules had to be replaced."""
    return tuple(
        caveat(
            STAND_IN_MODULES,
            f"{build.link} hosts cannot import {', '.join(build.replaced)}, whose objects the archive lacks; "
            f"hashlib and random use OpenSSL there{_NO_BLAKE2 if '_blake2' in build.replaced else ''}",
        )
        for build in builds
        if build.replaced
    )


def _relinked(target: Target, host: Launcher) -> tuple[tuple[Launcher, ...], tuple[Caveat, ...]]:
    """``host`` on a library linked from the objects of ``-pic.a``: only where thread-local variables of the target's
    library take a call, which is what it is compared for with the program linked with these objects.
    """
    if target.shared_library is None or not calls_for_tls(read_elf(target.shared_library)):
        return (), ()
    try:
        return (on_library(host, Variant(of=host.name, intervention=AS_LIBRARY, way="replaced"), relinked(target)),), ()
    except MachineError as error:
        return (), (caveat(MISSING_RUNG, f"no relinked library: {error.message}", remedy=error.hint),)


def _shows(change: Intervention, source: SourceName) -> bool:
    """An emulator counts no cycles, so it cannot judge what acts on them alone."""
    acts_on = next(entry.shows for entry in CAUSES if entry.id == change.cause)
    unseen = change.hardware_only or (SOURCE_KINDS[source].emulates and acts_on != "instructions")
    return source == "hardware" or not unseen


def swap_library(embedder: Launcher, target: Target, libpython: str) -> Launcher:
    """The unchanged embedder on another libpython of the same version.

    Raises:
        UsageError: the file is missing, no shared library, or of another soname.
    """
    path = require_swappable(target, libpython)
    return on_library(embedder, Variant(of=embedder.name, intervention=SWAPPED, way="replaced"), path)


def require_swappable(target: Target, libpython: str) -> Path:
    """The real path of a libpython that a host of ``target`` would load in the place of its own.

    Raises:
        UsageError: the file is missing, no shared library, or of another soname.
    """
    path = Path(libpython).resolve()
    if not path.is_file():
        raise UsageError(f"--libpython: no file {libpython}", hint="give the path of a shared libpython")
    assert target.shared_library is not None
    wanted, found = read_elf(target.shared_library).soname, read_elf(str(path)).soname
    if wanted != found:
        raise UsageError(
            f"--libpython: {libpython} is {found or 'no shared library'}, the host loads {wanted}",
            hint="give a libpython of the same minor version",
        )
    return path


def user_hosts(specs: tuple[str, ...]) -> tuple[Launcher, ...]:
    """The launchers of ``--host``.

    Raises:
        UsageError: one is not NAME=CMD, names no program, or two have one name.
    """
    hosts = tuple(map(user_host, specs))
    if len({host.name for host in hosts}) < len(hosts):
        raise UsageError("two --host have the same name", hint="--host NAME=CMD: give each its own NAME")
    return hosts
