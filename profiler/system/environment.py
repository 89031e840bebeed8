"""What every launcher inherits of its user: variables and a CPU quota that change what is counted or timed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from profiler.catalogue.caveats import CPU_QUOTA, ENVIRONMENT, caveat
from profiler.model import Caveat
from profiler.system.cgroup import Cgroup, text

_COSTLY = (
    "COVERAGE_PROCESS_START",
    "GLIBC_TUNABLES",
)
"""Variables of the C library (ld.so(8)), and coverage's, whose .pth file begins to trace at start."""

_COSTLY_BEGINNINGS = ("LD_", "MALLOC_", "PYTHON")
"""The loader's (ld.so(8)), glibc's allocator's (mallopt(3)), and Python's own."""

_HARMLESS = frozenset(
    {
        "LD_RUN_PATH",  # of the linker, for what is built
        "PYTHONASYNCIODEBUG",
        "PYTHONBREAKPOINT",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHASHSEED",  # a block's own replaces it
        "PYTHONHISTORY",
        "PYTHONIOENCODING",
        "PYTHONPYCACHEPREFIX",
        "PYTHONSTARTUP",
        "PYTHON_BASIC_REPL",
        "PYTHON_COLORS",
        "PYTHON_HISTORY",
    }
)
"""They change no work of a script: read by the interactive interpreter, or for files and streams only."""

_LONGEST = 100


def environment_caveats(environment: Mapping[str, str]) -> tuple[Caveat, ...]:
    """One for each variable that is set to anything and can change the work of every launcher, by name."""
    return tuple(
        caveat(ENVIRONMENT, f"{name}={_short(environment[name])} is set and applies to every launcher that reads it")
        for name in sorted(environment)
        if environment[name] and name not in _HARMLESS
        if name in _COSTLY or name.startswith(_COSTLY_BEGINNINGS)
    )


def preload_caveats(root: Path = Path("/")) -> tuple[Caveat, ...]:
    """One where a library is loaded into every program of this system (ld.so(8), /etc/ld.so.preload)."""
    named = (text(root / "etc/ld.so.preload") or "").split()
    if not named:
        return ()
    said = f"/etc/ld.so.preload loads {_short(' '.join(named))} into every process that is measured"
    return (caveat(ENVIRONMENT, said, remedy="take it out of that file, unless that is meant"),)


def quota_caveats(group: Cgroup) -> tuple[Caveat, ...]:
    """One where the quota is less than what a single busy process takes: wall times are then the quota's, not the
    program's, and a process starts cold after each stop.
    """
    quota = group.quota_cpus
    if quota is None or quota >= 1:
        return ()
    stopped = "" if group.throttled is None else f" (stopped {group.throttled} times so far)"
    return (caveat(CPU_QUOTA, f"the control group may use {quota:g} CPUs{stopped}, so wall times are the quota's"),)


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"
