"""Processes cut into the phases of their life, each at the same points of its code (``sources.phased``)."""

from __future__ import annotations

from profiler.collect.recording import Measured, rows_of, startable
from profiler.collect.setting import Setting
from profiler.model import Block, Phased, Step
from profiler.sources import phased


def measure(setting: Setting, pass_: Phased, block: Block, step: Step, cpu: int) -> Measured:
    """One process."""
    # The plan's own launchers know which file holds the eval loop, once they were seen running.
    launcher, workload, place = setting.launcher(step.launcher), setting.workload(pass_), setting.place
    with place.scratch(step) as scratch:
        command = place.command(place.marked(workload), workload, block, launcher, step.m, scratch / "side", cpu)
        with startable(launcher):
            outcome = phased.measure(pass_.events, command, launcher.image, scratch)
        setting.checker.require_success(launcher, workload, step.m, outcome)
        printed = setting.checker.compare_output(launcher, workload, step.m, outcome.stdout, bare=True)
    rows = rows_of(pass_, workload, step, outcome.readings, exit_code=outcome.exit, printed=printed, placement=None)
    return Measured(steps=(step,), rows=tuple(rows))
