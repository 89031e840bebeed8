"""What is run."""

from __future__ import annotations

from profiler.model.base import Noun


class PyperfScript(Noun, frozen=True, kw_only=True):
    """What is run of a script that was written for pyperf's runner; an iteration is one of its loops."""

    benchmark: str | None = None
    """One of its benchmarks by name; None: all of them, in turn."""
    arguments: tuple[str, ...] = ()
    """Command-line arguments of the script itself."""


class Workload(Noun, frozen=True, kw_only=True):
    """A script ``script.py M`` that prints one line which depends on M only, or one for pyperf's runner."""

    name: str
    path: str
    counts_m: tuple[int, int] | None
    """The two M of exact (slow) counting, ascending; None: calibrate on the baseline."""
    timed_m: tuple[int, int] | None
    """The two M of runs at native speed, ascending; None: calibrate on the baseline."""
    pyperf: PyperfScript | None = None
    """None: the script reads M itself."""

    @property
    def work(self) -> tuple[str, PyperfScript | None]:
        """What is run, whatever the M: workloads that have it in common print the same."""
        return self.path, self.pyperf

    sha256: str | None = None
    """Of the script's text, hex; None: read by a version that did not look."""
