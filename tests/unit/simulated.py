"""Result folders of runs that never were: every step of a real plan, with figures from a planted truth."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from profiler.folder import RowWriter, save_run
from profiler.launch.interpreters import resolve_target
from profiler.model import SCHEMA, Plan, Row, Run, SourceName, Step
from profiler.plan.schedule import steps

Truth = Callable[[Step, str, int], dict[str, float]]
"""(step, workload, how many runs of its pass came before) → the readings by event."""


def folder_of(
    place: Path,
    plan: Plan,
    command: str,
    truth: Truth,
    *,
    per_launch_ms: float | None = None,
    source: SourceName = "software",
    placement: Callable[[Step], int | None] = lambda step: None,
) -> Path:
    """A folder as a run of ``plan`` would leave it; ``placement`` says where the heap of a process lay."""
    run = Run(
        schema=SCHEMA,
        command=command,
        argv=(command,),
        started_utc="2026-01-01T00:00:00+00:00",
        target=resolve_target(None),
        plan=plan,
        source_sentence="simulated",
        missing=(),
        machine={},
        interpreters={},
        builds=(),
        fingerprints={},
        warnings=(),
        measured_s=1.0,
        per_launch_ms=per_launch_ms,
    )
    save_run(place, run)
    writer = RowWriter(place)
    workloads = {what.name: (what.workload or plan.workload).name for what in plan.passes}
    for block in plan.blocks:
        before: dict[str, int] = {}
        rows = []
        for step in steps(plan, block):
            workload, count = workloads[step.pass_name], before.get(step.pass_name, 0)
            before[step.pass_name] = count + 1
            rows += [
                msgspec.structs.replace(_row(step, workload, event, value), source=source, placement=placement(step))
                for event, value in truth(step, workload, count).items()
            ]
        writer.append(rows)
    return place


def _row(step: Step, workload: str, event: str, value: float) -> Row:
    return Row(
        block=step.block,
        position=step.position,
        pass_name=step.pass_name,
        launcher=step.launcher,
        workload=workload,
        m=step.m,
        repetition=step.repetition,
        event=event,
        value=value,
        unit="",
        enabled_ns=None,
        running_ns=None,
        exit=0,
        output_sha256=f"{workload} {step.m}",
        source="software",
        raw_name=event,
        reason=None,
    )
