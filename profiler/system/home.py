"""The user's folders, for users too who have none: in containers a number without a passwd entry is common."""

from __future__ import annotations

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
        MachineError: the user has no home, and no cache elsewhere.
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
    return found
