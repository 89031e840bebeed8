"""What is run."""

from __future__ import annotations

from profiler.model.base import Noun


class Workload(Noun, frozen=True, kw_only=True):
    """A script ``script.py M`` that prints one line which depends on M only."""

    name: str
    path: str
    counts_m: tuple[int, int] | None
    """The two M of exact (slow) counting, ascending; None: calibrate on the baseline."""
    timed_m: tuple[int, int] | None
    """The two M of runs at native speed, ascending; None: calibrate on the baseline."""
    sha256: str | None = None
    """Of the script's text, hex; None: read by a version that did not look."""
