"""Workloads: plain scripts that any CPython runs. ``script.py M …`` prints one line that depends on M only."""

from __future__ import annotations

import ast
import hashlib
import shlex
from pathlib import Path

import msgspec

from profiler.catalogue import built_in
from profiler.catalogue.statement_list import FEW, MANY, NAME, STATEMENTS
from profiler.errors import UsageError
from profiler.model import Input, PyperfScript, Workload

_HERE = Path(__file__).parent

BUILT_IN = tuple(
    Workload(
        name=workload.name,
        path=str(_HERE / f"{workload.name}.py"),
        counts_m=workload.counts_m,
        timed_m=workload.timed_m,
    )
    for workload in built_in.BUILT_IN
)

SINGLE_STATEMENTS = Workload(
    name=NAME,
    path=str(_HERE / f"{NAME}.py"),
    counts_m=(100, 300),
    timed_m=(5_000, 50_000),
    arguments=(str(FEW), str(MANY), *STATEMENTS),
)
"""Iterations of a form (``catalogue.statement_list``)."""


def find_workload(name_or_path: str, arguments: str | None = None, stdin: str | None = None) -> Workload:
    """A built-in workload by name, or the user's script by path; a script for pyperf's runner may be told more:
    ``FILE.py:BENCHMARK``, and arguments of its own after it, as on a command line. ``arguments`` are those of a script,
    split as a shell would; ``stdin`` is the file that it reads.

    Raises:
        UsageError: neither a built-in name nor an existing file; more is told of a script that is none for pyperf;
            arguments or a file for stdin that cannot be.
    """
    more = _words(arguments)
    for workload in (*BUILT_IN, SINGLE_STATEMENTS):
        if workload.name == name_or_path:
            if more or stdin is not None:
                raise UsageError(
                    f"the built-in workload {workload.name} takes M alone, and reads nothing",
                    hint="--workload-args and --stdin are for a script of yours, --workload FILE.py",
                )
            return msgspec.structs.replace(workload, sha256=_sha256(Path(workload.path)))
    path, benchmark, own = _split(name_or_path)
    if not path.is_file():
        raise UsageError(
            f"no workload {name_or_path!r}: neither built in ({', '.join(built_in.NAMES)}) nor a file",
            hint="give a script that reads M from sys.argv[1] or TAX_PROBE_M and prints one line that depends on M "
            "only, or one that was written for pyperf",
        )
    for_pyperf = _for_pyperf(path)
    if not for_pyperf and (benchmark is not None or own):
        told = name_or_path.removeprefix(str(path)).strip()
        raise UsageError(
            f"{path} takes M alone, not {told!r}: it makes no pyperf.Runner",
            hint=f"--workload {path}" + (f" --workload-args {shlex.quote(shlex.join(own))}" if own else ""),
        )
    read = None if stdin is None else _input(Path(stdin))
    # Those of pyperformance are all called alike; their folders are not.
    name = path.resolve().parent.name if for_pyperf and path.stem == "run_benchmark" else path.stem
    words = (name if benchmark is None else f"{name}:{benchmark}", *own, *more)
    return Workload(
        name=" ".join(words) + ("" if read is None else f" with {Path(read.path).name}"),
        path=str(path.resolve()),
        counts_m=None,
        timed_m=None,
        sha256=_sha256(path.resolve()),
        pyperf=PyperfScript(benchmark=benchmark, arguments=(*own, *more)) if for_pyperf else None,
        arguments=() if for_pyperf else more,
        stdin=read,
    )


def require_unchanged(workload: Workload) -> None:
    """The script, and what it reads, are what they were when they were found.

    Raises:
        UsageError: one of them holds something else now, or is gone.
    """
    read = workload.stdin
    for what, file, before in (
        ("the workload", workload.path, workload.sha256),
        ("the file for stdin,", None if read is None else read.path, None if read is None else read.sha256),
    ):
        if file is not None and before is not None and _sha256(Path(file)) != before:
            raise UsageError(
                f"{what} {file} has changed since this run began, or is gone", hint="begin a new run instead"
            )


def _words(arguments: str | None) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(arguments or ""))
    except ValueError as error:
        raise UsageError(
            f"--workload-args: {error} in {arguments!r}", hint="for example --workload-args '--size 7'"
        ) from error


def _input(file: Path) -> Input:
    """What every process can read from its beginning: nothing that is gone once it was read."""
    if not file.is_file():
        raise UsageError(
            f"--stdin: {file} is {'no regular file' if file.exists() else 'not there'}",
            hint="every process reads it from the beginning: save it as a file, and name that",
        )
    digest = _sha256(file)
    if digest is None:
        raise UsageError(f"--stdin: {file} is not readable for you", hint=f"look at ls -l {file}")
    return Input(path=str(file.resolve()), sha256=digest)


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


def _sha256(file: Path) -> str | None:
    """Of its bytes; None where it cannot be read, which its first run will say better of a script."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return None
