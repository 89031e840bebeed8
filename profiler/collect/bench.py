"""Carry a plan out: run every process, check what it printed, append its rows. Knows no perf and no emulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path

from profiler.collect.checker import Checker
from profiler.collect.drilldown.drill import Drill
from profiler.collect.live import CLOCK, serving
from profiler.collect.recording import startable
from profiler.collect.runners import RUNNERS
from profiler.collect.second_look import SecondLook
from profiler.collect.setting import Setting
from profiler.collect.workplace import Workplace
from profiler.errors import WorkloadError
from profiler.folder import RowWriter
from profiler.guest import script
from profiler.model import (
    Block,
    Caveat,
    Chunks,
    Launcher,
    Noun,
    PassKind,
    Plan,
    Regions,
    Step,
    Work,
    Workload,
)
from profiler.plan.calibrate import does_not_grow, grows
from profiler.plan.schedule import steps
from profiler.sources.source import Source
from profiler.system import process
from profiler.system.own_folder import own_folder
from profiler.system.process_groups import sweep


class Limits(Noun, frozen=True, kw_only=True):
    """What one process may take, at native speed; slow sources stretch the time."""

    timeout_s: float


class LauncherFingerprint(Noun, frozen=True, kw_only=True):
    """One launcher as it was found running, before anything is measured."""

    launcher: str
    fingerprint: script.ProcessFingerprint | None
    failure: str | None
    """Why a toggle or treatment cannot run here; other launchers that fail end the run."""


class Bench:
    """One session of measuring: what runners share, and what must be known before they begin."""

    def __init__(self, plan: Plan, source: Source, folder: Path, limits: Limits) -> None:
        self._place = Workplace(folder, limits.timeout_s)
        self._checker = Checker(limits.timeout_s, plan.launchers[0])
        self._setting = Setting(
            plan=plan,
            source=source,
            place=self._place,
            checker=self._checker,
            second_look=SecondLook(self._checker),
            drill=Drill(self._place, self._checker),
        )
        self._growing: set[Work] = set()
        """Workloads that print the same for every M, and were seen to do more for more."""

    @property
    def caveats(self) -> dict[tuple[str, str], Caveat]:
        """What was found so far, by code and launcher."""
        return self._checker.caveats

    def use(self, plan: Plan) -> None:
        """Go on with ``plan``: the same, with more blocks or other passes."""
        self._setting.plan = plan

    def use_turns(self, turns: int | None) -> None:
        """How many chunks each process does from now on; None: as the pass has it."""
        self._setting.turns = turns

    def check(self) -> tuple[LauncherFingerprint, ...]:
        """Run every launcher once at the smallest M, bare: what is it, and does it print what the baseline prints?

        Raises:
            WorkloadError: a launcher fails, hangs, prints too much or prints something else than the baseline.
        """
        plan = self._setting.plan
        block, workload = plan.blocks[0], plan.workload
        probe = self._place.probe()
        smallest = min(m for pass_ in plan.passes for m in pass_.m)
        seen = []
        for launcher in plan.launchers:
            try:
                outcome, fingerprint = self._bare(block, launcher, workload, smallest, probe=probe)
                self._checker.learn_stdout(launcher, outcome.beside)
                self._checker.compare_output(launcher, workload, smallest, outcome.stdout)
            except WorkloadError as error:
                if launcher.variant is None:
                    raise
                seen.append(LauncherFingerprint(launcher=launcher.name, fingerprint=None, failure=error.message))
                continue
            seen.append(LauncherFingerprint(launcher=launcher.name, fingerprint=fingerprint, failure=None))
        return tuple(seen)

    def run_block(self, block: Block, done: set[Step], writer: RowWriter, on_step: Callable[[Step], None]) -> None:
        """Run what is not done of one block; ``on_step`` is called after each process.

        Raises:
            WorkloadError, MachineError: what was measured before stays in the rows.
        """
        todo = [step for step in steps(self._setting.plan, block) if step not in done]
        if not todo:
            return
        self._learn(block)
        for (kind, _), group in groupby(todo, key=self._kind):
            # Closed here and not when it is collected: an interruption must end the processes before the folder goes.
            with closing(RUNNERS[kind](self._setting, block, tuple(group))) as finished:
                for measured in finished:
                    writer.append(measured.rows, measured.calls, measured.profile, measured.symbols)
                    for step in measured.steps:
                        on_step(step)
        writer.sync()
        sweep()

    def _kind(self, step: Step) -> tuple[PassKind, bool]:
        pass_ = self._setting.pass_of(step)
        return pass_.kind, pass_.exclusive

    def cannot_serve(self) -> dict[str, str]:
        """Launchers that cannot do chunks of work on request, each with the reason."""
        plan = self._setting.plan
        failures = {}
        for kind, pass_ in {pass_.kind: pass_ for pass_ in plan.passes if isinstance(pass_, Regions | Chunks)}.items():
            count = self._setting.source.name if kind == "regions" else CLOCK
            for launcher in plan.launchers:
                try:
                    self._try_serving(launcher, count, pass_.m[0])
                except WorkloadError as error:
                    failures[launcher.name] = error.message
        return failures

    def _try_serving(self, launcher: Launcher, count: str, m: int) -> None:
        """One launcher, alone, bare: regions do nothing then, but the extension must load."""
        plan = self._setting.plan
        block, workload = plan.blocks[0], plan.workload
        with self._place.scratch() as scratch:
            path = self._place.placed(block, workload)
            command = self._place.command(path, workload, block, launcher, m, scratch / "side", self._place.cpus[-1])
            with startable(launcher), serving(launcher.name, command, count=count, scratch=scratch) as server:
                said = server.first_answer(command.timeout_s), server.run(m, command.timeout_s)
        for answer in said:
            self._checker.compare_output(launcher, workload, m, answer.output)

    def _learn(self, block: Block) -> None:
        """What the baseline prints for each workload and M and how it hashes in this block, from bare runs."""
        plan = self._setting.plan
        baseline = self._setting.launcher(plan.roles.baseline)
        wanted = {(self._setting.workload(pass_), m) for pass_ in plan.passes for m in pass_.m}
        for workload, m in sorted(wanted, key=lambda pair: (pair[0].path, pair[1])):
            if not self._checker.knows(workload, m):
                done, _ = self._bare(block, baseline, workload, m)
                self._checker.compare_output(baseline, workload, m, done.stdout)
        for workload in {workload.work: workload for workload, _ in wanted}.values():
            self._require_growth(block, baseline, workload)
        _, fingerprint = self._bare(block, baseline, plan.workload, self._checker.smallest_m())
        self._checker.learn_hash(block, fingerprint)

    def _require_growth(self, block: Block, baseline: Launcher, workload: Workload) -> None:
        """Refuse a workload that prints the same and takes the same time for every M: it ignores M.

        Its output raises the suspicion and its CPU time, at larger M than the plan's, decides; both before anything is
        measured.
        """
        printed = self._checker.printed(workload)
        if len(printed) < 2 or len(set(printed.values())) > 1 or workload.work in self._growing:
            return
        self._growing.add(workload.work)
        try:
            if grows(lambda m: self._bare(block, baseline, workload, m)[0].cpu_ns, max(printed)):
                return
        except WorkloadError:
            return  # It cannot do as much, so it does more than nothing.
        raise does_not_grow(workload)

    def _bare(
        self, block: Block, launcher: Launcher, workload: Workload, m: int, *, probe: Path | None = None
    ) -> tuple[process.Completed, script.ProcessFingerprint | None]:
        with self._place.scratch() as scratch:
            side = scratch / "side"
            path = self._place.placed(block, workload)
            command = self._place.command(path, workload, block, launcher, m, side, self._place.cpus[-1], probe=probe)
            with startable(launcher):
                done = process.run(command)
            self._checker.require_success(launcher, workload, m, done)
            return done, script.read_fingerprint(side)


@contextmanager
def open_bench(plan: Plan, source: Source, limits: Limits) -> Iterator[Bench]:
    """A bench with a temporary folder that is gone afterwards."""
    with own_folder() as folder:
        try:
            yield Bench(plan, source, folder, limits)
        finally:
            sweep()
