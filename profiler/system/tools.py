"""Ask a program of the system (an interpreter, a package manager, the loader's cache) one question."""

from __future__ import annotations

import os
from typing import Final

from profiler.system.process import Completed, helper, run

TIME_LIMIT_S: Final = 10.0


def run_briefly(*argv: str) -> Completed:
    """Run ``argv`` in the current directory, for at most 10 s and 1 MiB of output, messages untranslated.

    Raises:
        OSError: it could not be started.
    """
    return run(helper(argv, env=os.environ | {"LC_ALL": "C"}, cwd=".", timeout_s=TIME_LIMIT_S))


def output_of(*argv: str) -> str | None:
    """What ``argv`` prints on stdout; None when the tool is missing or does not come to an end.

    The exit code is not looked at: ``dpkg-query -S`` fails as a whole when one of many files is unknown.
    """
    try:
        done = run_briefly(*argv)
    except OSError:
        return None
    return None if done.timed_out or done.output_exceeded else done.stdout.decode(errors="replace")
