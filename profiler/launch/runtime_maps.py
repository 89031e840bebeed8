"""Evidence from a running process: which mapped file its eval loop comes from."""

from __future__ import annotations

import re
from pathlib import Path

from profiler.launch.binaries.elf import holds_eval_loop

_MAPPED_CODE = re.compile(r"^[0-9a-f]+-[0-9a-f]+ ..x. [0-9a-f]+ \S+ \d+ +(/.*)$")


def mapped_code(maps: str) -> tuple[str, ...]:
    """The files that ``/proc/<pid>/maps`` (proc_pid_maps(5)) shows mapped executable, each once, in map order."""
    found = (_MAPPED_CODE.match(line) for line in maps.splitlines())
    return tuple(dict.fromkeys(match.group(1) for match in found if match))


def eval_loop_image(maps: str, program: str) -> str | None:
    """The file that holds the eval loop of the process with these ``maps``, whose own executable is ``program``.

    Returns:
        ``program`` where it holds the eval loop itself, even when some extension also drags in a libpython: symbols
        are looked up in the program first. Else the one mapped file that defines the eval loop (the stable-ABI stub
        ``libpython3.so`` defines nothing). None when no file shows it, a file has been replaced since (``(deleted)``),
        or several libraries do and the maps cannot tell which one runs.
    """
    program = str(Path(program).resolve())
    if holds_eval_loop(program):
        return program
    holders = [path for path in mapped_code(maps) if path != program and holds_eval_loop(path)]
    return holders[0] if len(holders) == 1 else None
