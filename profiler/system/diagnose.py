"""Why perf cannot count here, and what would have to change: pure rules over a few facts of the system."""

from __future__ import annotations

import errno
import platform
import re
from pathlib import Path

from profiler.model import Noun
from profiler.system.cgroup import integer

_HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")
_CAP_SYS_ADMIN = 21
_CAP_PERFMON = 38
_HIGHEST_USER_LEVEL = 2
"""perf_event_paranoid 2 still lets everybody count the user mode of their own processes (kernel documentation,
admin-guide/perf-security); Debian and Ubuntu patch in 3 and 4, which forbid even that."""

_VIRTUAL = (
    "QEMU", "KVM", "OpenStack", "Amazon EC2", "Google Compute Engine", "Microsoft Corporation Virtual Machine",
    "VMware", "VirtualBox", "Parallels", "Xen", "Apple Virtualization", "Alibaba Cloud ECS", "BHYVE", "Bochs",
)  # fmt: skip
"""In vendor and product of virtual machines' DMI; a cloud's bare machines are called something.metal."""

_LOWER_LEVEL = (
    "sudo sysctl kernel.perf_event_paranoid=2 (to keep it: a file in /etc/sysctl.d), or run with CAP_PERFMON or as root"
)
_REFUSED = ("Permission denied", "Operation not permitted", "is limited", "perf_event_paranoid", "You may not have")
_NO_SYSCALL = ("Function not implemented",)


class Trouble(Noun, frozen=True, kw_only=True):
    """What stands in the way, and the remedy."""

    reason: str
    remedy: str


class Circumstances(Noun, frozen=True, kw_only=True):
    """What decides whether ``perf_event_open`` works. ``paranoid`` None: this kernel has no perf events."""

    paranoid: int | None
    privileged: bool
    """Holds CAP_PERFMON or CAP_SYS_ADMIN."""
    seccomp: bool
    """A system call filter is active, as in most containers."""
    hypervisor: bool
    wsl: bool


def circumstances(root: Path = Path("/")) -> Circumstances:
    """Read them from ``/proc`` under ``root``."""
    status = dict(line.split(":", 1) for line in _read(root / "proc/self/status").splitlines() if line.count(":") >= 1)
    capabilities = status.get("CapEff", "").strip()
    held = int(capabilities, 16) if _HEXADECIMAL.fullmatch(capabilities) else 0
    release = _read(root / "proc/sys/kernel/osrelease").strip() or platform.release()
    paranoid = _read(root / "proc/sys/kernel/perf_event_paranoid").strip()
    return Circumstances(
        paranoid=integer(paranoid),
        privileged=bool(held & (1 << _CAP_SYS_ADMIN | 1 << _CAP_PERFMON)),
        seccomp=status.get("Seccomp", "0").strip() != "0",
        hypervisor=_is_virtual(root),
        wsl="microsoft" in release.lower(),
    )


def _is_virtual(root: Path) -> bool:
    """Is this a virtual machine? x86 has a flag for it; elsewhere firmware says it, as to systemd-detect-virt(1)."""
    if " hypervisor" in _read(root / "proc/cpuinfo"):
        return True
    # KVM and Xen on Arm and POWER; Xen; z/VM and KVM on IBM Z; an LPAR of POWER.
    if (root / "proc/device-tree/hypervisor").exists() or _read(root / "sys/hypervisor/type").strip():
        return True
    if "VM00" in _read(root / "proc/sysinfo") or "platform\t: pSeries" in _read(root / "proc/cpuinfo"):
        return True
    product = _read(root / "sys/class/dmi/id/product_name").strip()
    named = f"{_read(root / 'sys/class/dmi/id/sys_vendor').strip()} {product}"
    return any(word in named for word in _VIRTUAL) and not product.endswith(".metal")


def refused(stderr: str, here: Circumstances) -> Trouble:
    """perf ended without a figure and said ``stderr``."""
    if any(word in stderr for word in _REFUSED):
        return _not_permitted(here)
    if any(word in stderr for word in _NO_SYSCALL):
        return _no_syscall(here)
    said = [line.strip() for line in stderr.splitlines() if line.strip() not in {"", "Error:"}]
    return Trouble(
        reason=f"perf failed: {said[0] if said else '(it said nothing)'}",
        remedy="run perf stat true by hand; if it fails there too, install the perf of this kernel",
    )


def unopened(number: int | None, here: Circumstances) -> Trouble:
    """``perf_event_open`` failed with this errno (perf_event_open(2))."""
    if number in {errno.EACCES, errno.EPERM}:
        return _not_permitted(here)
    return not_supported(software_counts=number != errno.ENOSYS, here=here)


def not_supported(*, software_counts: bool, here: Circumstances) -> Trouble:
    """perf ran, but the kernel offers no hardware counter; ``software_counts``: task-clock works."""
    # Where the system call itself answers ENOSYS, perf calls every event "<not supported>", software ones included.
    if not software_counts:
        return _no_syscall(here)
    if here.wsl:
        return Trouble(
            reason="no hardware counters: this is WSL2, whose virtual machine exposes no PMU here",
            remedy="hardwarePerformanceCounters=true under [wsl2] in .wslconfig, then wsl --shutdown; or bare Linux",
        )
    if here.hypervisor:
        return Trouble(
            reason="no hardware counters: this is a virtual machine without a virtual PMU",
            remedy="give the guest a PMU (QEMU/KVM: -cpu host,pmu=on; VMware: virtualize CPU performance counters; "
            "cloud: a bare-metal instance), or measure on bare metal",
        )
    return Trouble(
        reason="no hardware counters: the kernel has no PMU driver for this CPU",
        remedy="dmesg | grep -i 'performance events' says why; a newer kernel may know this CPU",
    )


def _not_permitted(here: Circumstances) -> Trouble:
    level = here.paranoid
    if level is not None and level > _HIGHEST_USER_LEVEL and not here.privileged:
        return Trouble(reason=f"the kernel forbids counting: perf_event_paranoid is {level}", remedy=_LOWER_LEVEL)
    if here.seccomp:
        return Trouble(
            reason="perf_event_open is refused by a system call filter (seccomp), as in most containers",
            remedy="docker run --cap-add PERFMON (or --security-opt seccomp=PROFILE that allows perf_event_open), "
            "or measure outside the container",
        )
    return Trouble(
        reason=f"the kernel refuses perf_event_open (perf_event_paranoid is {'unknown' if level is None else level})",
        remedy=f"{_LOWER_LEVEL}; if it still refuses, a security module (SELinux, lockdown) forbids it",
    )


def _no_syscall(here: Circumstances) -> Trouble:
    if here.seccomp:
        return _not_permitted(here)
    return Trouble(
        reason="the kernel does not offer perf_event_open"
        + (" (there is no /proc/sys/kernel/perf_event_paranoid)" if here.paranoid is None else ""),
        remedy="a kernel with CONFIG_PERF_EVENTS; sandboxes such as gVisor do not have it",
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
