"""What the machine has run out of, wherever that is noticed: no bug of ours, and there is a remedy."""

from __future__ import annotations

import errno
import resource

from profiler.errors import MachineError

_ROOM = "make room there, or set TMPDIR to a folder that has some"
_REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "raise the limit of a file's size (ulimit -f)",
    errno.EROFS: "set TMPDIR to a folder that can be written to",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "end programs that hold many files open",
    errno.EAGAIN: "raise the limit of processes (ulimit -u, or pids.max of the control group)",
    errno.ENOMEM: "end other programs, or raise the limit of memory (ulimit -v)",
}

_LEAST_MEMORY = 4 << 30


def require_memory() -> None:
    """As much address space as the numerical libraries take that analyse: with less one of them (OpenBLAS) asks the
    kernel again and again, for ever.

    Raises:
        MachineError: the limit is lower.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < _LEAST_MEMORY:
        raise MachineError(
            f"memory is limited to {limit >> 20} MiB, and analysing takes {_LEAST_MEMORY >> 20} of address space",
            hint="raise the limit (ulimit -v)",
        )


def explained(error: OSError | MemoryError) -> MachineError | None:
    """The error with its remedy; None: this is another kind."""
    if isinstance(error, MemoryError):
        return MachineError("there is no memory left", hint=_REMEDIES[errno.ENOMEM])
    remedy = _REMEDIES.get(error.errno or 0)
    if remedy is None:
        return None
    where = f" ({error.filename})" if error.filename is not None else ""
    return MachineError(f"cannot go on: {error.strerror}{where}", hint=remedy)
