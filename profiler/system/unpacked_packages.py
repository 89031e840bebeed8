"""Packages of the system's own archive, unpacked in a folder of the user: nothing is installed.

apt keeps a state of its own for that (``private_apt``), and leaves nothing of it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from profiler.errors import MachineError
from profiler.model.provisioning import PackageGroup
from profiler.system.debian_sources import KEYRING, own_suite, sources_here
from profiler.system.private_apt import PrivateApt, Remedies, answer_of
from profiler.system.writing import writing

_REMEDIES = Remedies(
    no_apt="put files with debug information below /usr/lib/debug/.build-id, or ask debuginfod-find for them",
    superseded="try again, the archive's lists are fetched anew each time",
)


def unpacked(
    packages: Sequence[str], place: Path, say: Callable[[str], None], *, installed: str | None = None
) -> tuple[str, Path]:
    """Have the newest of ``packages`` unpacked in a folder of ``place`` that is called by their version. What was
    unpacked before is taken if it is of the version that is ``installed``, is still the newest, or if the archive
    cannot be asked.

    Returns:
        The version that all of them have, and the folder.

    Raises:
        MachineError: the system has no apt, no mirror answers, a package is not there, their versions differ, or
            ``place`` cannot be written to.
    """
    kept = place / "_".join(sorted(packages))
    before = [folder for folder in kept.glob("*/") if not folder.name.startswith(".")] if kept.is_dir() else []
    own = next((folder for folder in before if folder.name == installed), None)
    if own is not None:
        return own.name, own
    with writing(kept, "make room, or set XDG_CACHE_HOME to another directory"):
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=kept) as folder:
            try:
                return _fetched(packages, Path(folder), kept, say)
            except MachineError as error:
                if not before:
                    raise
                newest = max(before, key=lambda folder: folder.stat().st_mtime_ns)
                say(f"{error.message}: {newest.name}, which was fetched before, is taken")
                return newest.name, newest


def _fetched(packages: Sequence[str], folder: Path, kept: Path, say: Callable[[str], None]) -> tuple[str, Path]:
    debs, root, log = folder / "debs", folder / "root", kept / "apt.log"
    log.unlink(missing_ok=True)
    apt = PrivateApt(folder / "apt", None, lambda: sources_here(own_suite(), KEYRING), _REMEDIES, log=log)
    say("asking the package archive for its lists")
    apt.update()
    group = PackageGroup(
        architecture=apt.architecture, name="debug information", names=tuple(packages), only=tuple(packages)
    )
    found = apt.resolve(group)
    versions = sorted({deb.version for deb in found})
    if len(versions) != 1:
        raise MachineError(
            f"the archive has {', '.join(packages)} of no one version: {', '.join(versions) or 'none is there'}",
            hint="a mirror may lag behind: try again later",
        )
    made = kept / versions[0]
    if not made.is_dir():
        say(f"fetching {', '.join(packages)}")
        apt.download(found, debs)
        for deb in found:
            try:
                answer_of(("dpkg-deb", "-x", str(debs / deb.file), str(root)), None)
            except MachineError as error:
                raise MachineError(error.message, hint="make room, then try again") from error
        root.rename(made)
    # The newest is known by it, where the archive cannot be asked.
    os.utime(made)
    log.unlink(missing_ok=True)
    return versions[0], made
