"""Why perf cannot count here, and what would have to change: pure rules over a few facts of the system."""

from __future__ import annotations

import errno
import platform
import re
from collections.abc import Iterator
from pathlib import Path

from profiler.model import Noun
from profiler.system.cgroup import integer
from profiler.system.hypervisor import is_virtual

_HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")
_CAP_SYS_ADMIN = 21
_CAP_PERFMON = 38
_HIGHEST_USER_LEVEL = 2
"""perf_event_paranoid 2 still lets everybody count the user mode of their own processes (kernel documentation,
admin-guide/perf-security); Debian and Ubuntu patch in 3 and 4, which forbid even that."""

_LOWER_LEVEL = (
    "sudo sysctl kernel.perf_event_paranoid=2 (to keep it: a file in /etc/sysctl.d), or run with CAP_PERFMON or as root"
)
_DMESG = "dmesg | grep -iE 'performance events|hw perfevents'"
"""What x86 and Arm say of their PMU when they start."""
_ON_ALL_CPUS = frozenset({"cpu", "cpum_cf"})
_ARMS_NAMES = {"instructions": "inst_retired", "cycles": "cpu_cycles"}
"""In ``events`` of the driver (drivers/perf/arm_pmuv3.c)."""
_REFUSED = ("Permission denied", "Operation not permitted", "is limited", "perf_event_paranoid", "You may not have")
_NO_SYSCALL = ("Function not implemented",)


class Trouble(Noun, frozen=True, kw_only=True):
    """What stands in the way, and the remedy."""

    reason: str
    remedy: str


class Pmu(Noun, frozen=True, kw_only=True):
    """The counters of the CPUs, as their driver announces them in ``/sys/bus/event_source``."""

    name: str
    """``cpu`` on x86, POWER and RISC-V, ``cpum_cf`` on IBM Z; elsewhere one per kind of core: ``armv8_pmuv3_0``."""
    events: frozenset[str]
    """Arm's driver leaves out those that the PMU says that it lacks (PMCEID)."""


class Circumstances(Noun, frozen=True, kw_only=True):
    """What decides whether ``perf_event_open`` works. ``paranoid`` None: this kernel has no perf events."""

    paranoid: int | None
    privileged: bool
    """Holds CAP_PERFMON or CAP_SYS_ADMIN."""
    seccomp: bool
    """A system call filter is active, as in most containers."""
    hypervisor: bool
    wsl: bool
    pmus: tuple[Pmu, ...]
    """The kernel has a driver for them."""


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
        hypervisor=is_virtual(root),
        wsl="microsoft" in release.lower(),
        pmus=tuple(_pmus(root / "sys/bus/event_source/devices")),
    )


def _pmus(devices: Path) -> Iterator[Pmu]:
    """Those of CPUs count on all of them or say on which (``cpus``); those of the rest of the chip have ``cpumask``."""
    for place in sorted(devices.glob("*")):
        if place.name in _ON_ALL_CPUS or (place / "cpus").exists():
            yield Pmu(name=place.name, events=frozenset(file.name for file in (place / "events").glob("*")))


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
    return not_supported("instructions", software_counts=number != errno.ENOSYS, here=here)


def not_supported(event: str, *, software_counts: bool, here: Circumstances) -> Trouble:
    """perf ran, but the kernel offers no hardware counter for ``event``; ``software_counts``: task-clock works."""
    # Where the system call itself answers ENOSYS, perf calls every event "<not supported>", software ones included.
    if not software_counts:
        return _no_syscall(here)
    if here.pmus:
        return _lacks(event, here)
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
        remedy=f"{_DMESG} says why; a newer kernel may know this CPU",
    )


def _lacks(event: str, here: Circumstances) -> Trouble:
    """There are counters, and none for this event."""
    names = ", ".join(pmu.name for pmu in here.pmus)
    known = frozenset[str]().union(*(pmu.events for pmu in here.pmus))
    arms = _ARMS_NAMES.get(event)
    lacking = arms is not None and all(pmu.name.startswith("arm") for pmu in here.pmus) and arms not in known
    why = f": the PMU says that it lacks {arms.upper()}" if arms is not None and lacking else ""
    remedy = f"{_DMESG} says what the driver found; measure on another machine, or --source callgrind"
    if here.hypervisor:
        remedy = (
            "the virtual machine emulates a part of the PMU alone (QEMU with KVM: -cpu host,pmu=on; without: -icount "
            "with a fixed shift); measure on bare metal, or --source callgrind"
        )
    return Trouble(
        reason=f"no hardware counter for {event}: the kernel's PMU driver ({names}) offers none{why}", remedy=remedy
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
