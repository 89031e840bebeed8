"""What is run."""

from __future__ import annotations

from profiler.model.base import Noun


class PyperfScript(Noun, frozen=True, kw_only=True):
    """What is run of a script that was written for pyperf's runner; an iteration is one of its loops."""

    benchmark: str | None = None
    """One of its benchmarks by name; None: all of them, in turn."""
    arguments: tuple[str, ...] = ()
    """Command-line arguments of the script itself."""


class Input(Noun, frozen=True, kw_only=True):
    """A file whose bytes every process of a workload finds on its stdin."""

    path: str
    sha256: str
    """Of its bytes, hex."""


Work = tuple[str, PyperfScript | None, tuple[str, ...], str | None]
"""A script's path, what is run of it, its arguments beside M, and the hash of what it finds on stdin."""


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
    arguments: tuple[str, ...] = ()
    """What follows M on the script's command line; those of a script for pyperf are its own."""
    stdin: Input | None = None
    """None: there is nothing to read."""

    @property
    def work(self) -> Work:
        """What is run, whatever the M: workloads that have it in common print the same."""
        return self.path, self.pyperf, self.arguments, None if self.stdin is None else self.stdin.sha256

    sha256: str | None = None
    """Of the script's text, hex; None: read by a version that did not look."""
