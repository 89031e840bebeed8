"""A command of ours in a process of its own, without the time that imports take."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from profiler.cli import entry

_MEMORY = 4 << 30


class Ended(NamedTuple):
    """How it ended."""

    code: int | None
    """None: it did not, and was killed."""
    said: bytes
    """On stdout and stderr."""


def ran(
    argv: tuple[str, ...],
    folder: Path,
    *,
    limit_s: float,
    env: Mapping[str, str] | None = None,
    before: Callable[[], None] = lambda: None,
) -> Ended:
    """Run ``tax-probe ARGV`` with what it says in a file below ``folder``, 4 GiB of memory, and nobody to ask."""
    told = folder / "said"
    child = multiprocessing.get_context("fork").Process(target=_entry, args=(argv, told, dict(env or {}), before))
    child.start()
    child.join(limit_s)
    code = child.exitcode
    if code is None:
        os.killpg(child.pid or 0, signal.SIGKILL)
        child.join()
    return Ended(code, told.read_bytes() if told.exists() else b"")


def _entry(argv: tuple[str, ...], told: Path, env: dict[str, str], before: Callable[[], None]) -> None:
    os.setsid()
    os.environ.update(env)
    out = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for number, opened in ((0, os.open(os.devnull, os.O_RDONLY)), (1, out), (2, out)):
        os.dup2(opened, number)
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    before()
    sys.argv = ["tax-probe", *argv]
    entry()
