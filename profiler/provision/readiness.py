"""What each target needs, and what of it is there: no network is asked, nothing is run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from profiler.catalogue.targets import TargetEntry
from profiler.model.provisioning import TARGETS_SCHEMA, Need, TargetState, TargetStates
from profiler.provision.provisioner import Provisioned, begun, provisioned
from profiler.system.install import how_to_install

_PACKAGES = {"cargo": "rust", "qemu-aarch64": "qemu-user", "apt-get": "apt", "dpkg-deb": "dpkg"}
"""What brings a program where it is not called alike (``system.install``)."""


def states(entries: tuple[TargetEntry, ...], cache: Path | None = None) -> TargetStates:
    """Of each target."""
    return TargetStates(schema=TARGETS_SCHEMA, targets=tuple(state_of(entry, cache) for entry in entries))


def state_of(entry: TargetEntry, cache: Path | None = None) -> TargetState:
    """Of one target."""
    found = provisioned(entry, cache)
    needs = tuple(_needs(entry, found))
    command = f"tax-probe provision {entry.name}" if entry.reason is None else None
    here = found is not None
    return TargetState(
        name=entry.name,
        title=entry.title,
        state="no recipe"
        if command is None
        else "ready"
        if all(need.present for need in needs)
        else "half-finished"
        if begun(entry, cache)
        else "missing",
        counts=entry.counts,
        needs=needs,
        download_mb=found.download_mb if found is not None else entry.download_mb,
        disk_mb=found.disk_mb if found is not None else entry.disk_mb,
        seconds=found.seconds if found is not None else entry.seconds,
        measured="here" if here else None if entry.download_mb is None else "catalogue",
        command=command,
        reason=entry.reason,
    )


def _needs(entry: TargetEntry, found: Provisioned | None) -> Iterator[Need]:
    for part in entry.parts:
        folder, _, inside = part.file.partition("/")
        place = None if found is None else Path(found.folders[folder]) / inside
        present = place is not None and place.exists()
        yield Need(
            name=part.name,
            where=str(place) if present else inside,
            present=present,
            remedy=None if present else f"tax-probe provision {entry.name}",
        )
    for command in entry.commands:
        where = shutil.which(command)
        yield Need(
            name=command,
            where=where or "PATH",
            present=where is not None,
            remedy=None if where is not None else how_to_install(_PACKAGES.get(command, command)),
        )
