"""What is looked at inside a process, and which cause a difference points to: a new property is one entry here."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

Fingerprint = dict[str, Any]

PROPERTIES: dict[str, str | None] = {
    "implementation": "version",
    "version": "version",
    "free_threaded": "version",
    "trace": "tracing",
    "profile": "tracing",
    "monitoring": "tracing",
    "eval_frame": "tracing",
    "tracemalloc": "tracing",
    "traced_by_another_process": "tracing",
    "dev_mode": "dev-mode",
    "memory_debug": "dev-mode",
    "debug_build": "dev-mode",
    "allocator": "allocator",
    "allocator_environment": "allocator",
    "malloc_libraries": "allocator",
    "gc_enabled": "gc",
    "gc_threshold": "gc",
    "gc_debug": "gc",
    "gc_callbacks": "gc",
    "gc_frozen": "gc",
    "gc_objects_log4": "gc",
    "threads": "threads",
    "busy_threads": "threads",
    "switch_interval": "threads",
    "gil_enabled": "threads",
    "jit_enabled": "init-path",
    "timers": "signals",
    "signals_caught": "signals",
    "flags": "init-path",
    "xoptions": "init-path",
    "recursion_limit": "init-path",
    "int_max_str_digits": "init-path",
    "import_hooks": "init-path",
    "replaced_builtins": "init-path",
    "extension_modules": "extension-modules",
    "linker_environment": "plt",
    "string_hash": "hash-seed",
    "seccomp": "mitigations",
    "speculation_store_bypass": "mitigations",
    "speculation_indirect_branch": "mitigations",
    "thp": "huge-pages",
    "personality": "code-layout",
    "stack_limit": "code-layout",
    "environment_pages": "environment-size",
    "quota": "throttling",
    "affinity": "throttling",
    "scheduling": "throttling",
}
"""Fingerprint keys that can cost per opcode, with the cause they point to. All others cannot."""

CONFIG_PROPERTIES: dict[str, str] = {
    "allocator": "allocator",
    "dev_mode": "dev-mode",
    "tracemalloc": "tracing",
    "optimization_level": "init-path",
    "Py_OptimizeFlag": "init-path",
    "install_signal_handlers": "signals",
    "use_hash_seed": "hash-seed",
    "hash_seed": "hash-seed",
    "perf_profiling": "tracing",
    "pymalloc_hugepages": "huge-pages",
}
"""The same for fields of PyPreConfig and PyConfig; the rest of them is read at start only."""

BRINGS: dict[str, tuple[str, ...]] = {
    # PYTHONMALLOC and PyPreConfig.allocator name an allocator with its hooks: both are given, and removed, together.
    "memory_debug": ("allocator",),
}
"""What a setting brings along of other causes: fingerprint key → keys that whatever removes or gives it changes too.

What ``PROPERTIES`` puts under one cause needs no entry: development mode and a debug build bring the hooks of
``memory_debug``, one ``dev-mode`` all of them. ``-X dev`` brings no more: its flag and option are no ``flags`` and no
``xoptions`` of the probe's, it starts no tracemalloc, and faulthandler's signals are not sent while the work runs.
"""

NOT_COMPARED = frozenset({"maps", "exe", "executable", "images", "throttled"})
"""Fingerprint keys that differ between any two processes, or between any two launchers."""


def differences(baseline: Fingerprint, other: Fingerprint) -> dict[str, tuple[Any, Any]]:
    """Keys of which the values differ: ``{key: (baseline's, other's)}``, without what always differs."""
    return {
        key: (baseline.get(key), other.get(key))
        for key in sorted((baseline.keys() | other.keys()) - NOT_COMPARED)
        if baseline.get(key) != other.get(key)
    }


def brought_by(cause: str, own: Collection[str], different: Collection[str]) -> str | None:
    """The cause that brings ``own``, keys of ``cause``, along, of all that are ``different``. None: it came alone."""
    parents = (
        PROPERTIES[key]
        for key, brought in BRINGS.items()
        if key in different and set(own) <= set(brought) and cause in {PROPERTIES[name] for name in brought}
    )
    return next(parents, None)
