"""Which launchers a command measures: the few of ``ipc``, or the ladder, toggles and treatments of ``variants``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from profiler.causes import EMBEDDER, SWAPPED, TOGGLES, TREATMENTS
from profiler.errors import MachineError, UsageError
from profiler.launch import confine
from profiler.launch.builds import HostBuild, build_hosts
from profiler.launch.elf import read_elf
from profiler.launch.launchers import ALL, baseline_launcher, names_to_own, own_launcher, user_host
from profiler.measure.fingerprint import differences
from profiler.measure.script import ENV_TREATMENT
from profiler.model import BASELINE, Caveat, Launcher, LinkMode, Noun, SourceName, Target

Say = Callable[[str], None]

_CONFINE = "{confine}"
"""Stands in the catalogue for ``launch/confine.py``, run by this Python."""


class Lineup(Noun, frozen=True, kw_only=True):
    """The launchers of a run, the baseline first."""

    launchers: tuple[Launcher, ...]
    builds: tuple[HostBuild, ...]
    caveats: tuple[Caveat, ...]


def chosen(target: Target, names: tuple[str, ...], hosts: tuple[str, ...], say: Say) -> Lineup:
    """The launchers that were asked for by name, and the user's hosts.

    Raises:
        UsageError: an unknown or repeated name.
        MachineError: a host cannot be built.
    """
    own = names_to_own(names)
    builds = {link: build_hosts(target, link, on_line=say) for link in dict.fromkeys(one.link for one in own)}
    return Lineup(
        launchers=(
            baseline_launcher(target),
            *(own_launcher(one, builds[one.link], target) for one in own),
            *_user_hosts(hosts),
        ),
        builds=tuple(builds.values()),
        caveats=(),
    )


def whole_ladder(target: Target, hosts: tuple[str, ...], libpython: str | None, source: SourceName, say: Say) -> Lineup:
    """Every rung that the target offers, the toggles on both ends, and the embedder on another libpython.

    A rung that cannot be built is left out with a caveat that names what would bring it.

    Raises:
        UsageError: a bad host or libpython.
        MachineError: not even the shared host can be built.
    """
    builds: dict[LinkMode, HostBuild] = {"shared": build_hosts(target, "shared", on_line=say)}
    caveats = []
    others: tuple[LinkMode, ...] = ("static", "pic")
    for link in others:
        try:
            builds[link] = build_hosts(target, link, on_line=say)
        except MachineError as error:
            message = f"no {link} rung: {error.message}" + (f"; {error.hint}" if error.hint else "")
            caveats.append(Caveat(code="missing-rung", message=message))
    rungs = tuple(own_launcher(one, builds[one.link], target) for one in names_to_own(ALL) if one.link in builds)
    ends = (baseline_launcher(target), next(rung for rung in rungs if rung.name == EMBEDDER))
    toggled = tuple(
        vary(end, f"{end.name}+{toggle.name}", toggle.name, env=toggle.env, prefix=toggle.prefix)
        for toggle in TOGGLES
        if source == "hardware" or not toggle.hardware_only
        for end in ends
        if end.name in toggle.ends
    )
    swapped = (swap_library(ends[1], target, libpython),) if libpython is not None else ()
    return Lineup(
        launchers=(ends[0], *rungs, *_user_hosts(hosts), *toggled, *swapped),
        builds=tuple(builds.values()),
        caveats=tuple(caveats),
    )


def treated(
    launchers: tuple[Launcher, ...], fingerprints: dict[str, dict[str, Any]], source: SourceName
) -> tuple[Launcher, ...]:
    """Launchers that relieve each user's host of what its fingerprint shows, or give the baseline the same.

    Also the embedder on the host's own libpython, where that is not the embedder's.
    """
    by_name = {launcher.name: launcher for launcher in launchers}
    reference = fingerprints.get(BASELINE)
    made: dict[str, Launcher] = {}
    for host in launchers:
        if host.link is not None or host.base is not None or reference is None or host.name not in fingerprints:
            continue
        different = differences(reference, fingerprints[host.name])
        for treatment in TREATMENTS:
            if not set(treatment.keys) & set(different) or (treatment.hardware_only and source != "hardware"):
                continue
            if treatment.remove is not None:
                statements = f"baseline = {_plain(reference)!r}\n{treatment.remove}"
                name = f"{host.name}~{treatment.name}"
                made[name] = vary(host, name, treatment.name, env={ENV_TREATMENT: statements}, prefix=())
            else:
                baseline = by_name[BASELINE]
                name = f"{BASELINE}+{treatment.name}"
                if name not in by_name:
                    made[name] = vary(
                        baseline, name, treatment.name, env=treatment.add_env, prefix=treatment.add_prefix
                    )
        embedder = by_name.get(EMBEDDER)
        images = {BASELINE: by_name[BASELINE].image, EMBEDDER: embedder.image if embedder else None}
        if embedder is not None and host.image is not None and host.image not in images.values():
            name = f"{EMBEDDER}@{host.name}"
            made[name] = _on_library(embedder, name, f"library of {host.name}", Path(host.image))
    return tuple(made.values())


def swap_library(embedder: Launcher, target: Target, libpython: str) -> Launcher:
    """The unchanged embedder on another libpython of the same version.

    Raises:
        UsageError: the file is missing, no shared library, or of another soname.
    """
    path = Path(libpython).resolve()
    if not path.is_file():
        raise UsageError(f"--libpython: no file {libpython}")
    assert target.shared_library is not None
    wanted, found = read_elf(target.shared_library).soname, read_elf(str(path)).soname
    if wanted != found:
        raise UsageError(
            f"--libpython: {libpython} is {found or 'no shared library'}, the host loads {wanted}",
            hint="give a libpython of the same minor version",
        )
    return _on_library(embedder, SWAPPED, "swapped", path)


def _on_library(embedder: Launcher, name: str, factor: str, library: Path) -> Launcher:
    variant = vary(embedder, name, factor, env={"LD_LIBRARY_PATH": str(library.parent)}, prefix=())
    return msgspec.structs.replace(variant, image=None, build_id=None)


def vary(base: Launcher, name: str, factor: str, *, env: dict[str, str], prefix: tuple[str, ...]) -> Launcher:
    """``base`` with a changed environment, or a program put before its command."""
    if prefix[:1] == (_CONFINE,):
        prefix = (sys.executable, confine.__file__, *prefix[1:])
    elif prefix:
        prefix = (shutil.which(prefix[0]) or prefix[0], *prefix[1:])
    return msgspec.structs.replace(
        base,
        name=name,
        argv=(*prefix, *base.argv),
        env=base.env | env,
        base=base.name,
        factor=factor,
    )


def _user_hosts(specs: tuple[str, ...]) -> tuple[Launcher, ...]:
    hosts = tuple(map(user_host, specs))
    if len({host.name for host in hosts}) < len(hosts):
        raise UsageError("two --host have the same name", hint="--host NAME=CMD: give each its own NAME")
    return hosts


def _plain(fingerprint: dict[str, Any]) -> dict[str, Any]:
    """The part of a fingerprint that treatments set back."""
    return {key: fingerprint[key] for treatment in TREATMENTS for key in treatment.keys if key in fingerprint}
