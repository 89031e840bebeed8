"""Run a command with one property of the process changed: ``confine.py PROPERTY PROGRAM ARGUMENT…``.

Run as a script by this Python, it changes what survives execve(2), or the file to execute, and becomes the program.
Properties: no-thp, ssbd, stibp (prctl), seccomp (a filter that allows everything), free-cpu (affinity), copied (the
program beside the side file of the run).
"""

import ctypes
import os
import shutil
import struct
import sys
from pathlib import Path

_PR_SET_THP_DISABLE = 41
_PR_SET_SPECULATION_CTRL = 53
_PR_SPEC_STORE_BYPASS = 0
_PR_SPEC_INDIRECT_BRANCH = 1
_PR_SPEC_DISABLE = 1 << 2
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_RETURN_ALLOW = struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000)
"""One instruction of classic BPF, ``BPF_RET | BPF_K`` with SECCOMP_RET_ALLOW (linux/filter.h, linux/seccomp.h)."""

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
    elif wanted == "seccomp":
        code = ctypes.create_string_buffer(_RETURN_ALLOW, len(_RETURN_ALLOW))
        filters = ctypes.create_string_buffer(struct.pack("HP", 1, ctypes.addressof(code)))
        _prctl(wanted, (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _prctl(wanted, (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(filters), 0, 0))
    else:
        _prctl(wanted, CALLS[wanted])
    # Named as before where it is a copy: by that name Python finds its standard library and its virtual environment.
    os.execv(program, sys.argv[2:])  # noqa: S606 - becoming the given program is the purpose


def _prctl(wanted: str, arguments: tuple[int, ...]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(*map(ctypes.c_ulong, arguments)) != 0:
        sys.exit(f"confine: {wanted}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
