"""A folder may be a stranger's: what it names is run when its user has said so."""

from __future__ import annotations

import sys
from pathlib import Path

from profiler.collect.resume import is_own, what_it_runs
from profiler.errors import UsageError
from profiler.model import Run
from profiler.present.progress import tell

_YES = ("y", "yes")


def require_trust(folder: Path, run: Run, *, trusted: bool) -> None:
    """Nothing, where this user began ``run``; else what it would start is shown, and on a terminal asked about.

    Raises:
        UsageError: the answer is no, or there is nobody to ask.
    """
    if trusted or is_own(run):
        return
    lines = what_it_runs(run)
    told = f"{folder} was not begun by you on this version, and going on runs what it names:\n  " + "\n  ".join(lines)
    if sys.stdin.isatty() and sys.stderr.isatty():
        tell(f"{told}\nrun these? [y/N]")
        if sys.stdin.readline().strip().lower() in _YES:
            return
        raise UsageError(f"{folder} is not continued, nothing was run", hint="tax-probe report DIR runs nothing")
    raise UsageError(told, hint="look at these, and give --trust-folder to run them")
