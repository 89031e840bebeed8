"""Can the guest run on this machine? Every no has its remedy."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

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
