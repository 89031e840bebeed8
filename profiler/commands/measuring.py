"""The course of every measuring command: prepare or resume, measure, conclude, write, show."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from profiler.commands.flags import request
from profiler.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from profiler.collect.request import Request
    from profiler.commands.gating import Gating
    from profiler.model import Run, Target
    from profiler.present.progress import ProgressBar
    from profiler.sources.source import Source


_FOR_AN_INTERVAL = 2
"""Blocks that are measured whatever the time of a machine, where nobody said how long it may take."""


class After(Protocol):
    """What a command does with a folder that is measured and not yet shown."""

    def __call__(self, folder: Path, wanted: Request, bar: ProgressBar) -> None:
        """May add to the run."""


class Begin(Protocol):
    """How a command comes to the run that is measured, on the machine that is this run's alone."""

    def __call__(self, bar: ProgressBar) -> tuple[Run, Source, Path]:
        """The run, what counts it, and the folder that it is kept in."""


def run_command(args: argparse.Namespace, command: str, after: After | None = None) -> int:
    """Carry ``command`` out and return its exit code.

    Raises:
        ProbeError: whatever its steps raise; what was measured is kept.
    """
    from profiler.collect.beforehand import foresee
    from profiler.collect.bench import Limits
    from profiler.collect.prepare import prepare
    from profiler.collect.resume import require_same_passes
    from profiler.collect.session import look_at_hosts
    from profiler.commands.gating import gating
    from profiler.folder import new_folder
    from profiler.launch.interpreters import resolve_target
    from profiler.plan.studies import STUDIES
    from profiler.present.progress import tell
    from profiler.sources.choose import choose_source

    study = STUDIES[command]
    wanted = request(args, command)
    if wanted.private:
        os.umask(0o077)
    gate = gating(wanted.max_ratio, wanted.baseline)
    # All that needs no quiet machine comes before the lock: nobody is to wait for another run to be told of a typo.
    if args.resume is not None:
        resumed = begun(args, command, lambda run: resolve_target(run.target.path))

        def resume(bar: ProgressBar) -> tuple[Run, Source, Path]:
            source, _ = choose_source(resumed.plan.source, chunks_suffice=study.parts_suffice)
            require_same_passes(resumed, source)
            gate.require_measurable(resumed)
            return resumed, source, args.resume

        return carried_out(args, wanted, gate, resume, after)
    foreseen = foresee(wanted, study)
    for found in foreseen.inherited:
        tell(f"warning {found.code}: {found.message}")

    def begin(bar: ProgressBar) -> tuple[Run, Source, Path]:
        run, source = prepare(
            wanted,
            study,
            foreseen,
            args.argv,
            choose_source,
            bar,
            require=lambda source: gate.require_counted(source.missing),
        )
        gate.require_measurable(run)
        if study.looks_inside:
            run = look_at_hosts(run, source, Limits(timeout_s=wanted.timeout))
        return run, source, new_folder(Path(wanted.out), command)

    return carried_out(args, wanted, gate, begin, after)


def carried_out(
    args: argparse.Namespace, wanted: Request, gate: Gating, begin: Begin, after: After | None = None
) -> int:
    """Measure what ``begin`` comes to, while no other run does, show it and hold it against the gates.

    Raises:
        ProbeError: whatever its steps raise; what was measured is kept.
    """
    from profiler.analyze.first_figure import first_figure
    from profiler.analyze.sequential import PrecisionWatch
    from profiler.collect.bench import Limits
    from profiler.collect.session import measure
    from profiler.present.answer import show
    from profiler.present.progress import Foretelling, ProgressBar, tell
    from profiler.system.own_folder import require_temporary
    from profiler.system.run_lock import only_one_run

    require_temporary()
    with only_one_run(wanted.wait, tell) as beside, ProgressBar() as bar:
        run, source, folder = begin(bar)
        measure(
            run if beside is None else _with(run, beside, tell),
            source,
            folder,
            limits=Limits(timeout_s=wanted.timeout),
            budget_s=_budget(wanted, run) if args.resume is None else wanted.budget,
            least_blocks=1 if wanted.budget is not None else _FOR_AN_INTERVAL,
            progress=Foretelling(bar, lambda: first_figure(run, folder)),
            look=PrecisionWatch(folder) if run.plan.precision is not None else None,
        )
        if after is not None:
            after(folder, wanted, bar)
    try:
        verdict = show(folder, format_=args.format, verbose=args.verbose)
    except KeyboardInterrupt as error:
        raise Interrupted(
            "interrupted while the answer was written; everything is measured", hint=f"tax-probe report {folder}"
        ) from error
    gate.hold(folder, verdict)
    return 0


def begun(args: argparse.Namespace, command: str, target_now: Callable[[Run], Target]) -> Run:
    """The run of ``--resume`` to go on with; ``target_now`` is asked of a run that its user trusts.

    Raises:
        UsageError: it is another command's, somebody else's, or not what it was.
    """
    from profiler.collect.resume import continued
    from profiler.commands.trusting import require_trust
    from profiler.folder import load_run

    run = load_run(args.resume)
    if run.command != command:
        raise UsageError(
            f"{args.resume} was begun by tax-probe {run.command}",
            hint=f"tax-probe {run.command} --resume {args.resume}",
        )
    require_trust(args.resume, run, trusted=args.trust_folder)
    return continued(run, lambda: target_now(run), accept_changes=args.accept_changes)


def _with(run: Run, beside: str, tell: Callable[[str], None]) -> Run:
    """``run`` with who measures beside it, which is told at once."""
    import msgspec

    from profiler.catalogue.caveats import MEASURED_BESIDE, caveat

    found = caveat(MEASURED_BESIDE, beside)
    tell(f"warning {found.code}: {found.message}")
    return msgspec.structs.replace(run, warnings=(*run.warnings, found))


def _budget(wanted: Request, run: Run) -> float | None:
    """What was asked for; or the study's own, where it is left to the command how much to measure."""
    from profiler.plan.studies import STUDIES

    if wanted.budget is not None or wanted.blocks is not None or wanted.precision is not None:
        return wanted.budget
    return STUDIES[run.command].budget_s.get(run.plan.source)
