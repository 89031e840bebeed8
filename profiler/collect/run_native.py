"""Whole processes as the user has them: the workload's own file, nothing placed and nothing seen from inside."""

from __future__ import annotations

from profiler.collect.recording import Measured, calls_of, rows_of, startable
from profiler.collect.setting import Setting
from profiler.model import Block, Native, Step
from profiler.sources.timed import timed


def measure(setting: Setting, pass_: Native, block: Block, step: Step, cpu: int) -> Measured:
    """One process."""
    launcher, workload, place = setting.launcher(step.launcher), setting.workload(pass_), setting.place
    with place.scratch(step) as scratch:
        path = place.native(workload, setting.plan.launchers)
        command = place.command(path, workload, block, launcher, step.m, scratch / "side", cpu)
        with startable(launcher):
            outcome = timed(command) if pass_.bare else setting.source.measure(pass_, command, scratch)
        setting.checker.require_success(launcher, workload, step.m, outcome)
        setting.checker.learn_uncounted(launcher, outcome.uncounted)
        printed = setting.checker.compare_output(launcher, workload, step.m, outcome.stdout, bare=True)
    rows = rows_of(pass_, workload, step, outcome.readings, exit_code=outcome.exit, printed=printed, placement=None)
    calls = (row for part in outcome.calls for row in calls_of(step, part))
    return Measured(steps=(step,), rows=tuple(rows), calls=tuple(calls))
