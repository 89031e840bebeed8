"""Workloads: plain scripts that any CPython runs. ``script.py M`` prints one line that depends on M only."""

from __future__ import annotations

import ast
import hashlib
import shlex
from pathlib import Path

import msgspec

from profiler.catalogue import built_in
from profiler.errors import UsageError
from profiler.model import PyperfScript, Workload

_HERE = Path(__file__).parent

BUILT_IN = tuple(
    Workload(name=one.name, path=str(_HERE / f"{one.name}.py"), counts_m=one.counts_m, timed_m=one.timed_m)
    for one in built_in.BUILT_IN
)


def find_workload(name_or_path: str) -> Workload:
    """A built-in workload by name, or the user's script by path; a script for pyperf's runner may be told more:
    ``FILE.py:BENCHMARK``, and arguments of its own after it, as on a command line.

    Raises:
        UsageError: neither a built-in name nor an existing file; more is told of a script that is none for pyperf.
    """
    for workload in BUILT_IN:
        if workload.name == name_or_path:
            return msgspec.structs.replace(workload, sha256=_sha256(Path(workload.path)))
    path, benchmark, arguments = _split(name_or_path)
    if not path.is_file():
        raise UsageError(
            f"no workload {name_or_path!r}: neither built in ({', '.join(built_in.NAMES)}) nor a file",
            hint="give a script that reads M from sys.argv[1] and prints one line that depends on M only, or one "
            "that was written for pyperf",
        )
    own = Workload(
        name=path.stem, path=str(path.resolve()), counts_m=None, timed_m=None, sha256=_sha256(path.resolve())
    )
    if _for_pyperf(path):
        # Those of pyperformance are all called alike; their folders are not.
        name = path.resolve().parent.name if path.stem == "run_benchmark" else path.stem
        return msgspec.structs.replace(
            own,
            name=" ".join((name if benchmark is None else f"{name}:{benchmark}", *arguments)),
            pyperf=PyperfScript(benchmark=benchmark, arguments=arguments),
        )
    if benchmark is not None or arguments:
        raise UsageError(
            f"{path} takes M alone, not {name_or_path.removeprefix(str(path)).strip()!r}: it makes no pyperf.Runner",
            hint=f"--workload {path}",
        )
    return own


def _split(given: str) -> tuple[Path, str | None, tuple[str, ...]]:
    """The file, the benchmark of it, and the script's own arguments; a file that is there may be called anything."""
    if Path(given).is_file():
        return Path(given), None, ()
    try:
        first, *arguments = shlex.split(given)
    except ValueError:
        return Path(given), None, ()
    file, colon, benchmark = first.rpartition(":")
    if not colon or Path(first).is_file():
        return Path(first), None, tuple(arguments)
    return Path(file), benchmark or None, tuple(arguments)


def _for_pyperf(path: Path) -> bool:
    """Does the script import pyperf and make a Runner of it? It is read, not run."""
    try:
        nodes = list(ast.walk(ast.parse(path.read_bytes())))
    except (SyntaxError, ValueError, OSError):
        return False  # It may be of a later Python than this one, or fail in every launcher, which will be told.
    imports = any(
        (isinstance(node, ast.Import) and any(alias.name == "pyperf" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "pyperf")
        for node in nodes
    )
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    makes = any(getattr(func, "attr", getattr(func, "id", None)) == "Runner" for func in called)
    return imports and makes


def _sha256(script: Path) -> str | None:
    """Of its text; None where it cannot be read, which its first run will say better."""
    try:
        return hashlib.sha256(script.read_bytes()).hexdigest()
    except OSError:
        return None
