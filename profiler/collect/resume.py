"""What must hold before a run that was begun is gone on with."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from profiler.catalogue.caveats import RESUMED_ELSEWHERE, caveat
from profiler.errors import MachineError, UsageError
from profiler.folder.seal import is_sealed, sealed
from profiler.folder.secrets import keeps_back
from profiler.launch.binaries import elf
from profiler.model import Launcher, Native, Phased, Run, Target, Whole, Workload
from profiler.plan.studies import STUDIES
from profiler.sources.source import Source
from profiler.system import machine
from profiler.system.user_key import user_key
from profiler.workloads import BUILT_IN, require_unchanged

_SAME = (
    "cpu_model", "vendor", "family", "model", "stepping", "microcode", "cpus_online", "kernel", "architecture",
)  # fmt: skip
"""Facts of a machine that stay what they are for as long as a run lasts."""
_ANEW = "begin a new run instead"


def own(run: Run) -> Run:
    """``run`` as it is to be saved: sealed by this user, with the hashes of what it runs."""
    return sealed(run, user_key())


def is_own(run: Run) -> bool:
    """Whether this user began it, and nobody has changed since what it runs."""
    return is_sealed(run, user_key())


def programs_of(run: Run) -> dict[str, str]:
    """SHA-256, hex, by path: of each launcher's program, and of what it maps without a build-id, as they are now.

    What cannot be read is left out.
    """
    unnamed = (path for path, build_id in _images(run) if build_id is None)
    paths = dict.fromkeys((*(launcher.argv[0] for launcher in run.plan.launchers), *unnamed))
    return {path: found for path in paths if (found := _sha256(path)) is not None}


def what_it_runs(run: Run) -> tuple[str, ...]:
    """Commands and scripts that going on with ``run`` starts, in words: but for our workloads, each once."""
    ours = {workload.path for workload in BUILT_IN}
    lines = [f"interpreter: {run.target.path}"]
    lines += [_line(launcher) for launcher in run.plan.launchers]
    lines += [_work(workload) for workload in _workloads(run) if workload.path not in ours or workload.arguments]
    if run.rebuilt is not None:
        lines.append("builds of CPython, and their training, as its plan has them")
    return tuple(dict.fromkeys(lines))


def continued(run: Run, now: Callable[[], Target], *, accept_changes: bool) -> Run:
    """``run`` as it can go on: with the machine, the launchers and the work that it began with; or, where changes are
    accepted, with a caveat that names them.

    Args:
        run: whose user trusts it: ``now`` may start its interpreter.
        now: the target as it is by now.
        accept_changes: as said.

    Raises:
        UsageError: the machine, the target or a launcher's file is another; a launcher is gone; a workload's script or
            what it reads has changed or is gone; or words of a command were not kept.
    """
    if keeps_back(run):
        raise UsageError(
            "this run cannot go on: what looked like a secret in its command was not kept",
            hint="begin a new run, and hand secrets over in the environment or in a file",
        )
    for workload in {workload.work: workload for workload in _workloads(run)}.values():
        require_unchanged(workload)
    for launcher in run.plan.launchers:
        gone = _gone(launcher)
        if gone is not None:
            raise UsageError(f"launcher {launcher.name} is gone: {gone}", hint=_ANEW)
    changes = tuple(dict.fromkeys((*_of_machine(run.machine), *_of_files(run, now()))))
    if not changes:
        return run
    told = "; ".join(changes)
    if not accept_changes:
        raise UsageError(
            f"this is not what the run began with: {told}",
            hint=f"{_ANEW}, or go on all the same with --accept-changes, and the result says so",
        )
    return msgspec.structs.replace(run, warnings=(*run.warnings, caveat(RESUMED_ELSEWHERE, told)))


def require_same_passes(run: Run, source: Source) -> None:
    """A resumed run must be able to count what it began to count, in passes of the same events.

    Raises:
        MachineError: other counters are free now, or perf knows other events.
    """
    workload, precision = run.plan.workload, run.plan.precision
    possible = source.passes(workload)
    if STUDIES[run.command].parts_suffice:
        possible += source.chunk_passes(workload, precision.metric if precision else None)
    offered = {pass_.events for pass_ in possible}
    passes = (pass_ for pass_ in run.plan.passes if not isinstance(pass_, Phased))
    if not {pass_.events for pass_ in passes if not (isinstance(pass_, Native) and pass_.bare)} <= offered:
        raise MachineError(
            "the counters that can be used now are not those that this run began with",
            hint=f"end other perf sessions and --resume again, or {_ANEW}",
        )


def _of_machine(before: dict[str, Any]) -> Iterator[str]:
    now = msgspec.to_builtins(machine.facts())
    for name in _SAME:
        if name in before and before[name] != now[name]:
            yield f"the machine's {name.replace('_', ' ')} is {now[name]!r} and was {before[name]!r}"


def _gone(launcher: Launcher) -> str | None:
    """What is not there of its own words: the program, and what an emulator is given to run it."""
    program, *others = launcher.argv
    if not os.access(program, os.X_OK):
        return program
    ours = others if launcher.kind != "user" else ()
    return next((word for word in ours if word.startswith("/") and not Path(word).exists()), None)


def _of_files(run: Run, now: Target) -> Iterator[str]:
    target = run.target
    if (now.build_id, now.shared_library_build_id) != (target.build_id, target.shared_library_build_id):
        yield f"{target.path} is not the interpreter that it was"
    for path, digest in (run.programs or {}).items():
        if _sha256(path) != digest:
            yield f"{path} is another file"
    for path, build_id in _images(run):
        if build_id is not None and _build_id(path) != build_id:
            yield f"{path} is another build"


def _images(run: Run) -> Iterable[tuple[str, str | None]]:
    """Files that launchers were seen to map, each with its build-id."""
    known = (fingerprint.get("images") for fingerprint in run.fingerprints.values())
    return dict(pair for images in known if isinstance(images, dict) for pair in images.items()).items()


def _build_id(path: str) -> str | None:
    return elf.build_id(path) if Path(path).is_file() else None


def _sha256(path: str) -> str | None:
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _workloads(run: Run) -> tuple[Workload, ...]:
    owned = (pass_.workload for pass_ in run.plan.passes if isinstance(pass_, Whole))
    return (run.plan.workload, *(workload for workload in owned if workload is not None))


def _line(launcher: Launcher) -> str:
    here = os.environ.get("PATH")
    given = (f"{name}={value}" for name, value in launcher.env.items() if (name, value) != ("PATH", here))
    return f"{launcher.name}: {_quoted((*given, *launcher.argv))}"


def _work(workload: Workload) -> str:
    pyperf = () if workload.pyperf is None else workload.pyperf.arguments
    read = "" if workload.stdin is None else f" < {shlex.quote(workload.stdin.path)}"
    return f"script: {_quoted((workload.path, *workload.arguments, *pyperf))}{read}"


def _quoted(words: Iterable[str]) -> str:
    """On one line, each word as one: what stands in a word cannot look like another line or another word."""
    return " ".join(shlex.quote(word) if word.isprintable() else repr(word) for word in words)
