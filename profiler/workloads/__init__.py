"""Workloads: plain scripts that any CPython runs. ``script.py M`` prints one line that depends on M only."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from profiler.errors import UsageError
from profiler.model import Workload

_HERE = Path(__file__).parent

# Ranges of M in which the cost per iteration does not change kind: int_loop's squares need a second digit (30 bits)
# from i = 32 768 on, and its sum a third one from about M = 1.5 million on.
BUILT_IN: tuple[Workload, ...] = (
    Workload(
        name="int_loop",
        path=str(_HERE / "int_loop.py"),
        counts_m=(35_000, 50_000),
        timed_m=(200_000, 1_200_000),
    ),
    Workload(
        name="int_loop_global",
        path=str(_HERE / "int_loop_global.py"),
        counts_m=(35_000, 50_000),
        timed_m=(200_000, 1_000_000),
    ),
    Workload(
        name="dynamic",
        path=str(_HERE / "dynamic.py"),
        counts_m=(3_000, 6_000),
        timed_m=(20_000, 150_000),
    ),
    Workload(
        name="dynamic_global",
        path=str(_HERE / "dynamic_global.py"),
        counts_m=(3_000, 6_000),
        timed_m=(20_000, 150_000),
    ),
)


def find_workload(name_or_path: str) -> Workload:
    """A built-in workload by name, or the user's script by path.

    Raises:
        UsageError: neither a built-in name nor an existing file.
    """
    for workload in BUILT_IN:
        if workload.name == name_or_path:
            return msgspec.structs.replace(workload, sha256=_sha256(Path(workload.path)))
    path = Path(name_or_path)
    if not path.is_file():
        names = ", ".join(workload.name for workload in BUILT_IN)
        raise UsageError(
            f"no workload {name_or_path!r}: neither built in ({names}) nor a file",
            hint="give a script that reads M from sys.argv[1] and prints one line that depends on M only",
        )
    return Workload(
        name=path.stem, path=str(path.resolve()), counts_m=None, timed_m=None, sha256=_sha256(path.resolve())
    )


def _sha256(script: Path) -> str | None:
    """Of its text; None where it cannot be read, which its first run will say better."""
    try:
        return hashlib.sha256(script.read_bytes()).hexdigest()
    except OSError:
        return None
