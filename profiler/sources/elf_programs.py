"""The ELF program behind a command, as the kernel would find it: for an emulator, which loads nothing else."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from profiler.system.process import Command

_FIRST_LINE = 256
"""The kernel's own limit (BINPRM_BUF_SIZE)."""
_DEEPEST = 5
"""Scripts that are run by scripts: the kernel's own limit (``exec_binprm``)."""


def as_program(command: Command) -> tuple[str, ...]:
    """The words of ``command`` with interpreters in the place of scripts (execve(2), "Interpreter scripts"). The first
    is the program's path.

    Raises:
        OSError: there is no such program.
    """
    path, words = _found(command.argv[0], command), command.argv
    for _ in range(_DEEPEST):
        with Path(command.cwd, path).open("rb") as file:
            head = file.read(_FIRST_LINE)
        if not head.startswith(b"#!"):
            return path, *words[1:]
        interpreter, *argument = os.fsdecode(head[2:].partition(b"\n")[0]).strip(" \t").split(maxsplit=1)
        words = (interpreter, *(word.rstrip() for word in argument), path, *words[1:])
        path = interpreter
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), command.argv[0])


def _found(program: str, command: Command) -> str:
    if "/" in program:
        return program
    found = shutil.which(program, path=command.env.get("PATH", os.defpath))
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
    return found
