"""Where the dynamic loader would find a library, without running anything (ld.so(8), "DESCRIPTION")."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from profiler.launch.binaries.elf import Elf, machine
from profiler.system.tools import output_of

_DEFAULT_DIRECTORIES = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")


def find_library(soname: str, wanted_by: Elf) -> str | None:
    """The file, links followed, that ``wanted_by`` would get for ``soname``; None when none of its kind is found.

    A name with a slash is a path. Otherwise the order is DT_RPATH (unless DT_RUNPATH exists), LD_LIBRARY_PATH of this
    process, DT_RUNPATH, the loader's cache, the default directories.
    """
    origin = str(Path(wanted_by.path).resolve().parent)
    directories = [
        *(() if wanted_by.runpath else wanted_by.rpath),
        *filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(":")),
        *wanted_by.runpath,
    ]
    if "/" in soname:
        candidates = [_expand(soname, origin)]
    else:
        candidates = [
            *(f"{_expand(place, origin)}/{soname}" for place in directories),
            *_cache().get(soname, ()),
            *(f"{place}/{soname}" for place in _DEFAULT_DIRECTORIES),
        ]
    kind = machine(wanted_by.path)
    found = (path for path in candidates if Path(path).is_file() and machine(path) == kind)
    return next((str(Path(path).resolve()) for path in found), None)


def _expand(path: str, origin: str) -> str:
    return path.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)


@cache
def _cache() -> dict[str, list[str]]:
    """``ldconfig -p``: lines ``\\tNAME (kind) => PATH``. Empty where the loader has no cache (musl)."""
    found: dict[str, list[str]] = {}
    for line in (output_of("ldconfig", "-p") or output_of("/sbin/ldconfig", "-p") or "").splitlines():
        name, arrow, path = line.strip().partition(" => ")
        if arrow:
            found.setdefault(name.split(" ")[0], []).append(path)
    return found
