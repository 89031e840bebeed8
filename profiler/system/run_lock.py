"""One run at a time on a machine, and its orderly end."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from profiler.errors import MachineError


@contextmanager
def only_one_run() -> Iterator[None]:
    """Hold the machine's lock: two runs at once would disturb each other's caches and counters.

    Raises:
        MachineError: another run holds it.
    """
    from filelock import FileLock, Timeout

    try:
        path = Path(tempfile.gettempdir()) / "tax-probe.lock"
    except FileNotFoundError as error:
        raise MachineError(
            "there is no temporary folder that can be written to", hint="make room, or set TMPDIR to one"
        ) from error
    lock = FileLock(path, mode=0o666, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise MachineError(
            "another tax-probe is measuring on this machine", hint=f"wait for it to end (lock file: {path})"
        ) from error
    except OSError as error:
        raise MachineError(f"cannot take the lock {path}: {error.strerror}", hint="remove the file") from error
    try:
        with terminable():
            yield
    finally:
        lock.release()


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP of a terminal that is closed, end the run as Ctrl-C does, so that it is saved."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
