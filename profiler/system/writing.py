"""What a folder of the user's cache could not take, told with its remedy."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from profiler.errors import MachineError

_OF_A_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


@contextmanager
def writing(folder: Path, full: str, unwritable: str | None = None) -> Iterator[None]:
    """Explain what fails because ``folder``, or what it lies in, cannot be written to, and nothing else.

    Args:
        folder: what is written to.
        full: the remedy where the disk has no room.
        unwritable: the remedy where it is something else; the same unless given.

    Raises:
        MachineError: it cannot.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _OF_A_DISK and not _concerns(folder, error.filename):
            raise
        no_room = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise MachineError(
            f"cannot write to {folder}: {error.strerror or error}",
            hint=full if no_room or unwritable is None else unwritable,
        ) from error


def _concerns(folder: Path, name: object) -> bool:
    """Whether a file of that name is in ``folder``, beside it, or above it."""
    if not isinstance(name, str):
        return False
    path = Path(name)
    return path.is_absolute() and (path.is_relative_to(folder.parent) or folder.is_relative_to(path))
