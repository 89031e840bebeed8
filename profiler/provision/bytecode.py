"""A target's Python files, compiled once: else each of its processes would compile what it imports."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from profiler.errors import MachineError

_TIMEOUT_S = 900.0
_PYTHON = re.compile(r"python3\.\d+")


def compile_below(library: Path, root: Path, emulator: str) -> None:
    """Compile the files below ``library``, called as the folder of a version (``python3.11``), of the system ``root``.

    This machine's own Python of that version does it, or else the target's, under the ``emulator``. What is compiled is
    trusted unchecked: nothing there changes.

    Raises:
        MachineError: neither can.
    """
    name = library.name
    if not _PYTHON.fullmatch(name):
        raise MachineError(f"{library} is no library of a Python", hint="report this as a bug")
    own = next(filter(None, map(shutil.which, (f"/usr/bin/{name}", name))), None)
    python = (own,) if own is not None else (emulator, "-L", str(root), str(root / "usr/bin" / name))
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"} | ({} if own else {"PYTHONHOME": str(root / "usr")})
    command = (
        *(*python, "-S", "-m", "compileall", "-q", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash"),
        *("-s", str(root), "-p", "/", str(library)),
    )
    try:
        # Files that no Python of this version can compile are part of some packages' own tests.
        subprocess.run(command, env=env, check=False, capture_output=True, timeout=_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MachineError(
            f"the target's Python files cannot be compiled: {error}", hint="report this as a bug"
        ) from error
    if not any(library.glob("__pycache__/*.pyc")):
        raise MachineError(
            f"{' '.join(python)} compiles nothing below {library}", hint="run it by hand with -m compileall"
        )
