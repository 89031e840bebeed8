"""One run at a time on a machine.

The lock is a file of each user's own, in a folder that all processes of the machine share, whatever their TMPDIR.
Nobody else can open it, so nobody else can hold it. That another user measures is seen in ``/proc/locks``, and told:
whoever holds a lock of theirs for ever stops nobody.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from profiler.errors import MachineError

PLACES = ("/run/lock", "/dev/shm", "/tmp", "/var/tmp")  # noqa: S108 - where the names are others' the next is taken
"""The first that can be written to has the lock."""
CHOSEN = "TAX_PROBE_LOCK_DIR"
"""A variable that names another: a folder that containers of one machine share, say."""
_MOST = 100
"""Names that others may have taken."""
_POLL_S = 0.1
_FLOCK = re.compile(r"^\d+: FLOCK +\S+ +\S+ +(\d+) ([0-9a-f]+:[0-9a-f]+):(\d+) ", re.MULTILINE)
"""A lock in /proc/locks (proc_locks(5)): whose it is, of which device and inode."""
_LONGEST_COMMAND = 120


@contextmanager
def only_one_run(wait_s: float = 0.0, tell: Callable[[str], None] = lambda text: None) -> Iterator[str | None]:
    """Hold the machine's lock: two runs at once would disturb each other's caches and counters.

    Where another run holds it, ``tell`` is told whose it is, and its end is waited for, ``wait_s`` seconds at most.
    Where that run is another user's, this one goes on afterwards all the same.

    Yields:
        In words whose run measures beside this one, where it is another user's; else None.

    Raises:
        MachineError: another run of this user holds the lock, still; or there is no place for it.
    """
    path, held = _opened()
    try:
        if not _locked(held):
            _wait(lambda: _locked(held), wait_s, tell, _whose(path, surely_held=True))
        others = _of_others(path)
        if others and wait_s:
            with suppress(MachineError):
                _wait(lambda: not _of_others(path), wait_s, tell, others)
            others = _of_others(path)
        yield f"another user measures on this machine{others}" if others else None
    finally:
        os.close(held)


def _wait(free: Callable[[], bool], wait_s: float, tell: Callable[[str], None], whose: str) -> None:
    deadline = time.monotonic() + wait_s
    if wait_s:
        tell(f"waiting up to {wait_s:g} s for another tax-probe to end{whose}")
    while time.monotonic() < deadline:
        if free():
            return
        time.sleep(_POLL_S)
    still = f", still after {wait_s:g} s" if wait_s else ""
    raise MachineError(
        f"another tax-probe is measuring on this machine{still}{whose}",
        hint=f"{'wait longer' if wait_s else 'wait for it to end'} with --wait SECONDS",
    )


def _opened() -> tuple[Path, int]:
    """The lock's file, made where there is none: the first place, and there the first name, that is ours alone.

    Raises:
        MachineError: there is none.
    """
    chosen = os.environ.get(CHOSEN)
    places = PLACES if chosen is None else (chosen,)
    for place in places:
        for number in range(_MOST):
            path = Path(place) / f"tax-probe-{os.geteuid()}-{number:02d}.lock"
            try:
                found = _own(path)
            except OSError:
                break  # Nothing can be made here.
            if found is not None:
                return path, found
    raise MachineError(
        f"there is no place for the lock that lets one run measure at a time: {', '.join(places)}",
        hint=f"name a folder that can be written to in {CHOSEN}",
    )


def _own(path: Path) -> int | None:
    """The open file; None: the name is another's, or others could hold what it leads to.

    Raises:
        OSError: it cannot be made.
    """
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        # In a folder of all users the kernel lets nobody open another's file with O_CREAT (fs.protected_regular).
        with suppress(FileExistsError):
            return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
        opened = os.open(path, flags)
    except OSError:
        if os.path.lexists(path):
            return None
        raise
    found = os.fstat(opened)
    alone = found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077 and found.st_nlink == 1
    if stat.S_ISREG(found.st_mode) and alone:
        return opened
    os.close(opened)
    return None


def _locked(held: int) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _of_others(own: Path) -> str:
    """Who holds locks of other users, in brackets; empty where nobody does."""
    places = dict.fromkeys((str(own.parent), *(PLACES if CHOSEN not in os.environ else ())))
    with suppress(OSError):
        held = (_whose(path, surely_held=False) for place in places for path in _locks(Path(place), own))
        return next(filter(None, held), "")
    return ""


def _locks(place: Path, own: Path) -> Iterator[Path]:
    mine = own.name.rpartition("-")[0]
    return (path for path in sorted(place.glob("tax-probe-*.lock")) if path.name.rpartition("-")[0] != mine)


def _whose(path: Path, *, surely_held: bool) -> str:
    """Who holds the lock, in brackets; nothing where the kernel does not say: it may be in another container."""
    try:
        file = path.lstat()
        locks = [lock for lock in _FLOCK.findall(_held_here()) if int(lock[2]) == file.st_ino]
    except (OSError, ValueError):
        return ""
    device = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}"
    own = [lock for lock in locks if lock[1] == device]
    if surely_held:
        # An overlay, as containers have it, shows another device there than to stat. Of a lock that nobody may hold,
        # the number alone would be that of some file elsewhere.
        own = own or locks
    holders = sorted({int(pid) for pid, _, _ in own if int(pid) > 0})
    return f" ({', '.join(f'pid {pid}{_command(pid)}' for pid in holders)})" if holders else ""


def _held_here() -> str:
    return Path("/proc/locks").read_text()


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
