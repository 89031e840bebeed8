"""The perf that is installed, if it runs."""

from __future__ import annotations

import os
import shutil

from profiler.errors import MachineError
from profiler.model import Noun
from profiler.system import process
from profiler.system.install import how_to_install

INSTALL = how_to_install("perf")
QUIET = {"PERF_CONFIG": "/dev/null"}
"""perf reads this file only: neither /etc/perfconfig nor ~/.perfconfig changes what it counts and prints."""
_VERSION_TIMEOUT_S = 10.0


class NoPerfError(MachineError):
    """There is no perf that runs; the kernel may count all the same."""


class Perf(Noun, frozen=True, kw_only=True):
    """A perf that runs."""

    path: str
    version: str


def find_perf() -> Perf:
    """The perf on PATH.

    Raises:
        NoPerfError: there is none, or it is a distribution's wrapper without the perf of the running kernel behind it.
    """
    path = shutil.which("perf")
    if path is None:
        raise NoPerfError("perf is not installed", hint=INSTALL)
    try:
        done = process.run(process.helper((path, "--version"), env=os.environ | QUIET, timeout_s=_VERSION_TIMEOUT_S))
    except OSError as error:
        raise NoPerfError(f"{path} cannot be started: {error.strerror}", hint=INSTALL) from error
    words = done.stdout.decode(errors="replace").split()
    if done.timed_out or done.exit != 0 or words[:2] != ["perf", "version"]:
        said = next((line.strip() for line in done.stderr_tail.splitlines() if line.strip()), "(it said nothing)")
        how = "hangs" if done.timed_out else f"does not run (exit {done.exit})"
        raise NoPerfError(f"{path} {how}: {said}", hint=INSTALL)
    return Perf(path=path, version=" ".join(words[2:]))
