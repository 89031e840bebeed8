"""Facts of the machine that a reader of a result needs: what it is, and what may disturb a measurement."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import msgspec

from profiler.errors import MachineError
from profiler.model import Noun
from profiler.system import process
from profiler.system.cgroup import Cgroup, cgroup, integer, text
from profiler.system.cpu_name import cpu_name, parse_cpuinfo
from profiler.system.diagnose import circumstances
from profiler.system.own_folder import own_folder
from profiler.system.perf import find_perf

_HELPER_TIMEOUT_S = 10.0
_PYPERF_FACTS = (
    "aslr",
    "cpu_config",
    "cpu_freq",
    "cpu_temp",
    "load_avg_1min",
    "platform",
    "runnable_threads",
    "uptime",
)
"""What pyperf collects about the machine; the rest is about pyperf's own process, or names the host."""


class MachineFacts(Noun, frozen=True, kw_only=True):
    """None means that the kernel does not say (often: a virtual machine, or another architecture)."""

    cpu_model: str | None
    vendor: str | None
    family: str | None
    model: str | None
    stepping: str | None
    microcode: str | None
    cpus_online: int
    cpus_allowed: tuple[int, ...]
    smt: bool | None
    governor: str | None
    turbo: bool | None
    hypervisor: bool
    wsl: bool
    kernel: str
    architecture: str
    """As ``uname -m`` has it."""
    perf_event_paranoid: int | None
    nmi_watchdog: bool | None
    """The watchdog takes one hardware counter."""
    steal_s: float | None
    """CPU time that the hypervisor gave to others since boot, all CPUs."""
    cgroup: Cgroup
    transparent_hugepages: str | None
    aslr: int | None
    mitigations: dict[str, str]
    """``/sys/devices/system/cpu/vulnerabilities``."""
    perf: str | None
    valgrind: str | None
    pyperf: dict[str, str | int | float]


def facts(root: Path = Path("/")) -> MachineFacts:
    """Collect them; never fails, takes about 0.2 s. ``root`` is where ``proc`` and ``sys`` stand."""
    import psutil

    cpu = cpuinfo(root)
    here = circumstances(root)
    steal: float | None = getattr(psutil.cpu_times(), "steal", None)
    return MachineFacts(
        cpu_model=cpu_name(cpu, _board(root)),
        vendor=cpu.get("vendor_id"),
        family=cpu.get("cpu family"),
        model=cpu.get("model"),
        stepping=cpu.get("stepping"),
        microcode=cpu.get("microcode"),
        cpus_online=psutil.cpu_count() or 1,
        cpus_allowed=tuple(sorted(os.sched_getaffinity(0))),
        smt=_flag(root / "sys/devices/system/cpu/smt/active"),
        governor=text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        turbo=_turbo(root),
        hypervisor=here.hypervisor,
        wsl=here.wsl,
        kernel=os.uname().release,
        architecture=os.uname().machine,
        perf_event_paranoid=here.paranoid,
        nmi_watchdog=_flag(root / "proc/sys/kernel/nmi_watchdog"),
        steal_s=steal,
        cgroup=cgroup(root),
        transparent_hugepages=_chosen(text(root / "sys/kernel/mm/transparent_hugepage/enabled")),
        aslr=integer(text(root / "proc/sys/kernel/randomize_va_space")),
        mitigations={
            file.name: text(file) or "" for file in sorted((root / "sys/devices/system/cpu/vulnerabilities").glob("*"))
        },
        perf=_perf_version(),
        valgrind=_first_line("valgrind", "--version"),
        pyperf=_pyperf(),
    )


def other_perf_users() -> list[str]:
    """Processes that may hold hardware counters: named perf, or with an open perf event."""
    import psutil

    found = []
    for other in psutil.process_iter(["pid", "name"]):
        if other.pid == os.getpid():
            continue
        name = other.info["name"] or "?"
        if name == "perf" or name.startswith("perf_") or _holds_perf_event(other.pid):
            found.append(f"{name} (pid {other.pid})")
    return found


def pyperf_advice() -> list[str]:
    """What ``pyperf system show`` advises for stable benchmarks; empty when it has no answer."""
    # It exits with 2 where it has advice or could not read something.
    done = _run(sys.executable, "-m", "pyperf", "system", "show", may_fail=True)
    text = "" if done is None else done.stdout.decode(errors="replace")
    section = re.search(r"^Advices\n=+\n\n(.*?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    return section[1].splitlines() if section else []


def _holds_perf_event(pid: int) -> bool:
    try:
        with os.scandir(f"/proc/{pid}/fd") as files:
            return any(str(Path(file.path).readlink()) == "anon_inode:[perf_event]" for file in files)
    except OSError:
        return False


def cpuinfo(root: Path = Path("/")) -> dict[str, str]:
    """``/proc/cpuinfo`` of the first CPU: names (``vendor_id``, ``cpu family``, …) to text."""
    return parse_cpuinfo(text(root / "proc/cpuinfo") or "")


def _board(root: Path) -> str | None:
    """The device tree's model, as Arm and RISC-V boards have one."""
    return (text(root / "proc/device-tree/model") or "").rstrip("\0") or None


def _turbo(root: Path) -> bool | None:
    boost = _flag(root / "sys/devices/system/cpu/cpufreq/boost")
    no_turbo = _flag(root / "sys/devices/system/cpu/intel_pstate/no_turbo")
    return boost if no_turbo is None else not no_turbo


def _perf_version() -> str | None:
    try:
        return find_perf().version
    except MachineError:
        return None


def _pyperf() -> dict[str, str | int | float]:
    try:
        with own_folder() as folder:
            out = folder / "metadata.json"
            _run(sys.executable, "-m", "pyperf", "collect_metadata", "-o", str(out))
            metadata = msgspec.json.decode(out.read_bytes())["metadata"]
    except (OSError, MachineError, msgspec.MsgspecError, KeyError):
        return {}
    return {name: metadata[name] for name in _PYPERF_FACTS if name in metadata}


def _first_line(tool: str, *arguments: str) -> str | None:
    path = shutil.which(tool)
    done = None if path is None else _run(path, *arguments)
    return done.stdout.decode(errors="replace").partition("\n")[0] or None if done is not None else None


def _run(*argv: str, may_fail: bool = False) -> process.Completed | None:
    """A helper: None when it does not end in time, or not well unless it ``may_fail``."""
    try:
        done = process.run(process.helper(argv, timeout_s=_HELPER_TIMEOUT_S))
    except OSError:
        return None
    unusable = done.timed_out or done.output_exceeded or (done.exit != 0 and not may_fail)
    return None if unusable else done


def _flag(path: Path) -> bool | None:
    number = integer(text(path))
    return None if number is None else bool(number)


def _chosen(choices: str | None) -> str | None:
    """``madvise`` of ``always [madvise] never``."""
    marked = re.search(r"\[(\w+)\]", choices or "")
    return marked[1] if marked else None
