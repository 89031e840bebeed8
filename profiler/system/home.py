"""The user's folders, for users too who have none: in containers a number without a passwd entry is common."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from profiler.errors import MachineError

_NOWHERE = Path("/nonexistent")
"""Debian's home of those who have none (base-passwd)."""


def home_folder() -> Path:
    """The user's home; a folder that does not exist where nobody knows one."""
    try:
        return Path.home()
    except RuntimeError:
        return _NOWHERE


def expanded(named: str) -> Path:
    """``named`` with ``~`` and ``~user`` followed; as it stands where nobody knows that home."""
    try:
        return Path(named).expanduser()
    except RuntimeError:
        return Path(named)


def cache_folder() -> Path:
    """Where builds are kept.

    Raises:
        MachineError: the user has no home, and no cache elsewhere; or others may put programs into it.
    """
    from platformdirs import user_cache_path

    try:
        found = user_cache_path("tax-probe")
    except RuntimeError:
        found = Path("~")
    # Older platformdirs leave the ~ where it stands, and a folder of that name would be made here.
    if not found.is_absolute():
        raise MachineError(
            "there is no place for builds: this user has no home", hint="set XDG_CACHE_HOME to a folder of yours"
        )
    _refuse_others(found)
    return found


def _caller() -> int:
    """Who called sudo, for root; else root, who may do all anyway."""
    told = os.environ.get("SUDO_UID", "")
    return int(told) if os.geteuid() == 0 and told.isascii() and told.isdigit() else 0


def _refuse_others(cache: Path) -> None:
    """What lies there is run: whoever may write there would be this user."""
    try:
        found = cache.stat()
    except OSError:
        return
    trusted = {os.geteuid(), 0, _caller()}
    if found.st_uid not in trusted:
        raise MachineError(
            f"the cache {cache} belongs to another user, whose programs would be run",
            hint="set XDG_CACHE_HOME to a folder of yours",
        )
    if found.st_mode & stat.S_IWOTH:
        raise MachineError(
            f"everybody may write to the cache {cache}, and what lies there is run",
            hint=f"chmod o-w {shlex.quote(str(cache))} after a look at what lies there, or remove it",
        )
