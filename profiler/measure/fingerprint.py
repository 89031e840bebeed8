"""What a launcher is from inside, once before measuring: everything that can differ and might cost."""

from __future__ import annotations

from typing import Any

PROBE = """\
def fingerprint():
    import gc, os, sys

    def read(path):
        try:
            with open(path) as lines:
                return lines.read()
        except OSError:
            return ""

    def quota():
        for line in read("/proc/self/cgroup").splitlines():
            number, _, path = line.split(":", 2)
            for base in ("/sys/fs/cgroup" + path, "/sys/fs/cgroup/cpu" + path, "/sys/fs/cgroup"):
                limit = read(base + "/cpu.max").split()
                if limit:
                    return None if limit[0] == "max" else int(limit[0]) / int(limit[1])
                limit = read(base + "/cpu.cfs_quota_us").split()
                if limit:
                    return None if int(limit[0]) < 0 else int(limit[0]) / int(read(base + "/cpu.cfs_period_us"))
        return None

    status = dict(line.split(":", 1) for line in read("/proc/self/status").splitlines() if ":" in line)
    stat = {name: status[name].strip() for name in status}
    monitoring = getattr(sys, "monitoring", None)
    suffixes = (".so",)
    return {
        "python": sys.version,
        "executable": sys.executable,
        "exe": os.readlink("/proc/self/exe"),
        "prefix": sys.prefix,
        "flags": {n: getattr(sys.flags, n) for n in dir(sys.flags)
                  if n[0] != "_" and n not in ("count", "index", "n_fields", "n_sequence_fields", "n_unnamed_fields",
                                               "dev_mode")},
        "xoptions": {k: str(v) for k, v in getattr(sys, "_xoptions", {}).items()},
        "dev_mode": bool(getattr(sys.flags, "dev_mode", False)),
        "debug_build": hasattr(sys, "gettotalrefcount"),
        "pymalloc": sys.getallocatedblocks() > 0,
        "gc_enabled": gc.isenabled(),
        "gc_threshold": list(gc.get_threshold()),
        "switch_interval": sys.getswitchinterval(),
        "recursion_limit": sys.getrecursionlimit(),
        "int_max_str_digits": getattr(sys, "get_int_max_str_digits", lambda: None)(),
        "trace": repr(sys.gettrace() and type(sys.gettrace()).__name__),
        "profile": repr(sys.getprofile() and type(sys.getprofile()).__name__),
        "monitoring": [t for t in range(6) if monitoring and monitoring.get_tool(t) and monitoring.get_events(t)],
        "threads": len(os.listdir("/proc/self/task")),
        "seccomp": stat.get("Seccomp"),
        "speculation_store_bypass": stat.get("Speculation_Store_Bypass"),
        "speculation_indirect_branch": stat.get("SpeculationIndirectBranch"),
        "thp": stat.get("THP_enabled"),
        "quota": quota(),
        "affinity": sorted(os.sched_getaffinity(0)),
        "encoding": sys.getfilesystemencoding(),
        "environment": {k: v for k, v in os.environ.items() if k.startswith(("PYTHON", "MALLOC_", "GLIBC_", "LD_"))
                        and k != "PYTHONHASHSEED"},
        "extension_modules": sorted(n for n, m in list(sys.modules.items())
                                    if str(getattr(m, "__file__", "") or "").endswith(suffixes)),
        "maps": read("/proc/self/maps"),
    }
"""
"""Source of a function that returns the fingerprint; any CPython from 3.8 on runs it."""


def differences(baseline: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Keys of which the values differ: ``{key: (baseline's, other's)}``. Memory maps are left out."""
    return {
        key: (baseline.get(key), other.get(key))
        for key in baseline.keys() | other.keys()
        if key != "maps" and baseline.get(key) != other.get(key)
    }
