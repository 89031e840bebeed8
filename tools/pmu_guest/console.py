"""What is said while it runs: one line at a time, each with the seconds since the start."""

from __future__ import annotations

import sys
import time

_BEGAN = time.monotonic()


def say(text: str) -> None:
    """Print one line at once."""
    sys.stdout.write(f"test-pmu: {elapsed_s():6.1f} s  {text}\n")
    sys.stdout.flush()


def elapsed_s() -> float:
    """Seconds since the start."""
    return time.monotonic() - _BEGAN
