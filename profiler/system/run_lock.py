"""One run at a time on a machine."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from profiler.errors import MachineError

_POLL_S = 0.1
_FLOCK = re.compile(r"^\d+: FLOCK +\S+ +WRITE (\d+) ([0-9a-f]+:[0-9a-f]+):(\d+) ", re.MULTILINE)
"""A lock in /proc/locks (proc_locks(5)): whose it is, of which device and inode."""
_LONGEST_COMMAND = 120


@contextmanager
def only_one_run(wait_s: float = 0.0, tell: Callable[[str], None] = lambda text: None) -> Iterator[None]:
    """Hold the machine's lock: two runs at once would disturb each other's caches and counters.

    Where another run holds it, ``tell`` is told whose it is, and its end is waited for, ``wait_s`` seconds at most.

    Raises:
        MachineError: another run holds it, still.
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
        try:
            lock.acquire()
        except Timeout:
            if wait_s <= 0:
                raise
            tell(f"waiting up to {wait_s:g} s for another tax-probe to end{_whose(path)}")
            lock.acquire(timeout=wait_s, poll_interval=_POLL_S)
    except Timeout as error:
        still = f", still after {wait_s:g} s" if wait_s else ""
        raise MachineError(
            f"another tax-probe is measuring on this machine{still}{_whose(path)}",
            hint=f"{'wait longer' if wait_s else 'wait for it to end'} with --wait SECONDS (lock file: {path})",
        ) from error
    except OSError as error:
        raise MachineError(f"cannot take the lock {path}: {error.strerror}", hint="remove the file") from error
    try:
        yield
    finally:
        lock.release()


def _whose(path: Path) -> str:
    """Who holds the lock, in brackets; nothing where the kernel does not say: it may be in another container."""
    try:
        file = path.stat()
        locks = [lock for lock in _FLOCK.findall(Path("/proc/locks").read_text()) if int(lock[2]) == file.st_ino]
    except (OSError, ValueError):
        return ""
    device = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}"
    # An overlay, as containers have it, shows another device there than to stat.
    own = [lock for lock in locks if lock[1] == device] or locks
    holders = sorted({int(pid) for pid, _, _ in own if int(pid) > 0})
    return f" ({', '.join(f'pid {pid}{_command(pid)}' for pid in holders)})" if holders else ""


def _command(pid: int) -> str:
    """What that process was started as, on one line without control characters: anybody may hold the lock."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return ""
    named = next((at for at, word in enumerate(words[:3]) if Path(word).name == "tax-probe"), None)
    told = " ".join(("tax-probe", *words[named + 1 :]) if named is not None else words)
    told = "".join(letter if letter.isprintable() else " " for letter in told)
    return f": {told[:_LONGEST_COMMAND]}" if told.strip() else ""
