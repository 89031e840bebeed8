"""^C, SIGTERM and SIGHUP at random moments, on a terminal of its own: exit code 5, a clean terminal, and it goes on."""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import shutil
import signal
import subprocess
import termios
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tools.fault_trials.outcome import Result, Tries, counted, lost
from tools.fault_trials.places import GENEROUS_S, TIMED, Place, compared, undisturbed

_LEAST_S = 0.1
_INTERRUPTED = 5
_HIDE, _SHOW = b"\x1b[?25l", b"\x1b[?25h"
_WAYS = ("^C", "SIGINT", "SIGTERM", "SIGHUP")


def interrupted(tries: Tries, folder: Path, rng: random.Random) -> Iterator[Result]:
    """Each way in turn; every fifth comes twice."""
    whole, took = undisturbed(folder / "whole", TIMED)
    losses, outcomes = Counter[str](), Counter[str]()
    for number in tries:
        way = rng.choice(_WAYS)
        place = Place(folder / f"run-{number}", TIMED)
        code, screen, same = _on_a_terminal(place, way, rng.uniform(_LEAST_S, took), twice=number % 5 == 4)
        # What comes while the interpreter itself starts finds nothing of ours that could answer.
        early = code < 0 and not screen
        outcomes["before our first line" if early else f"× exit {code}"] += 1
        if code not in (0, _INTERRUPTED) and not early:
            losses["other exit codes than 0 and 5"] += 1
            print(f"  exit {code} after {way}: {screen[-400:]!r}", flush=True)  # noqa: T201
        losses["tracebacks"] += b"Traceback" in screen
        losses["terminals changed"] += not same
        losses["cursors hidden"] += screen.count(_HIDE) != screen.count(_SHOW)
        losses.update(place.left_behind())
        losses["resumes that fail"] += bool(place.finish())
        compared(whole, place, losses)
        shutil.rmtree(place.folder)
    yield Result(f"{', '.join(_WAYS)} at random moments, on a terminal", tries.made, counted(outcomes), lost(losses))


def _on_a_terminal(place: Place, way: str, after_s: float, *, twice: bool) -> tuple[int, bytes, bool]:
    """Exit code, everything that was printed, and whether the terminal's settings are what they were."""
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    child = place.start(before=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), stdin=theirs, stdout=theirs, stderr=theirs)
    screen = _until(child, ours, time.monotonic() + after_s)
    for _ in range(2 if twice else 1):
        if child.poll() is None:
            if way == "^C":
                os.write(ours, b"\x03")
            else:
                child.send_signal(signal.Signals[way])
            screen += _until(child, ours, time.monotonic() + 0.05)
    screen += _until(child, ours, time.monotonic() + GENEROUS_S)
    child.wait(GENEROUS_S)
    after = termios.tcgetattr(theirs)
    os.close(theirs)
    os.close(ours)
    return child.returncode, screen, before == after


def _until(child: subprocess.Popen[bytes], ours: int, deadline: float) -> bytes:
    """What is printed until then, or until it has ended."""
    found = b""
    while time.monotonic() < deadline:
        ready, _, _ = select.select([ours], [], [], min(0.05, max(0.0, deadline - time.monotonic())))
        if ready:
            with suppress(OSError):
                found += os.read(ours, 1 << 16)
        elif child.poll() is not None:
            break
    return found
