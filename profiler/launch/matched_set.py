"""A matched set: program and library of one revision, both with symbols, where those of the installed files are gone.

A distribution's archive keeps the debug information of its newest revision alone. Files of that revision are as good,
if the same work takes as many instructions in them (``analyze.profile.matched_files`` judges that).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from profiler.errors import MachineError, UsageError
from profiler.launch.binaries.elf import build_id
from profiler.launch.source_lines import KEPT, debug_file
from profiler.model import Noun, Target
from profiler.system.home import cache_folder
from profiler.system.packages import owners
from profiler.system.unpacked_packages import unpacked


class MatchedSet(Noun, frozen=True, kw_only=True):
    """Files that run in the place of the installed ones."""

    revision: str
    """As the distribution calls it, e.g. ``3.11.2-6+deb12u9``."""
    program: str
    library: str | None
    prefix: str
    """Of the standard library, which is the installed one."""


def lacks_symbols(target: Target) -> bool:
    """Whether no debug information is at hand of the target's program or of its library."""
    return any(debug_file(path, build_id(path)) is None for path in _files(target))


def _files(target: Target) -> list[str]:
    return [path for path in (target.real_path, target.shared_library) if path is not None]


def fetched_set(target: Target, say: Callable[[str], None]) -> MatchedSet:
    """Program and library of the archive's newest revision and the debug information of both, in the user's cache.

    Raises:
        UsageError: the target is no interpreter of the distribution, or runs in a virtual environment.
        MachineError: the packages cannot be had, or hold no debug information of these files.
    """
    if target.venv_program is not None:
        raise UsageError(
            "--symbols fetch: the files of another revision run outside a virtual environment",
            hint=f"--python {target.real_path}",
        )
    files = _files(target)
    owned = owners(files)
    if len(owned) < len(files):
        raise UsageError(
            f"--symbols fetch: {next(path for path in files if path not in owned)} belongs to no package",
            hint="build it with debug information (-g, not stripped), which is read from the file itself",
        )
    minor = ".".join(target.version.split(".")[:2])
    names = [*(owned[path].split()[0] for path in files), f"python{minor}-dbg", f"libpython{minor}-dbg"]
    installed = owned[target.real_path].partition(" ")[2]
    revision, root = unpacked(list(dict.fromkeys(names)), cache_folder() / KEPT, say, installed=installed)
    ours = [str(root) + path for path in files]
    for path in ours:
        if not Path(path).is_file() or debug_file(path, build_id(path)) is None:
            raise MachineError(
                f"the packages of {revision} hold no debug information of {Path(path).name}",
                hint="leave --symbols out: files, exported functions and kinds of instructions are told without",
            )
    return MatchedSet(
        revision=revision,
        program=ours[0],
        library=ours[1] if target.shared_library is not None else None,
        prefix=target.prefix,
    )
