"""Where the dynamic loader would find a library, without running anything (ld.so(8), "DESCRIPTION")."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from profiler.launch.binaries.elf import Elf, machine
from profiler.launch.binaries.loader_cache import cached_libraries
from profiler.model import Noun
from profiler.system.rooted import HOST, Rooted

_DEFAULT_DIRECTORIES = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")
_TRIPLETS = {
    "EM_X86_64": "x86_64-linux-gnu",
    "EM_AARCH64": "aarch64-linux-gnu",
    "EM_386": "i386-linux-gnu",
    "EM_ARM": "arm-linux-gnueabihf",
    "EM_PPC64": "powerpc64le-linux-gnu",
    "EM_S390": "s390x-linux-gnu",
    "EM_RISCV": "riscv64-linux-gnu",
}
"""Debian's loaders look into these folders too, also where there is no cache (https://wiki.debian.org/Multiarch)."""
_MOST_CACHE_BYTES = 64 << 20


class Located(Noun, frozen=True, kw_only=True):
    """A library that the loader would take."""

    path: str
    """Real, links followed."""
    how: str
    """For people: by what the loader comes to it."""


def find_library(soname: str, wanted_by: Elf, at: Rooted = HOST) -> str | None:
    """The path of ``locate``; None when none of its kind is found."""
    found = locate(soname, wanted_by, at)
    return None if found is None else found.path


def locate(soname: str, wanted_by: Elf, at: Rooted = HOST) -> Located | None:
    """The file that ``wanted_by``, a file below the root of ``at``, would get for ``soname``.

    A name with a slash is a path. Otherwise the order is DT_RPATH (unless DT_RUNPATH exists), LD_LIBRARY_PATH of this
    process (of this machine's own files alone), DT_RUNPATH, the loader's cache, the default directories.
    """
    real = at.real(at.inside(wanted_by.path)) or wanted_by.path
    origin = str(Path(at.inside(real)).parent)
    own = os.environ.get("LD_LIBRARY_PATH", "").split(":") if at.whole else []
    triplet = _TRIPLETS.get(wanted_by.machine)
    defaults = (*(f"{place}/{triplet}" for place in ("/lib", "/usr/lib") if triplet), *_DEFAULT_DIRECTORIES)
    if "/" in soname:
        candidates = [(_expand(soname, origin), "its name is a path")]
    else:
        candidates = [
            *(
                (f"{_expand(folder, origin)}/{soname}", "DT_RPATH")
                for folder in (() if wanted_by.runpath else wanted_by.rpath)
            ),
            *((f"{folder}/{soname}", "LD_LIBRARY_PATH") for folder in own if folder),
            *((f"{_expand(folder, origin)}/{soname}", "DT_RUNPATH") for folder in wanted_by.runpath),
            *((cached, "the loader's cache") for cached in _cache(at.file("/etc/ld.so.cache")).get(soname, ())),
            *((f"{default}/{soname}", "the loader's default directories") for default in defaults),
        ]
    kind = machine(real)
    for path, how in candidates:
        found = at.file(os.path.abspath(path) if at.whole else path)  # noqa: PTH100 - as text: links stay
        if found is not None and machine(found) == kind:
            return Located(path=found, how=how)
    return None


def _expand(path: str, origin: str) -> str:
    return path.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)


@cache
def _cache(file: str | None) -> dict[str, list[str]]:
    """The names and paths in the loader's cache; empty where it has none (musl)."""
    try:
        if file is None or Path(file).stat().st_size > _MOST_CACHE_BYTES:
            return {}
        return cached_libraries(Path(file).read_bytes())
    except OSError:
        return {}
