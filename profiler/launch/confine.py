"""Run a command with one property of the process changed: ``confine.py no-thp|ssbd|stibp PROGRAM ARGUMENT…``.

Run as a script by this Python, it sets the property with prctl(2), which survives execve(2), and becomes the program.
"""

import ctypes
import os
import sys

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

if __name__ == "__main__":
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(*map(ctypes.c_ulong, CALLS[sys.argv[1]])) != 0:
        sys.exit(f"confine: {sys.argv[1]}: {os.strerror(ctypes.get_errno())}")
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - becoming the given program is the purpose
