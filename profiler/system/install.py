"""What this system calls the packages that bring a tool, and the command that installs them.

``tools/system-packages`` knows the same for a machine on which there is no Python yet.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Mapping

_INSTALL = {
    "apt": "apt-get install {}",
    "dnf": "dnf install {}",
    "pacman": "pacman -S --needed {}",
    "apk": "apk add {}",
    "zypper": "zypper install {}",
}
_PROGRAMS = {"apt-get": "debian", "dnf": "fedora", "pacman": "arch", "apk": "alpine", "zypper": "suse"}
_FAMILIES = {
    "debian": "apt", "ubuntu": "apt", "fedora": "dnf", "rhel": "dnf", "arch": "pacman", "alpine": "apk",
    "suse": "zypper", "opensuse": "zypper",
}  # fmt: skip
"""By ID and ID_LIKE of os-release(5), up to a hyphen."""

_PACKAGES: dict[str, dict[str, str]] = {
    "perf": {"apt": "linux-perf", "ubuntu": "linux-tools-$(uname -r)"},
    "compiler": {
        "apt": "gcc libc6-dev", "dnf": "gcc glibc-devel", "pacman": "gcc", "apk": "gcc musl-dev",
        "zypper": "gcc glibc-devel",
    },
    "builders": {
        "apt": "gcc make", "dnf": "gcc glibc-devel make", "pacman": "base-devel", "apk": "build-base",
        "zypper": "gcc glibc-devel make",
    },
    "headers": {
        "apt": "libpython{version}-dev", "dnf": "python3-devel", "pacman": "python", "apk": "python3-dev",
        "zypper": "python3-devel",
    },
    "python": {
        "apt": "python{version} libpython{version}-dev", "dnf": "python3 python3-devel", "pacman": "python",
        "apk": "python3 python3-dev", "zypper": "python3 python3-devel",
    },
    "rust": {
        "apt": "cargo rustc", "dnf": "cargo rust", "pacman": "rust", "apk": "cargo rust", "zypper": "cargo rust",
        "debian 12": "cargo-web rustc-web", "ubuntu 22.04": "cargo-1.85 rustc-1.85",
        "ubuntu 24.04": "cargo-1.85 rustc-1.85",
    },
    "dtrace": {"apt": "systemtap-sdt-dev", "dnf": "systemtap-sdt-devel", "zypper": "systemtap-sdt-devel"},
    "abidiff": {"apt": "abigail-tools", "dnf": "libabigail", "pacman": "libabigail", "zypper": "libabigail-tools"},
    "libc-symbols": {"apt": "libc6-dbg", "dnf": "glibc-debuginfo", "apk": "musl-dbg", "zypper": "glibc-debuginfo"},
}  # fmt: skip
"""A tool, and what brings it: by system and release, by system, by package manager; else a package of its own name."""

_FOR_A_BUILD_OF_PYTHON = {
    "apt": "apt-get build-dep python3", "dnf": "dnf builddep python3", "zypper": "zypper source-install -d python3",
}  # fmt: skip


def how_to_install(tool: str, *, version: str = "3", system: Mapping[str, str] | None = None) -> str:
    """The command that brings ``tool``, a key of the table above or a package's name; on a system that is not known,
    what to look for. ``version`` of Python, where packages are called by it; ``system``: the fields of os-release, of
    this machine unless given.
    """
    manager, names = _asked(system)
    known = _PACKAGES.get(tool, {})
    if manager is None:
        return f"install what this system calls {known.get('apt', tool).format(version=version)}"
    package = next((known[name] for name in (*names, manager) if name in known), tool)
    return _INSTALL[manager].format(package.format(version=version))


def has_debians_packages() -> bool:
    """Libraries to link a Python from its objects are packaged there, and nowhere else."""
    return _asked(None)[0] == "apt"


def how_to_build_python(*, system: Mapping[str, str] | None = None) -> str:
    """The command that brings what a build of CPython needs."""
    manager, _ = _asked(system)
    return _FOR_A_BUILD_OF_PYTHON.get(manager or "", "https://devguide.python.org/getting-started/setup-building lists")


def _asked(system: Mapping[str, str] | None) -> tuple[str | None, tuple[str, ...]]:
    """The package manager, and the names under which the table may have this system."""
    fields = _os_release() if system is None else system
    own = fields.get("ID", "")
    words = (own, *fields.get("ID_LIKE", "").split())
    manager = next((found for word in words if (found := _FAMILIES.get(word.partition("-")[0])) is not None), None)
    return manager, (f"{own} {fields.get('VERSION_ID', '')}", *words)


def _os_release() -> Mapping[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {"ID": next((system for program, system in _PROGRAMS.items() if shutil.which(program)), "")}
