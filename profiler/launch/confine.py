"""Run a command with one property of the process changed: ``confine.py PROPERTY PROGRAM ARGUMENT…``.

Run as a script by this Python, it changes what survives execve(2), or the file to execute, and becomes the program.
Properties: no-thp, ssbd, stibp (prctl), free-cpu (affinity), copied (the program beside the side file of the run).
"""

import ctypes
import os
import shutil
import sys
from pathlib import Path

_PR_SET_THP_DISABLE = 41
_PR_SET_SPECULATION_CTRL = 53
_PR_SPEC_STORE_BYPASS = 0
_PR_SPEC_INDIRECT_BRANCH = 1
_PR_SPEC_DISABLE = 1 << 2

CALLS = {
    "no-thp": (_PR_SET_THP_DISABLE, 1, 0, 0, 0),
    "ssbd": (_PR_SET_SPECULATION_CTRL, _PR_SPEC_STORE_BYPASS, _PR_SPEC_DISABLE, 0, 0),
    "stibp": (_PR_SET_SPECULATION_CTRL, _PR_SPEC_INDIRECT_BRANCH, _PR_SPEC_DISABLE, 0, 0),
}
"""Arguments of prctl as in linux/prctl.h."""


def main() -> None:
    """Change the property and become the program."""
    wanted, program = sys.argv[1:3]
    if wanted == "free-cpu":
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    elif wanted == "copied":
        program = shutil.copy2(program, str(Path(os.environ["TAX_PROBE_SIDE"]).parent))
    else:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(*map(ctypes.c_ulong, CALLS[wanted])) != 0:
            sys.exit(f"confine: {wanted}: {os.strerror(ctypes.get_errno())}")
    os.execv(program, [program, *sys.argv[3:]])  # noqa: S606 - becoming the given program is the purpose


if __name__ == "__main__":
    main()
