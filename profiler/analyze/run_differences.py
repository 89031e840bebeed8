"""In what runs differ beside their figures: machine, target, images, how it was measured, and with which tax-probe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from profiler.catalogue.variant_rules import is_host
from profiler.model import Launcher, Run
from profiler.model.across import AcrossDifference, DifferenceKind

_MACHINE = {
    "cpu_model": "CPU",
    "architecture": "architecture",
    "family": "CPU family",
    "model": "CPU model number",
    "stepping": "CPU stepping",
    "microcode": "microcode",
    "cpus_online": "CPUs online",
    "smt": "SMT",
    "governor": "governor",
    "turbo": "turbo",
    "hypervisor": "hypervisor",
    "kernel": "kernel",
    "transparent_hugepages": "transparent huge pages",
    "aslr": "ASLR",
    "perf_event_paranoid": "perf_event_paranoid",
}
"""Keys of ``run.machine`` that two boots of one machine share, and what they are called."""

ANOTHER = frozenset({"CPU", "architecture", "CPU family", "CPU model number", "CPU stepping", "CPUs online"})
"""Where one of these differs it is another machine, whose times are no measure of a change."""

Reader = Callable[[Run], object]


def differences(runs: Sequence[Run], launchers: Sequence[str]) -> tuple[AcrossDifference, ...]:
    """Everything that is known of two runs or more and not the same in all; ``launchers`` are those that all have."""
    readers: list[tuple[DifferenceKind, str, Reader]] = [
        *(("machine", title, _machine(key)) for key, title in _MACHINE.items()),
        ("machine", "mitigations", _mitigations),
        ("target", "version", lambda run: run.target.version),
        ("target", "program", lambda run: run.target.real_path),
        ("target", "virtual environment", lambda run: run.target.venv_program or "none"),
        ("target", "build-id of the program", lambda run: run.target.build_id),
        ("target", "package of the program", _package("program")),
        ("target", "libpython", lambda run: run.target.shared_library),
        ("target", "build-id of libpython", lambda run: run.target.shared_library_build_id),
        ("target", "package of libpython", _package("library")),
        *(part for name in launchers for part in _of_launcher(name)),
        ("measurement", "launchers", lambda run: ", ".join(sorted(own_right(run))) or None),
        ("measurement", "command", lambda run: run.command),
        ("measurement", "source", lambda run: run.plan.source),
        ("measurement", "workload's text", lambda run: run.plan.workload.sha256 and run.plan.workload.sha256[:12]),
        ("measurement", "workload's arguments", lambda run: " ".join(run.plan.workload.arguments) or "none"),
        ("measurement", "workload's stdin", _stdin),
        ("measurement", "M of counts", lambda run: _numbers(run.plan.workload.counts_m)),
        ("measurement", "M of times", lambda run: _numbers(run.plan.workload.timed_m)),
        ("measurement", "kinds of passes", lambda run: ", ".join(sorted({pass_.kind for pass_ in run.plan.passes}))),
        ("measurement", "seed", lambda run: run.plan.seed),
        ("measurement", "blocks", lambda run: len(run.plan.blocks)),
        ("measurement", "precision", lambda run: run.plan.precision and f"{run.plan.precision.half_width:.2%}"),
        ("tool", "perf", _machine("perf")),
        ("tool", "valgrind", _machine("valgrind")),
        ("tool", "tax-probe", lambda run: run.tool_version),
    ]
    return tuple(
        _differing(kind, what, [read(run) for run in runs]) for kind, what, read in readers if _differ(read, runs)
    )


def _stdin(run: Run) -> object:
    read = run.plan.workload.stdin
    return "none" if read is None else f"{Path(read.path).name}, {read.sha256[:12]}"


def own_right(run: Run) -> dict[str, Launcher]:
    """By name the launchers that are no variant of another, without the baseline's second run."""
    twin = run.plan.roles.twin
    return {
        launcher.name: launcher for launcher in run.plan.launchers if launcher.variant is None and launcher.name != twin
    }


def _differ(read: Reader, runs: Sequence[Run]) -> bool:
    known = {value for run in runs if (value := read(run)) is not None}
    return len(known) > 1


def _differing(kind: DifferenceKind, what: str, values: Sequence[object]) -> AcrossDifference:
    told = tuple(None if value is None else _word(value) for value in values)
    return AcrossDifference(kind=kind, what=what, values=told)


def _word(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _machine(key: str) -> Reader:
    return lambda run: run.machine.get(key)


def _mitigations(run: Run) -> str | None:
    found: dict[str, str] = run.machine.get("mitigations") or {}
    # What the CPU is not open to differs with the kernel's list of what it knows.
    active = sorted(name for name, state in found.items() if state.startswith("Mitigation"))
    return ", ".join(active) or None


def _package(role: str) -> Reader:
    def read(run: Run) -> object:
        programs: list[dict[str, Any]] = run.interpreters.get("programs") or []
        return next((program.get("package") for program in programs if program.get("role") == role), None)

    return read


def _of_launcher(name: str) -> Iterator[tuple[DifferenceKind, str, Reader]]:
    def of(field: str) -> Reader:
        return lambda run: getattr(own_right(run).get(name), field, None)

    yield ("image", f"image of {name}", of("image"))
    yield ("image", f"build-id of {name}'s image", of("build_id"))
    yield ("image", f"allocator of {name}", of("allocator"))
    yield ("image", f"command of {name}", lambda run: _command(own_right(run).get(name)))


def _command(launcher: Launcher | None) -> str | None:
    """Of what the user named; ours stand in a cache whose path says nothing but what they were built from."""
    return " ".join(launcher.argv) if launcher is not None and is_host(launcher) else None


def _numbers(m: tuple[int, int] | None) -> str | None:
    return None if m is None else ", ".join(map(str, m))
