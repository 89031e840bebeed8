"""Packages of the system's own archive, unpacked in a folder of the user: nothing is installed.

apt keeps a state of its own for that (``private_apt``), and leaves nothing of it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from profiler.errors import MachineError
from profiler.model.provisioning import PackageGroup
from profiler.system.debian_sources import KEYRING, own_suite, sources_here
from profiler.system.private_apt import PrivateApt, answer_of


def unpacked(packages: Sequence[str], place: Path, say: Callable[[str], None]) -> tuple[str, Path]:
    """Have the newest of ``packages`` unpacked in a folder of ``place`` that is called by their version; what was
    unpacked before is taken, without asking the archive again.

    Returns:
        The version that all of them have, and the folder.

    Raises:
        MachineError: the system has no apt, no mirror answers, a package is not there, their versions differ, or
            ``place`` cannot be written to.
    """
    kept = place / "_".join(sorted(packages))
    before = sorted(folder for folder in kept.glob("*/") if not folder.name.startswith(".")) if kept.is_dir() else []
    if before:
        return before[-1].name, before[-1]
    lacking = [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]
    if lacking:
        raise MachineError(
            f"{' and '.join(lacking)} is not here: only of a Debian system can packages be fetched",
            hint="put files with debug information below /usr/lib/debug/.build-id, or ask debuginfod-find for them",
        )
    try:
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=kept) as folder:
            return _fetched(packages, Path(folder), kept, say)
    except OSError as error:
        raise MachineError(
            f"cannot write to {kept}: {error.strerror}", hint="make room, or set XDG_CACHE_HOME to another directory"
        ) from error


def _fetched(packages: Sequence[str], folder: Path, kept: Path, say: Callable[[str], None]) -> tuple[str, Path]:
    debs, root = folder / "debs", folder / "root"
    architecture = answer_of(("dpkg", "--print-architecture"), None).strip()
    apt = PrivateApt(folder / "apt", architecture, sources_here(own_suite(), KEYRING))
    say("asking the package archive for its lists")
    apt.update()
    group = PackageGroup(
        architecture=architecture, name="debug information", names=tuple(packages), only=tuple(packages)
    )
    found = apt.resolve(group)
    versions = sorted({deb.version for deb in found})
    if len(versions) != 1:
        raise MachineError(
            f"the archive has {', '.join(packages)} of no one version: {', '.join(versions) or 'none is there'}",
            hint="a mirror may lag behind: try again later",
        )
    say(f"fetching {', '.join(packages)}")
    apt.download(found, debs)
    for deb in found:
        try:
            subprocess.run(("dpkg-deb", "-x", debs / deb.file, root), check=True, capture_output=True, text=True)
        except subprocess.CalledProcessError as error:
            raise MachineError(f"dpkg-deb failed: {error.stderr.strip()}", hint="make room, then try again") from error
    root.rename(kept / versions[0])
    return versions[0], kept / versions[0]
