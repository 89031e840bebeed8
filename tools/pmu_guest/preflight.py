"""Can the guest run on this machine? Every no has its remedy."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.pmu_guest.apt import private_sources, system_targets
from tools.pmu_guest.boot import lacking_programs
from tools.pmu_guest.errors import CannotRun
from tools.pmu_guest.table import Table

NEEDED_BYTES = 4_000_000_000
"""Packages, what is unpacked of them, the image, and what two guests write."""
_MACHINE = "x86_64"


def require_this_machine(table: Table) -> None:
    """Linux on x86-64 with apt, dpkg and mke2fs, and Debian's keyring.

    Raises:
        CannotRun: it is not.
    """
    if not sys.platform.startswith("linux") or platform.machine() != _MACHINE:
        raise CannotRun(
            f"the guest is built and emulated on Linux on {_MACHINE} alone, and this is {sys.platform} on "
            f"{platform.machine()}",
            "run it on such a machine",
        )
    lacking = lacking_programs()
    if lacking:
        raise CannotRun(
            f"this machine has no {', '.join(lacking)}", "apt-get install apt dpkg e2fsprogs gcc, on Debian"
        )
    if not Path(table.keyring).is_file():
        raise CannotRun(f"no {table.keyring} to check packages by", "apt-get install debian-archive-keyring")


def require_space(folder: Path) -> None:
    """Enough of the disk is free for a cache that is still to be filled.

    Raises:
        CannotRun: it is not.
    """
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise CannotRun(
            f"{folder} has {free / 1e9:.1f} GB free, and the guest takes {NEEDED_BYTES / 1e9:.0f}",
            "free some, or set XDG_CACHE_HOME to another disk",
        )


def sources_here(table: Table) -> str:
    """The sources of the table's suite, from where this machine gets its own Debian.

    Raises:
        CannotRun: this is no Debian, or its sources name no archive.
    """
    return sources_of(os_release(Path("/etc/os-release").read_text(encoding="utf-8")), system_targets(), table)


def sources_of(system: Mapping[str, str], targets: str, table: Table) -> str:
    """The same, of a system as its os-release describes it.

    Raises:
        CannotRun: as above.
    """
    if system.get("ID") != "debian":
        named = system.get("PRETTY_NAME", "an unknown system")
        raise CannotRun(
            f"the packages come from Debian's archive, and this is {named}", "run it on Debian, 12 or newer"
        )
    found = private_sources(targets, system.get("VERSION_CODENAME", ""), table.suite, table.keyring)
    if not found:
        raise CannotRun(
            f"apt's sources name no archive of {system.get('PRETTY_NAME', 'Debian')}",
            "add one to /etc/apt/sources.list.d (apt-get indextargets lists them)",
        )
    return found


def os_release(text: str) -> dict[str, str]:
    """os-release(5) as a mapping."""
    pairs = (line.partition("=")[::2] for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name: value.strip("\"'") for name, value in pairs}
