"""A module that a process could not import: is it the target that lacks it, or this launcher's environment alone?"""

from __future__ import annotations

import os
import re

from profiler.errors import WorkloadError
from profiler.model import Launcher
from profiler.system.process import helper, run

_LACKING = re.compile(r"^ModuleNotFoundError: No module named '([\w.]+)'", re.MULTILINE)
_WHERE = "import importlib.util, sys; print(importlib.util.find_spec(sys.argv[1]).origin or 'a namespace package')"
_TIMEOUT_S = 20.0


def missing_module(stderr_tail: str) -> str | None:
    """The module whose lack ended the process, by the traceback that came last; None: it ended of something else."""
    last = stderr_tail.rpartition("Traceback (most recent call last)")[2]
    found = _LACKING.findall(last)
    return found[-1] if found else None


def explained(launcher: Launcher, baseline: Launcher, stderr_tail: str) -> WorkloadError | None:
    """What to say of a process of ``launcher`` that ended so; None where no lack of a module is to blame."""
    module = missing_module(stderr_tail)
    if module is None:
        return None
    found = _where(baseline, module)
    program = baseline.argv[0]
    if found is None:
        return WorkloadError(
            f"{baseline.name} ({program}) has no module {module}, which the workload imports",
            hint="--python VENV/bin/python names the interpreter of a virtual environment that has it",
        )
    if launcher.argv == baseline.argv:
        return None  # It is there, and the process did not see it: the traceback tells more than we know.
    return WorkloadError(
        f"{launcher.name} finds no module {module}, which {baseline.name} has in {found}: the environment of "
        f"{launcher.name} lacks it, the workload is not to blame\n{stderr_tail.strip()}",
        hint=f"install {module.partition('.')[0]} where {launcher.name} looks for modules (its sys.path), for its "
        "own CPython; a bundled program needs it in its bundle (PyInstaller: --hidden-import)",
    )


def _where(baseline: Launcher, module: str) -> str | None:
    """The file of ``module`` in ``baseline``; None where it has none."""
    asked = helper(
        (baseline.argv[0], "-c", _WHERE, module), env=os.environ | baseline.env, cwd=".", timeout_s=_TIMEOUT_S
    )
    try:
        done = run(asked)
    except OSError:
        return None
    return done.stdout.decode(errors="replace").strip() if done.exit == 0 else None
