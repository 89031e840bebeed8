"""What runners of all kinds share: the plan, the source, the workplace and the checker of one session."""

from __future__ import annotations

from dataclasses import dataclass

from profiler.collect.checker import Checker
from profiler.collect.drilldown.drill import Drill
from profiler.collect.second_look import SecondLook
from profiler.collect.workplace import Workplace
from profiler.model import AnyPass, Launcher, Pass, Plan, Step, Workload
from profiler.plan.schedule import workload_of
from profiler.sources.source import Source


@dataclass(kw_only=True)
class Setting:
    """The plan may grow while it is carried out; all else stays."""

    plan: Plan
    source: Source
    place: Workplace
    checker: Checker
    second_look: SecondLook
    turns: int | None = None
    """How many chunks each process does; None: as the pass has it."""
    drill: Drill | None = None
    """What passes by address know of the files whose instructions they count; None: there are no such passes."""

    def launcher(self, name: str) -> Launcher:
        """The plan's launcher of that name."""
        return next(launcher for launcher in self.plan.launchers if launcher.name == name)

    def pass_of(self, step: Step) -> AnyPass:
        """The pass that ``step`` belongs to."""
        return next(pass_ for pass_ in self.plan.passes if pass_.name == step.pass_name)

    def workload(self, pass_: Pass) -> Workload:
        """What the processes of ``pass_`` do."""
        return workload_of(self.plan, pass_)
