"""What a CPython's file shows of its build beside what ``elf`` reads: nothing is executed."""

from __future__ import annotations

import re

from profiler.launch.binaries.elf import opened
from profiler.launch.binaries.symbols import defined_at

_FREE_THREADED = "_Py_DecRefShared"
"""Defined with Py_GIL_DISABLED alone (Include/refcount.h), which exists since 3.13."""
_COMPILER = re.compile(r"(GCC|clang)\b.*?(\d+\.\d+\.\d+)(?!.*\d+\.\d+\.\d+)", re.IGNORECASE)


def is_free_threaded(path: str) -> bool:
    """Whether the file defines what a build without the GIL has, and no other.

    Raises:
        UsageError: it is damaged.
        OSError: it cannot be read.
    """
    with opened(path) as elf:
        return defined_at(elf, _FREE_THREADED) is not None


def compiler_name(said: tuple[str, ...]) -> str | None:
    """``"GCC 12.2.0"`` of what a file says of its compilers; None where they are none or several."""
    found = {(match[1], match[2]) for comment in said if (match := _COMPILER.search(comment))}
    if len(found) != 1:
        return None
    name, version = next(iter(found))
    return f"{name.upper() if name.lower() == 'gcc' else 'Clang'} {version}"
