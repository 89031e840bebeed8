"""Processes that were started and have not ended: each leads a group of its own, which can be killed whole."""

from __future__ import annotations

import atexit
import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import AnyStr

from profiler.system.guardian import Guardian

_LOOK_AGAIN_S = 0.01
_SET_CHILD_SUBREAPER = 36
"""prctl(2)."""
_ENDED = ("Z", "X")
"""States: a zombie, which is only to be waited for, and a dead one."""

_running: set[int] = set()
"""Leaders of the groups that ``stop_all`` must reach from another thread."""
_starting = threading.Lock()


@contextmanager
def started(start: Callable[[], subprocess.Popen[AnyStr]]) -> Iterator[subprocess.Popen[AnyStr]]:
    """The process that ``start`` starts, in a session of its own. While this lasts, ``stop_all`` reaches its group, and
    the group ends when we do, whatever way that is.
    """
    guardian = _guardian()
    with _starting:
        child = start()
        _running.add(child.pid)
    guardian.begun(child.pid)
    try:
        yield child
    finally:
        _running.discard(child.pid)
        guardian.ended(child.pid)


@cache
def _guardian() -> Guardian:
    """One for all, and with it what a process leaves behind becomes a child of ours."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    guardian = Guardian()
    atexit.register(guardian.close)
    return guardian


def stop_all() -> None:
    """Kill every process that is waited for in any thread; those calls then return or raise."""
    for pid in tuple(_running):
        kill_group(pid)


def kill_group(pid: int) -> None:
    """Kill a process group that may be gone already."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def sweep() -> None:
    """Kill and reap what ended processes left behind in sessions of their own (daemons): as our process has adopted it,
    its parent is ours. Nothing where a process is still measured, which may wait for what it has left so.
    """
    with _starting:
        if _running:
            return
        ours = os.getsid(0)
        for pid in _children():
            _, group, session = _state(Path(f"/proc/{pid}/stat"))
            if session in (0, ours) or _guardian().is_it(pid):
                continue
            kill_group(group)
            with suppress(OSError):
                os.waitpid(pid, 0)


def _children() -> Iterator[int]:
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            yield from map(int, path.read_text().split())


def settle(group: int, limit_s: float) -> None:
    """Wait until no process of ``group`` runs any more, but no longer than ``limit_s``."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline and _runs(group):
        time.sleep(_LOOK_AGAIN_S)


def has_ended(pid: int) -> bool:
    """A process is gone, or nobody has waited for it yet."""
    return _state(Path(f"/proc/{pid}/stat"))[0] in _ENDED


def _runs(group: int) -> bool:
    """Is there a process of ``group`` that has not ended?"""
    found = map(_state, Path("/proc").glob("[0-9]*/stat"))
    return any(of == group and state not in _ENDED for state, of, _ in found)


def _state(stat: Path) -> tuple[str, int, int]:
    """State, group and session of a process, by its ``stat`` (proc(5)); a dead one's where there is none."""
    try:
        state, _, group, session = stat.read_text(errors="replace").rpartition(")")[2].split()[:4]
    except (OSError, ValueError):
        return "X", 0, 0
    return state, int(group), int(session)
