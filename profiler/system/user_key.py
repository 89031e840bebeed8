"""A key that this user alone can read: what is sealed with it is the user's own."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from profiler.errors import MachineError
from profiler.system.home import cache_folder

_BYTES = 32


def user_key() -> bytes | None:
    """The key, made where there is none yet; None: there is no place where others could not read it."""
    try:
        place = cache_folder()
        with suppress(FileNotFoundError):
            return _read(_in(place))
        return _made(place)
    except (OSError, MachineError):
        return None


def _in(place: Path) -> Path:
    """Root may have the cache of the user who called sudo, and a key of its own in it."""
    return place / f"key-{os.geteuid()}"


def _read(path: Path) -> bytes | None:
    opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(opened, "rb") as file:
        found = os.fstat(opened)
        own = found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077
        key = file.read(_BYTES) if stat.S_ISREG(found.st_mode) and own else b""
    return key if len(key) == _BYTES else None


def _made(place: Path) -> bytes | None:
    place.mkdir(parents=True, exist_ok=True)
    beside = place / f".key-{os.getpid()}"
    with suppress(FileNotFoundError):
        beside.unlink()
    opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(opened, "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
        # Of two runs that make one at once, the first one's counts for both.
        with suppress(FileExistsError):
            os.link(beside, _in(place))
    finally:
        beside.unlink()
    return _read(_in(place))
