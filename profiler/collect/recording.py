"""Small parts of collecting: the rows of one process, who may run where, and who cannot be started."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from profiler.errors import WorkloadError
from profiler.model import (
    CallRow,
    Calls,
    Launcher,
    Noun,
    Pass,
    ProfileRow,
    Reading,
    Row,
    Step,
    SymbolRow,
    Workload,
)


class Measured(Noun, frozen=True, kw_only=True):
    """What processes leave behind, and the steps that are done with it."""

    steps: tuple[Step, ...]
    rows: tuple[Row, ...]
    calls: tuple[CallRow, ...] = ()
    profile: tuple[ProfileRow, ...] = ()
    symbols: tuple[SymbolRow, ...] = ()


def rows_of(
    pass_: Pass,
    workload: Workload,
    step: Step,
    found: Iterable[Reading],
    *,
    exit_code: int,
    printed: bytes,
    placement: int | None,
) -> Iterator[Row]:
    """One row per reading of what ``step`` ran, with the hash of what it printed and where its heap lay."""
    digest = hashlib.sha256(printed).hexdigest()
    for reading in found:
        yield Row(
            block=step.block,
            position=step.position,
            pass_name=step.pass_name,
            kind=pass_.kind,
            launcher=step.launcher,
            workload=workload.name,
            m=step.m,
            repetition=step.repetition,
            event=reading.event,
            value=reading.value,
            unit=reading.unit,
            enabled_ns=reading.enabled_ns,
            running_ns=reading.running_ns,
            exit=exit_code,
            output_sha256=digest,
            source=reading.source,
            raw_name=reading.raw_name,
            reason=reading.reason,
            placement=placement,
        )


KEPT_PART = 0.01
"""Callers of a smaller part of a process's calls are not kept: hundreds of them, all of the start-up."""


def calls_of(step: Step, found: Iterable[Calls]) -> Iterator[CallRow]:
    """Who made the calls of what ``step`` ran, without those that made next to none."""
    calls = tuple(found)
    least = KEPT_PART * sum(call.calls for call in calls)
    for call in calls:
        if call.calls >= least:
            yield CallRow(
                block=step.block,
                pass_name=step.pass_name,
                launcher=step.launcher,
                m=step.m,
                repetition=step.repetition,
                callee=call.callee,
                caller=call.caller,
                image=call.image,
                calls=call.calls,
            )


@contextmanager
def elsewhere(cpu: int) -> Iterator[None]:
    """Keep this process off the CPU that is measured on, where there is another one."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before - {cpu} or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def startable(launcher: Launcher) -> Iterator[None]:
    """Name the launcher whose program is there and cannot be executed all the same (no ``#!``, another machine's)."""
    try:
        yield
    except OSError as error:
        raise WorkloadError(
            f"{launcher.name}: {launcher.argv[0]} cannot be started: {error.strerror or error}",
            hint="a host is an executable program, or a script that begins with #!",
        ) from error
