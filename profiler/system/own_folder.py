"""A folder for temporary files with a name that every run gives it again, so that what depends on paths repeats.

An interpreter hashes the paths of its script and modules: with names drawn at random two runs of one seed differ by
some hundred instructions of the start-up.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from profiler.errors import MachineError

_MODE = 0o700
_MOST = 1000
"""So many runs at once, or names that others hold."""


@contextmanager
def own_folder() -> Iterator[Path]:
    """An empty folder of this process alone, gone afterwards. The first name that is free is taken: the same for every
    run but those beside another one. What a killed run left in it is swept.

    Raises:
        MachineError: there is no temporary folder that can be written to.
    """
    try:
        held, path = _taken(Path(tempfile.gettempdir()))
    except OSError as error:
        raise MachineError(
            f"there is no temporary folder that can be written to: {error.strerror}",
            hint="make room, or set TMPDIR to one",
        ) from error
    try:
        yield path
    finally:
        _empty(path)
        with suppress(OSError):
            path.rmdir()
        os.close(held)


def require_temporary() -> None:
    """There is a folder for temporary files, with room for one.

    Raises:
        MachineError: there is not.
    """
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
    except OSError as error:
        raise MachineError(
            f"there is no temporary folder that can be written to: {error.strerror}",
            hint="make room, or set TMPDIR to one",
        ) from error


def _taken(place: Path) -> tuple[int, Path]:
    """The folder, and what keeps it ours as long as it is open.

    Raises:
        OSError: it cannot be made.
    """
    for number in range(_MOST):
        path = place / f"tax-probe-{os.geteuid()}-{number:03d}"
        held = _held(path)
        if held is not None:
            _empty(path)
            return held, path
    raise OSError(errno.EBUSY, f"{_MOST} names in {place} are taken")


def _held(path: Path) -> int | None:
    """The folder, made where there is none, and locked; None: it is another run's, or not ours alone."""
    with suppress(FileExistsError):
        path.mkdir(_MODE)
    try:
        held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(held)
        if found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it may have removed it since it was opened.
            if path.lstat().st_ino == found.st_ino:
                return held
    except OSError:
        pass
    os.close(held)
    return None


def _empty(path: Path) -> None:
    for inside in path.iterdir():
        if inside.is_dir() and not inside.is_symlink():
            shutil.rmtree(inside, ignore_errors=True)
        else:
            inside.unlink(missing_ok=True)
