"""Whole processes: the block's script, its heap placed, under the source."""

from __future__ import annotations

from functools import partial

from profiler.catalogue.events import BY_NAME, QUEUED
from profiler.collect.recording import Measured, calls_of, rows_of, startable
from profiler.collect.setting import Setting
from profiler.guest import script
from profiler.model import Block, Reading, Step, Whole


def measure(setting: Setting, pass_: Whole, block: Block, step: Step, cpu: int) -> Measured:
    """One process; where it had the machine for itself, once more if its figures cannot be believed."""
    once = partial(_measure, setting, pass_, block, step, cpu)
    return setting.second_look.process(setting.launcher(step.launcher), step, once) if pass_.exclusive else once()


def _measure(setting: Setting, pass_: Whole, block: Block, step: Step, cpu: int) -> Measured:
    launcher, workload = setting.launcher(step.launcher), setting.workload(pass_)
    place, checker = setting.place, setting.checker
    with place.scratch(step) as scratch:
        side = scratch / "side"
        path = place.placed(block, workload)
        command = place.command(path, workload, block, launcher, step.m, side, cpu, watch=pass_.exclusive)
        with startable(launcher):
            outcome = setting.source.measure(pass_, command, scratch)
        checker.require_success(launcher, workload, step.m, outcome)
        checker.learn_uncounted(launcher, outcome.uncounted)
        fingerprint = script.read_fingerprint(side)
        checker.verify(block, launcher, fingerprint)
        checker.compare_output(launcher, workload, step.m, outcome.stdout)
    found = (*outcome.readings, _queued(fingerprint)) if pass_.exclusive else outcome.readings
    placement = fingerprint.placement if fingerprint is not None else None
    rows = rows_of(pass_, workload, step, found, exit_code=outcome.exit, printed=outcome.stdout, placement=placement)
    calls = (row for part in outcome.calls for row in calls_of(step, part))
    return Measured(steps=(step,), rows=tuple(rows), calls=tuple(calls))


def _queued(fingerprint: script.ProcessFingerprint | None) -> Reading:
    """How long the work waited for a CPU, as the script itself read it."""
    known = fingerprint is not None and fingerprint.queued_ns is not None
    return Reading(
        event=QUEUED,
        value=float(fingerprint.queued_ns) if fingerprint is not None and fingerprint.queued_ns is not None else None,
        unit=BY_NAME[QUEUED].unit,
        enabled_ns=None,
        running_ns=None,
        source="software",
        raw_name="/proc/self/schedstat: run-queue wait of the main thread",
        reason=None if known else "the script could not read it, or was not handed the environment",
    )
