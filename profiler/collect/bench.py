"""Carry a plan out: run every process, check what it printed, append its rows. Knows no perf and no valgrind."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path

import msgspec

from profiler.catalogue.caveats import HASH_SEED_IGNORED, HEAP_NOT_PLACED, NOT_VERIFIED, CaveatEntry, caveat
from profiler.catalogue.events import BY_NAME, QUEUED
from profiler.collect.fingerprint import PROBE
from profiler.collect.live import CALLGRIND, CLOCK, serving
from profiler.collect.recording import calls_of, elsewhere, rows_of, startable
from profiler.collect.regions import counted, through_phases
from profiler.collect.turns import readings, take_turns, together
from profiler.errors import WorkloadError
from profiler.folder import RowWriter
from profiler.guest import script
from profiler.model import (
    BASELINE,
    Block,
    CallRow,
    Caveat,
    Launcher,
    Noun,
    Pass,
    PassKind,
    Plan,
    Reading,
    Row,
    Step,
    Workload,
)
from profiler.plan.calibrate import does_not_grow, grows
from profiler.plan.schedule import steps
from profiler.sources import phased as startup
from profiler.sources.source import Outcome, Source
from profiler.sources.timed import timed
from profiler.system import process
from profiler.system.process import Command

MAX_OUTPUT_BYTES = 1 << 20
"""A workload prints one line; a megabyte is a mistake that would fill the disk or the memory."""

_STOPPING_S = 0.05

_Measured = tuple[list[Row], list[CallRow]]
"""What one process leaves behind."""


class Limits(Noun, frozen=True, kw_only=True):
    """What one process may take, at native speed; slow sources stretch the time."""

    timeout_s: float


class Seen(Noun, frozen=True, kw_only=True):
    """One launcher as it was found running, before anything is measured."""

    launcher: str
    sighting: script.Sighting | None
    failure: str | None
    """Why a toggle or treatment cannot run here; other launchers that fail end the run."""


class Bench:
    """A folder for scripts and side files, the CPUs to use, and the expected outputs of one plan."""

    def __init__(self, plan: Plan, source: Source, folder: Path, limits: Limits) -> None:
        self.source = source
        self.limits = limits
        self.turns: int | None = None
        """How many chunks each process does; None: as the pass has it."""
        self.caveats: dict[tuple[str, str], Caveat] = {}
        self._folder = folder
        self.use(plan)
        self._cpus = sorted(os.sched_getaffinity(0))
        self._expected: dict[tuple[str, int], bytes] = {}
        self._hashes: dict[int, int] = {}
        self._growing: set[str] = set()
        """Workloads that print the same for every M, and were seen to do more for more."""

    def use(self, plan: Plan) -> None:
        """Go on with ``plan``: the same, with more blocks or other passes."""
        self.plan = plan
        self._launchers = {launcher.name: launcher for launcher in plan.launchers}
        self._passes = {what.name: what for what in plan.passes}

    def check(self) -> tuple[Seen, ...]:
        """Run every launcher once at the smallest M, bare: what is it, and does it print what the baseline prints?

        Raises:
            WorkloadError: a launcher fails, hangs, prints too much or prints something else than the baseline.
        """
        block = self.plan.blocks[0]
        probe = self._folder / "fingerprint.py"
        probe.write_text(PROBE)
        smallest = min(m for what in self.plan.passes for m in what.m)
        seen = []
        for launcher in self.plan.launchers:
            try:
                outcome, sighting = self._bare(block, launcher, self.plan.workload, smallest, probe=probe)
                self._compare_output(launcher, self.plan.workload, smallest, outcome.stdout)
            except WorkloadError as error:
                if launcher.variant is None:
                    raise
                seen.append(Seen(launcher=launcher.name, sighting=None, failure=error.message))
                continue
            seen.append(Seen(launcher=launcher.name, sighting=sighting, failure=None))
        return tuple(seen)

    def run_block(self, block: Block, done: set[Step], writer: RowWriter, on_step: Callable[[Step], None]) -> None:
        """Run what is not done of one block; ``on_step`` is called after each process.

        Raises:
            WorkloadError, MachineError: what was measured before stays in the rows.
        """
        todo = [step for step in steps(self.plan, block) if step not in done]
        if not todo:
            return
        self._learn(block)
        for (kind, exclusive), group in groupby(todo, key=self._kind):
            if kind == "chunks":
                self._interleave(block, list(group), writer, on_step)
                continue
            jobs = 1 if exclusive else len(self._cpus)
            # Closed here and not when it is collected: an interruption must end the processes before the folder goes.
            with closing(self._run_side_by_side(block, list(group), jobs)) as finished:
                for step, (rows, calls) in finished:
                    writer.append(rows, calls)
                    on_step(step)

    def cannot_serve(self) -> dict[str, str]:
        """Launchers that cannot do chunks of work on request, each with the reason."""
        failures = {}
        for kind, what in {what.kind: what for what in self.plan.passes if what.kind != "process"}.items():
            count = CALLGRIND if kind == "regions" else CLOCK
            for launcher in self.plan.launchers:
                try:
                    self._try_serving(launcher, count, what.m[0])
                except WorkloadError as error:
                    failures[launcher.name] = error.message
        return failures

    def _try_serving(self, launcher: Launcher, count: str, m: int) -> None:
        """One launcher, alone, bare: regions do nothing then, but the extension must load."""
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            scratch = Path(name)
            path = self._placed(self.plan.blocks[0], self.plan.workload)
            command = self._command(path, self.plan.blocks[0], launcher, m, scratch / "side", self._cpus[-1])
            with startable(launcher), serving(launcher.name, command, count=count, scratch=scratch) as server:
                said = server.hello(command.timeout_s), server.run(m, command.timeout_s)
        for one in said:
            self._compare_output(launcher, self.plan.workload, m, one.text.encode())

    def _kind(self, step: Step) -> tuple[PassKind, bool]:
        what = self._passes[step.pass_name]
        return what.kind, what.exclusive

    def _learn(self, block: Block) -> None:
        """What the baseline prints for each workload and M and how it hashes in this block, from bare runs."""
        baseline = self._launchers[BASELINE]
        wanted = {((what.workload or self.plan.workload), m) for what in self.plan.passes for m in what.m}
        for workload, m in sorted(wanted, key=lambda one: (one[0].path, one[1])):
            if (workload.path, m) not in self._expected:
                self._compare_output(baseline, workload, m, self._bare(block, baseline, workload, m)[0].stdout)
        for workload in {one.path: one for one, _ in wanted}.values():
            self._require_growth(block, baseline, workload)
        _, sighting = self._bare(block, baseline, self.plan.workload, min(m for _, m in self._expected))
        if sighting is not None:
            self._hashes[block.index] = sighting.string_hash

    def _require_growth(self, block: Block, baseline: Launcher, workload: Workload) -> None:
        """Refuse a workload that prints the same and takes the same time for every M: it ignores M.

        Its output raises the suspicion and its CPU time, at larger M than the plan's, decides; both before anything is
        measured.
        """
        printed = {m: text for (path, m), text in self._expected.items() if path == workload.path}
        if len(printed) < 2 or len(set(printed.values())) > 1 or workload.path in self._growing:
            return
        self._growing.add(workload.path)
        try:
            if grows(lambda m: self._bare(block, baseline, workload, m)[0].cpu_ns, max(printed)):
                return
        except WorkloadError:
            return  # It cannot do as much, so it does more than nothing.
        raise does_not_grow(workload)

    def _run_side_by_side(
        self, block: Block, todo: list[Step], jobs: int
    ) -> Generator[tuple[Step, _Measured], None, None]:
        free = self._cpus[-jobs:]
        queue = iter(todo)
        running: dict[Future[_Measured], tuple[Step, int]] = {}
        with ThreadPoolExecutor(max_workers=jobs) as pool:
            try:
                while True:
                    while free and (step := next(queue, None)) is not None:
                        cpu = free.pop()
                        running[pool.submit(self._measure, block, step, cpu)] = (step, cpu)
                    if not running:
                        return
                    finished, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in finished:
                        step, cpu = running.pop(future)
                        free.append(cpu)
                        yield step, future.result()
            except BaseException:
                for future in running:
                    future.cancel()
                # Again and again: a thread may be just about to start its process.
                while wait(running, timeout=_STOPPING_S).not_done:
                    process.stop_all()
                raise

    def _interleave(self, block: Block, todo: list[Step], writer: RowWriter, on_step: Callable[[Step], None]) -> None:
        """All launchers of ``todo`` at once, taking turns; their rows are written together, when all is done."""
        what = self._passes[todo[0].pass_name]
        m, turns = what.m[0], self.turns or what.repetitions
        by_name = {step.launcher: step for step in todo}
        cpu = self._cpus[-1]
        rows: list[Row] = []
        with tempfile.TemporaryDirectory(dir=self._folder) as name, elsewhere(cpu):
            folder = Path(name)
            path = self._placed(block, self.plan.workload)
            commands = {
                launcher: self._command(
                    path, block, self._launchers[launcher], m, folder / f"side-{step.position}", cpu
                )
                for launcher, step in by_name.items()
            }
            with together(commands, what, folder) as servers:
                for launcher, (_, hello) in servers.items():
                    self._compare_output(self._launchers[launcher], self.plan.workload, m, hello.text.encode())
                    sighting = script.read_sighting(folder / f"side-{by_name[launcher].position}")
                    self._verify(block, self._launchers[launcher], sighting)
                for launcher, m, turn, chunk in take_turns(servers, what, turns, self.limits.timeout_s):
                    printed = chunk.text.encode()
                    self._compare_output(self._launchers[launcher], self.plan.workload, m, printed)
                    step = msgspec.structs.replace(by_name[launcher], m=m, repetition=turn)
                    found = readings(what, chunk)
                    rows.extend(
                        rows_of(
                            self.plan.workload,
                            step,
                            found,
                            exit_code=0,
                            printed=printed,
                            placement=chunk.placement,
                        )
                    )
        writer.append(rows)
        for step in todo:
            on_step(step)

    def _measure(self, block: Block, step: Step, cpu: int) -> _Measured:
        launcher = self._launchers[step.launcher]
        what = self._passes[step.pass_name]
        workload = what.workload or self.plan.workload
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            scratch = Path(name)
            path = self._path(what, block, workload)
            watched = what.exclusive and not what.native and not what.phases
            command = self._command(path, block, launcher, step.m, scratch / "side", cpu, watch=watched)
            if what.kind == "regions":
                command = through_phases(self.plan.seed, block, what, command, scratch)
            with startable(launcher):
                outcome = self._run(what, launcher, command, scratch)
            self._require_success(launcher, workload, step.m, outcome)
            sighting = script.read_sighting(scratch / "side")
            if not what.native and not what.phases:
                self._verify(block, launcher, sighting)
            if what.kind == "regions":
                return self._region_rows(what, step, outcome, scratch)
            self._compare_output(launcher, workload, step.m, outcome.stdout)
        found = (*outcome.readings, *_queued(sighting)) if watched else outcome.readings
        placement = sighting.placement if sighting is not None else None
        calls = [row for part in outcome.calls for row in calls_of(step, part)]
        rows = rows_of(workload, step, found, exit_code=outcome.exit, printed=outcome.stdout, placement=placement)
        return list(rows), calls

    def _region_rows(self, what: Pass, step: Step, outcome: Outcome, scratch: Path) -> _Measured:
        rows: list[Row] = []
        calls: list[CallRow] = []
        for region in counted(what, outcome, scratch):
            self._compare_output(self._launchers[step.launcher], self.plan.workload, region.m, region.printed)
            one = msgspec.structs.replace(step, m=region.m, repetition=region.phase)
            rows.extend(
                rows_of(
                    self.plan.workload,
                    one,
                    region.readings,
                    exit_code=outcome.exit,
                    printed=region.printed,
                    placement=region.placement,
                )
            )
            calls.extend(calls_of(one, region.calls))
        return rows, calls

    def _bare(
        self, block: Block, launcher: Launcher, workload: Workload, m: int, *, probe: Path | None = None
    ) -> tuple[process.Completed, script.Sighting | None]:
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            side = Path(name) / "side"
            path = self._placed(block, workload)
            command = self._command(path, block, launcher, m, side, self._cpus[-1], probe=probe)
            with startable(launcher):
                done = process.run(command)
            self._require_success(launcher, workload, m, done)
            return done, script.read_sighting(side)

    def _run(self, what: Pass, launcher: Launcher, command: Command, scratch: Path) -> Outcome:
        if what.phases:
            # The plan's own launchers know which file holds the eval loop, once they were seen running.
            image = next(one.image for one in self.plan.launchers if one.name == launcher.name)
            return startup.measure(what.events, command, image, scratch)
        return timed(command) if what.bare else self.source.measure(what, command, scratch)

    def _path(self, what: Pass, block: Block, workload: Workload) -> Path:
        if what.phases:
            path = self._folder / f"marked-{_mark(workload)}.py"
            if not path.exists():
                path.write_text(script.render_marked(workload))
            return path
        return self._native(workload) if what.native else self._placed(block, workload)

    def _placed(self, block: Block, workload: Workload) -> Path:
        path = self._folder / f"block-{block.index:05d}-{_mark(workload)}.py"
        if not path.exists():
            path.write_text(script.render(block, workload, path))
        return path

    def _native(self, workload: Workload) -> Path:
        """The workload's own file; where a launcher hands on no arguments, all run one that takes M by another way."""
        if all(any("{m}" in part for part in launcher.argv) for launcher in self.plan.launchers):
            return Path(workload.path)
        path = self._folder / f"native-{_mark(workload)}.py"
        if not path.exists():
            path.write_text(script.render_native(workload))
        return path

    def _command(  # noqa: PLR0917 - what a process is made of
        self,
        path: Path,
        block: Block,
        launcher: Launcher,
        m: int,
        side: Path,
        cpu: int,
        *,
        probe: Path | None = None,
        watch: bool = False,
    ) -> Command:
        return Command(
            argv=tuple(
                part.replace("{script}", str(path)).replace("{m}", str(m)).replace("{text}", path.read_text())
                for part in launcher.argv
            ),
            env=script.environment(block, m=m, side=side, extra=launcher.env, probe=probe, watch=watch),
            cwd=str(Path.cwd()),
            cpu=cpu,
            timeout_s=self.limits.timeout_s,
            max_output_bytes=MAX_OUTPUT_BYTES,
        )

    def _require_success(
        self, launcher: Launcher, workload: Workload, m: int, outcome: Outcome | process.Completed
    ) -> None:
        what = f"{launcher.name}: workload {workload.name} with M = {m}"
        if outcome.timed_out:
            raise WorkloadError(
                f"{what} did not end in time ({self.limits.timeout_s:g} s at native speed)",
                hint="give it more with --timeout SECONDS, or less work with --m LO,HI",
            )
        if outcome.output_exceeded:
            raise WorkloadError(
                f"{what} printed more than {MAX_OUTPUT_BYTES} bytes and was stopped",
                hint="a workload prints one line that depends on M only",
            )
        if outcome.exit != 0:
            how = (
                f"was killed by signal {-outcome.exit}" if outcome.exit < 0 else f"ended with exit code {outcome.exit}"
            )
            raise WorkloadError(
                f"{what} {how}\n{outcome.stderr_tail.strip() or '(nothing on stderr)'}",
                hint=f"run the workload by itself in {BASELINE}; where {launcher.name} alone fails, its host lacks "
                "what the workload needs",
            )

    def _compare_output(self, launcher: Launcher, workload: Workload, m: int, printed: bytes) -> None:
        expected = self._expected.setdefault((workload.path, m), printed)
        if printed != expected:
            raise WorkloadError(
                f"outputs differ for M = {m}\n  {BASELINE:<14} printed {_shorten(expected)}\n"
                f"  {launcher.name:<14} printed {_shorten(printed)}",
                hint="a workload's output must depend on M only; a host must print nothing of its own on stdout",
            )

    def _verify(self, block: Block, launcher: Launcher, sighting: script.Sighting | None) -> None:
        expected = self._hashes.get(block.index)
        if sighting is None:
            self._warn(
                NOT_VERIFIED,
                launcher,
                "hash seed and allocator could not be verified inside the process: it did not hand the environment "
                "to the script",
            )
            return
        if sighting.pymalloc and not sighting.placed:
            self._warn(
                HEAP_NOT_PLACED,
                launcher,
                "its heap could not be placed (no mmap module, or no arena where expected), so its instructions may "
                "differ by some 1 to 2 % through the position of its arenas alone",
            )
        own_seed = "PYTHONHASHSEED" in launcher.env
        if expected is not None and not own_seed and sighting.string_hash != expected:
            self._warn(
                HASH_SEED_IGNORED,
                launcher,
                "runs with another hash seed than the baseline: PYTHONHASHSEED is discarded (-I, -E or an isolated "
                "configuration), so its counts scatter with the seed",
            )

    def _warn(self, entry: CaveatEntry, launcher: Launcher, message: str) -> None:
        self.caveats.setdefault((entry.code, launcher.name), caveat(entry, f"{launcher.name}: {message}"))


@contextmanager
def open_bench(plan: Plan, source: Source, limits: Limits) -> Iterator[Bench]:
    """A bench with a temporary folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tax-probe-") as name:
        yield Bench(plan, source, Path(name), limits)


def _queued(sighting: script.Sighting | None) -> tuple[Reading]:
    """How long the work waited for a CPU, as the script itself read it."""
    known = sighting is not None and sighting.queued_ns is not None
    reading = Reading(
        event=QUEUED,
        value=float(sighting.queued_ns) if sighting is not None and sighting.queued_ns is not None else None,
        unit=BY_NAME[QUEUED].unit,
        enabled_ns=None,
        running_ns=None,
        source="software",
        raw_name="/proc/self/schedstat: run-queue wait of the main thread",
        reason=None if known else "the script could not read it, or was not handed the environment",
    )
    return (reading,)


def _mark(workload: Workload) -> str:
    """Of one length for all workloads, which may share a name."""
    return hashlib.sha256(workload.path.encode()).hexdigest()[:8]


def _shorten(printed: bytes, limit: int = 200) -> str:
    text = repr(printed[:limit].decode(errors="replace"))
    return text if len(printed) <= limit else f"{text}… ({len(printed)} bytes)"
