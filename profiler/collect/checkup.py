"""What ``doctor`` looks at: the sources, the events, the machine, cargo, the targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from profiler.catalogue.events import EVENTS
from profiler.catalogue.metrics import meaning
from profiler.errors import MachineError, ProbeError
from profiler.launch.cargo import find_cargo, require_linking
from profiler.launch.interpreters import find_targets, resolve_target
from profiler.model import SCHEMA, Check, EventCheck, Health, TargetCheck
from profiler.sources import estimate_check
from profiler.sources.choose import EXACT, probe, sentence
from profiler.sources.hardware import HardwareSource
from profiler.sources.source import Source
from profiler.system import machine
from profiler.system.install import how_to_install
from profiler.system.machine_checks import machine_checks

_FAR = 0.05
"""A larger error of estimated cycles is told."""


def examine() -> Health:
    """Try every source and look at whatever may disturb a measurement. Takes about two seconds."""
    # Before our own perf processes run.
    perf_users = machine.other_perf_users()
    facts = machine.facts()
    works: dict[str, Source] = {}
    rejected: dict[str, MachineError] = {}
    for name in EXACT:
        try:
            works[name] = probe(name)
        except MachineError as error:
            rejected[name] = error
    taken = next(iter(works.values()), None) or probe("software")
    targets = tuple(_targets())
    return Health(
        schema=SCHEMA,
        command="doctor",
        source=taken.name,
        source_sentence=sentence(taken, {} if taken.name == EXACT[0] else rejected),
        counts_instructions=bool(works),
        checks=(
            *_source_checks(works, rejected),
            *estimate_checks(),
            *machine_checks(facts, perf_users, machine.pyperf_advice()),
            _cargo_check(),
            *_target_checks(targets),
        ),
        events=tuple(_event_checks(works, rejected, facts)),
        targets=targets,
        machine=msgspec.to_builtins(facts),
    )


def _source_checks(works: dict[str, Source], rejected: dict[str, MachineError]) -> Iterator[Check]:
    """Those that count: works, or why not."""
    for name in EXACT:
        if name in works:
            yield Check(topic=name, status="ok", finding=works[name].describe())
        else:
            error = rejected[name]
            yield Check(topic=name, status="problem", finding=error.message, remedy=error.hint)


def estimate_checks() -> Iterator[Check]:
    """Where cycles are counted and a core clock is timed: whether both say the same; else nothing."""
    try:
        errors = estimate_check.errors()
    except MachineError:
        return
    far = max(map(abs, errors)) > _FAR
    yield Check(
        topic="estimated cycles",
        status="note" if far else "ok",
        finding=estimate_check.told(errors),
        remedy="estimated IPC and cycles of this machine are no better than that; a quiet core comes closer"
        if far
        else None,
    )


def _event_checks(
    works: dict[str, Source], rejected: dict[str, MachineError], facts: machine.MachineFacts
) -> Iterator[EventCheck]:
    """Each event of the catalogue: read by whom, and why not by hardware."""
    hardware = works.get("hardware")
    missing = {lack.event: lack.reason for lack in hardware.missing} if hardware else {}
    for event in EVENTS:
        why_not = missing.get(event.name) if hardware else rejected["hardware"].message
        if event.inside:
            why_not = "no counter has it: the script reads it in its own process, whatever the source"
        spec = _asked_as(hardware, event.name) if why_not is None else None
        yield EventCheck(
            event=event.name,
            title=event.title,
            hardware=spec,
            why_not=why_not,
            callgrind=("simulated" if event.simulated else "exact")
            if event.callgrind and "callgrind" in works
            else None,
            qemu=("modelled" if event.simulated else "exact") if event.qemu and "qemu" in works else None,
            timed=event.rusage or event.inside,
            note=None if spec is None else meaning(event.name, facts.vendor, facts.family, spec),
        )


def _cargo_check() -> Check:
    try:
        found = find_cargo()
        require_linking(found)
    except MachineError as error:
        return Check(topic="cargo", status="problem", finding=error.message, remedy=error.hint)
    return Check(topic="cargo", status="ok", finding=f"{found.cargo}, rustc {found.version}")


def _targets() -> Iterator[TargetCheck]:
    names = tuple(name for name in TargetCheck.__struct_fields__ if name not in {"path", "problem"})
    for path in find_targets():
        try:
            target = resolve_target(path)
        except ProbeError as error:
            yield TargetCheck(path=path, problem=error.message, **dict.fromkeys(names))
        else:
            yield TargetCheck(path=path, problem=None, **{name: getattr(target, name) for name in names})


def _target_checks(targets: Sequence[TargetCheck]) -> Iterator[Check]:
    if not any(target.problem is None for target in targets):
        yield Check(
            topic="targets",
            status="problem",
            finding="no CPython ≥ 3.8 found",
            remedy=f"{how_to_install('python')}, or --python PATH",
        )
    elif not any(target.shared_library and target.include_dir for target in targets):
        yield Check(
            topic="targets",
            status="problem",
            finding="no CPython has both a libpython and headers, so no host can be built",
            remedy=how_to_install("headers"),
        )


def _asked_as(hardware: Source | None, event: str) -> str | None:
    return hardware.spec(event) if isinstance(hardware, HardwareSource) else None
