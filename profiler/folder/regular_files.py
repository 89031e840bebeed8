"""Files of a folder that a stranger may have handed over: no link is followed, no device or FIFO waited for."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

MOST_BYTES = 4 << 30
"""Of one file, packed or not: some 25 million rows."""


def read_regular(path: Path) -> bytes:
    """All bytes of a regular file.

    Raises:
        OSError: there is none, it is a link or a device (ELOOP, EINVAL), or larger than ``MOST_BYTES`` (EFBIG).
    """
    # Without O_NONBLOCK the open of a FIFO waits for a writer.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if found.st_size > MOST_BYTES:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
        return file.read()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file beside ``path`` and move it there, so that a reader never sees half of it, nor does a power cut
    leave half of it. What stands at either place is replaced, a link as well; nothing is written through one.

    Raises:
        OSError: the disk is full or read-only; the file beside is gone again.
    """
    beside = path.with_name(path.name + ".part")
    with suppress(FileNotFoundError):
        beside.unlink()
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the disk keep which files stand in ``folder``, where its file system can."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def require_own_folder(folder: Path) -> None:
    """``folder`` is a directory, or is made one; a link to one elsewhere is refused.

    Raises:
        OSError: ELOOP for a link; else as the system says.
    """
    if folder.is_symlink():
        raise OSError(errno.ELOOP, "it is a link to another folder", str(folder))
    folder.mkdir(exist_ok=True)
