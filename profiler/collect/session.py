"""One measuring session: lock the machine, check the launchers, run the blocks, keep everything that was measured."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from profiler.catalogue.caveats import DAMAGED_ROWS, EVAL_LOOP_GONE, NO_CHUNKS, TOGGLE_UNAVAILABLE, caveat
from profiler.catalogue.interventions import BY_ID
from profiler.catalogue.properties import Fingerprint
from profiler.collect.bench import Bench, LauncherFingerprint, Limits, open_bench
from profiler.collect.fingerprint import complete, gone_library, image_of
from profiler.collect.pace import Pace
from profiler.collect.resume import own, programs_of
from profiler.errors import Interrupted, MachineError, ProbeError, UsageError, WorkloadError
from profiler.folder import RowWriter, done_steps, save_run
from profiler.launch.binaries import elf
from profiler.launch.installed_pythons import installed_pythons, named_files
from profiler.model import Block, Caveat, Chunks, Launcher, Regions, Run, Standing, Step, roles_of
from profiler.plan.schedule import draw_blocks, steps, with_launchers
from profiler.plan.statement_forms import statement_pass
from profiler.plan.treat import bare_hosts, treated
from profiler.sources.source import Source
from profiler.system.exhausted import explained
from profiler.system.signals import terminable


class Progress(Protocol):
    """Who is told how far measuring has come."""

    def start(self, total: int | None, done: int) -> None:
        """``total`` processes in the plan (None: not known beforehand), ``done`` of them from before."""

    def step(self, step: Step) -> None:
        """One process ended."""

    def block(self, block: Block) -> None:
        """One block is complete."""

    def standing(self, standing: Standing, blocks: int, left_s: float | None) -> None:
        """After ``blocks`` blocks: how far it is to the precision that was asked for."""


Look = Callable[[Run, int], Standing]
"""Where a run stands on its way to a precision after so many blocks (``analyze.sequential.PrecisionWatch``)."""


def look_at_hosts(run: Run, source: Source, limits: Limits) -> Run:
    """Run every launcher once, and add to the plan what the fingerprints of the user's hosts call for.

    Raises:
        WorkloadError: a launcher fails or prints something else than the baseline.
    """
    with open_bench(run.plan, source, limits) as bench:
        run = _with_fingerprints(run, bench.check())
    bare = bare_hosts(run.plan.launchers)
    if bare:
        run = _with_launchers(run, bare)
        with open_bench(run.plan, source, limits) as bench:
            run = _with_fingerprints(run, bench.check())
    return _with_launchers(run, treated(run.plan.launchers, run.fingerprints, run.plan.source))


def _with_launchers(run: Run, more: tuple[Launcher, ...]) -> Run:
    return msgspec.structs.replace(run, plan=with_launchers(run.plan, more))


def measure(
    run: Run,
    source: Source,
    folder: Path,
    *,
    limits: Limits,
    budget_s: float | None,
    progress: Progress,
    least_blocks: int = 1,
    look: Look | None = None,
) -> Run:
    """Carry ``run.plan`` out into ``folder`` and return the finished run (also saved there).

    Complete processes that ``folder`` already holds are not repeated. With ``budget_s`` no block is begun that would
    probably end later, but for the first ``least_blocks``. With ``look`` blocks are added to the plan until it says
    that the precision is reached.

    Raises:
        Interrupted: by Ctrl-C, SIGTERM or SIGHUP; ``--resume`` continues.
        WorkloadError, MachineError: what was measured before is kept.
    """
    writer = RowWriter(folder)
    if writer.dropped:
        run = msgspec.structs.replace(run, warnings=(*run.warnings, _measured_again(writer.dropped)))
    run = msgspec.structs.replace(run, lines=writer.lines)
    save_run(folder, own(run))
    done = done_steps(folder)
    with terminable(), open_bench(run.plan, source, limits) as bench:
        try:
            run = _with_files(_with_fingerprints(run, bench.check()))
            run = _with_passes(run, source, bench.cannot_serve())
            bench.use(run.plan)
            run = msgspec.structs.replace(run, programs=programs_of(run))
            save_run(folder, own(run))
            started = time.monotonic() - (run.measured_so_far_s or run.measured_s or 0.0)
            if look is None:
                course = _run_blocks(
                    bench, run, done, writer, budget_s=budget_s, least_blocks=least_blocks, progress=progress
                )
            else:
                course = _run_until(bench, run, done, writer, look, budget_s=budget_s, progress=progress)
            for now in course:
                run = msgspec.structs.replace(now, measured_so_far_s=time.monotonic() - started)
                save_run(folder, own(run))
            run = msgspec.structs.replace(run, measured_s=time.monotonic() - started)
        except KeyboardInterrupt as error:
            raise Interrupted(
                f"interrupted; what was measured is in {folder}", hint=f"continue with --resume {folder}"
            ) from error
        except ProbeError as error:
            if str(folder) not in error.hint:
                error.hint = f"{error.hint}; what was measured is kept in {folder}"
            raise
        except (OSError, MemoryError) as error:
            failure = explained(error)
            if failure is None:
                raise
            failure.hint = f"{failure.hint}, then continue with --resume {folder}"
            raise failure from error
        finally:
            run = msgspec.structs.replace(
                run,
                lines=writer.lines,
                warnings=tuple(dict.fromkeys((*run.warnings, *bench.caveats.values()))),
            )
            with suppress(MachineError):
                save_run(folder, own(run))
    return run


def _measured_again(lines: int) -> Caveat:
    said = f"{lines} {'line' if lines == 1 else 'lines'} of rows.csv without a commit mark"
    return caveat(DAMAGED_ROWS, f"{said} dropped when the run was continued, and measured again")


def _run_blocks(
    bench: Bench,
    run: Run,
    done: set[Step],
    writer: RowWriter,
    *,
    budget_s: float | None,
    least_blocks: int,
    progress: Progress,
) -> Iterator[Run]:
    """The blocks of the plan; yields after each."""
    plan = run.plan
    planned = [step for block in plan.blocks for step in steps(plan, block)]
    progress.start(len(planned), sum(step in done for step in planned))
    pace = Pace()
    for index, block in enumerate(plan.blocks):
        todo = [step for step in steps(plan, block) if step not in done]
        if budget_s is not None and index >= least_blocks and pace.spent + pace.expected(todo) > budget_s:
            return

        def on_step(step: Step) -> None:
            pace.step(step)
            progress.step(step)

        bench.run_block(block, done, writer, on_step)
        progress.block(block)
        yield run


def _run_until(
    bench: Bench,
    run: Run,
    done: set[Step],
    writer: RowWriter,
    look: Look,
    *,
    budget_s: float | None,
    progress: Progress,
) -> Iterator[Run]:
    """Blocks without end, drawn as they are needed; yields the run with its new plan before each is begun."""
    progress.start(None, sum(step in done for block in run.plan.blocks for step in steps(run.plan, block)))
    started = time.monotonic()
    most = run.plan.most_blocks
    spent = 0.0
    for count in itertools.count(1):
        each = spent / (count - 1) if count > 1 else 0.0
        if (most is not None and count > most) or (budget_s is not None and count > 1 and spent + each > budget_s):
            return
        plan = run.plan
        if len(plan.blocks) < count:
            plan = msgspec.structs.replace(plan, blocks=draw_blocks(plan.seed, count))
            run = msgspec.structs.replace(run, plan=plan)
            yield run
        bench.use(plan)
        bench.run_block(plan.blocks[count - 1], done, writer, progress.step)
        progress.block(plan.blocks[count - 1])
        if len(plan.blocks) > count:
            continue
        spent = time.monotonic() - started
        standing = look(run, count)
        left_s = None if standing.blocks_needed is None else max(0, standing.blocks_needed - count) * spent / count
        if left_s is not None and budget_s is not None:
            left_s = min(left_s, max(0.0, budget_s - spent))
        progress.standing(standing, count, left_s)
        bench.use_turns(standing.turns)
        if standing.reached:
            return


def _with_passes(run: Run, source: Source, cannot: dict[str, str]) -> Run:
    """Whole processes for all, where one launcher cannot do chunks: figures of two kinds would not compare."""
    if not cannot:
        return run
    counted = next((pass_ for pass_ in run.plan.passes if isinstance(pass_, Regions) and pass_.by_address), None)
    if counted is not None:
        name, failure = next(iter(cannot.items()))
        raise WorkloadError(
            f"{name} cannot do chunks of work on request, and only these are counted by machine instruction: {failure}",
            hint="let the host run the script's main module as it is and leave its pipes open",
        )
    offered = source.passes(run.plan.workload)
    if "statements" in run.plan.sections:
        offered = (statement_pass(run.plan.workload, offered, regions=False),)
    plan = msgspec.structs.replace(run.plan, passes=offered)
    if any(isinstance(pass_, Regions | Chunks) for pass_ in plan.passes):
        name, failure = next(iter(cannot.items()))
        raise WorkloadError(
            f"{name} cannot do chunks of work on request, and whole processes cannot be counted here: {failure}",
            hint="install perf, or choose --source callgrind",
        )
    caveats = tuple(
        caveat(
            NO_CHUNKS,
            f"{name} cannot do chunks of work on request, so whole processes are measured: {failure}",
        )
        for name, failure in cannot.items()
    )
    return msgspec.structs.replace(run, plan=plan, warnings=(*run.warnings, *caveats))


def _with_fingerprints(run: Run, seen: tuple[LauncherFingerprint, ...]) -> Run:
    """Put what the launchers were seen to be into the plan: the image of the eval loop, the allocator.

    Toggles and treatments that do not run on this machine leave the plan, each with a caveat.
    """
    failed = {taken.launcher: taken.failure for taken in seen if taken.failure is not None}
    known = {taken.launcher: taken.fingerprint for taken in seen if taken.fingerprint is not None}
    answers = {
        name: fingerprint.properties for name, fingerprint in known.items() if fingerprint.properties is not None
    }
    fingerprints = {name: complete(answer) for name, answer in answers.items()}
    failed |= not_taken(run.plan.launchers, fingerprints)

    def completed(launcher: Launcher) -> Launcher:
        if launcher.name not in answers:
            return launcher
        image = image_of(answers[launcher.name])
        return msgspec.structs.replace(
            launcher,
            image=image,
            build_id=elf.build_id(image) if image is not None else None,
            allocator=fingerprints[launcher.name].get("allocator"),
        )

    gone = {
        launcher.name: library
        for launcher in run.plan.launchers
        if launcher.variant is None and launcher.name in answers and (library := gone_library(answers[launcher.name]))
    }
    kept = tuple(completed(launcher) for launcher in run.plan.launchers if launcher.name not in failed)
    caveats = (
        *(caveat(TOGGLE_UNAVAILABLE, f"{name} does not run here: {failure}") for name, failure in failed.items()),
        *(
            caveat(EVAL_LOOP_GONE, f"{name}: its eval loop is that of {library}, which is gone when the program has "
                   "ended, so how it was built cannot be read")
            for name, library in gone.items()
        ),
    )  # fmt: skip
    return msgspec.structs.replace(
        run,
        plan=msgspec.structs.replace(run.plan, launchers=kept),
        fingerprints=fingerprints,
        warnings=(*run.warnings, *caveats),
    )


def _with_files(run: Run) -> Run:
    """What the files are whose eval loops run; what cannot be read of one is no reason to measure none."""
    images = {
        launcher.image: None
        for launcher in run.plan.launchers
        if launcher.variant is None and launcher.image is not None
    }
    if {python.file.real_path for python in run.eval_loops} >= images.keys():
        return run
    with suppress(UsageError, OSError):
        found = installed_pythons(named_files(tuple(images)), (), lambda files, folder: None)
        return msgspec.structs.replace(run, eval_loops=found.pythons)
    return run


def not_taken(launchers: tuple[Launcher, ...], fingerprints: dict[str, Fingerprint]) -> dict[str, str]:
    """Changes that changed nothing inside the process, so that measuring them would prove nothing: why, by launcher."""
    reference = fingerprints.get(roles_of(launchers).baseline, {})
    found = {}
    for launcher in launchers:
        if launcher.variant is None:
            continue
        entry = BY_ID.get(launcher.variant.intervention)
        own, base = fingerprints.get(launcher.name), fingerprints.get(launcher.variant.of)
        if entry is None or own is None or base is None:
            continue
        if launcher.variant.way == "changed" and entry.takes is not None:
            keys, why = [entry.takes], "is the environment discarded, or is it so anyway?"
        elif launcher.variant.way == "removed":
            keys, why = [key for key in entry.keys if base.get(key) != reference.get(key)], "is it built so?"
        else:
            continue
        if keys and all(own.get(key) == base.get(key) for key in keys):
            told = ", ".join(f"{key} is {own.get(key)!r}" for key in keys)
            found[launcher.name] = f"{told} with and without it ({why})"
    return found
