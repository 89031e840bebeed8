"""Packages of the system's own archive, unpacked in a folder of the user: nothing is installed.

No file of the system is written. apt keeps a state of its own beside them; its sources, keyring and proxies are the
system's, and it checks the archive's signature and each package's hash.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from profiler.errors import MachineError
from profiler.system.logged import Failed, run_logged

_TIMEOUT_S = 600.0
_ASKED = "connect this machine to its package archive, then try again"


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
    state, debs, root = folder / "apt", folder / "debs", folder / "root"
    for made in (state / "lists/partial", state / "archives/partial", debs, root):
        made.mkdir(parents=True)
    options = [f"Dir::State={state}", "Dir::State::status=/var/lib/dpkg/status", f"Dir::Cache={state}",
               "APT::Sandbox::User=", "Acquire::Languages=none", "Acquire::Retries=2"]  # fmt: skip
    apt = ["apt-get", "-q", *(word for option in options for word in ("-o", option))]
    say("asking the package archive for its lists")
    _run([*apt, "-o", "APT::Update::Error-Mode=any", "update"], debs, folder)
    say(f"fetching {', '.join(packages)}")
    _run([*apt, "download", *packages], debs, folder)
    found = sorted(debs.glob("*.deb"))
    versions = {deb.name.split("_")[1].replace("%3a", ":") for deb in found}
    if len(versions) != 1:
        raise MachineError(
            f"the archive has {', '.join(packages)} of no one version: {', '.join(sorted(versions)) or 'none came'}",
            hint="a mirror may lag behind: try again later",
        )
    for deb in found:
        _run(["dpkg-deb", "-x", str(deb), str(root)], debs, folder)
    (version,) = versions
    root.rename(kept / version)
    return version, kept / version


def _run(command: Sequence[str], cwd: Path, folder: Path) -> None:
    try:
        run_logged(command, cwd=cwd, log=folder / "log", timeout_s=_TIMEOUT_S, env=os.environ | {"LC_ALL": "C"})
    except Failed as error:
        said = next((line for line in error.lines if line.startswith(("E:", "Err:", "dpkg-deb:"))), error.said)
        raise MachineError(f"{command[0]} failed: {said.strip()}", hint=_ASKED) from error
