"""A provisioned target as the other rooms know targets: its files, the emulator that runs them, who builds for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from profiler.catalogue.targets import TargetEntry
from profiler.errors import MachineError
from profiler.launch.binaries.elf import read_elf
from profiler.launch.cargo import Toolchain
from profiler.launch.installation import Installed, read_installed
from profiler.model import Emulator, Noun, Target
from profiler.provision.cross_tools import cross_toolchain
from profiler.provision.provisioner import Provisioned
from profiler.system.install import how_to_install
from profiler.system.rooted import Rooted

_PYTHON = "/usr/bin/python3.11"


class Abroad(Noun, frozen=True, kw_only=True):
    """A target of another machine, in this one's cache."""

    installed: Installed
    emulator: Emulator

    @property
    def target(self) -> Target:
        """Its interpreter."""
        return self.installed.target


def abroad(entry: TargetEntry, found: Provisioned) -> Abroad:
    """What was provisioned, read from its files; nothing of it runs.

    Raises:
        MachineError: this machine has no emulator for it, or its files are damaged.
    """
    root = found.folders["sysroot"]
    qemu = shutil.which(entry.words["qemu"])
    if qemu is None:
        raise MachineError(f"{entry.words['qemu']} is not installed", hint=how_to_install("qemu-user"))
    at = Rooted(root)
    program = at.file(_PYTHON)
    installed = None if program is None else read_installed(f"{root}{_PYTHON}", read_elf(program), at)
    if installed is None:
        raise MachineError(
            f"the sysroot of {entry.name} holds no Python", hint=f"tax-probe provision {entry.name} --update"
        )
    home = f"{root}{installed.target.prefix}"
    own = msgspec.structs.replace(installed.target, prefix=home, triple=entry.words["rust"])
    return Abroad(
        installed=msgspec.structs.replace(installed, target=own),
        emulator=Emulator(
            words=(qemu, "-L", root),
            # Without these a host's prefix falls through to this machine's /usr, and to the user's own packages.
            env={"PYTHONHOME": home, "PYTHONNOUSERSITE": "1", "HOME": root},
        ),
    )


def toolchain_of(entry: TargetEntry, found: Provisioned) -> Toolchain:
    """Who builds for it.

    Raises:
        MachineError: there is no cargo here, or the compiler does not run.
    """
    return cross_toolchain(
        Path(found.folders["tools"]),
        Path(found.folders["sysroot"]),
        Path(found.folders["tools"]).with_name("scripts"),
        triple=entry.words["rust"],
        multiarch=entry.words["multiarch"],
    )
