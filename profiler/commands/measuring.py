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
    from profiler.model import Run
    from profiler.plan.studies import Study
    from profiler.present.progress import ProgressBar


_FOR_AN_INTERVAL = 2
"""Blocks that are measured whatever the time of a machine, where nobody said how long it may take."""


class After(Protocol):
    """What a command does with a folder that is measured and not yet shown."""

    def __call__(self, folder: Path, wanted: Request, bar: ProgressBar) -> None:
        """May add to the run."""


def run_command(args: argparse.Namespace, command: str, after: After | None = None) -> int:
    """Carry ``command`` out and return its exit code.

    Raises:
        ProbeError: whatever its steps raise; what was measured is kept.
    """
    from profiler.analyze.first_figure import first_figure
    from profiler.analyze.sequential import PrecisionWatch
    from profiler.collect.beforehand import foresee
    from profiler.collect.bench import Limits
    from profiler.collect.prepare import prepare
    from profiler.collect.resume import require_same_passes
    from profiler.collect.session import look_at_hosts, measure
    from profiler.commands.gating import gating
    from profiler.folder import new_folder
    from profiler.plan.studies import STUDIES
    from profiler.present.answer import show
    from profiler.present.progress import Foretelling, ProgressBar, tell
    from profiler.sources.choose import choose_source
    from profiler.system.own_folder import require_temporary
    from profiler.system.run_lock import only_one_run

    study = STUDIES[command]
    wanted = request(args, command)
    if wanted.private:
        os.umask(0o077)
    gate = gating(wanted.max_ratio, wanted.baseline)
    limits = Limits(timeout_s=wanted.timeout)
    # All that needs no quiet machine comes before the lock: nobody is to wait for another run to be told of a typo.
    begun = _begun(args, command) if args.resume is not None else None
    foreseen = foresee(wanted, study) if begun is None else None
    for inherited in foreseen.inherited if foreseen is not None else ():
        tell(f"warning {inherited.code}: {inherited.message}")
    require_temporary()
    with only_one_run(wanted.wait, tell) as beside, ProgressBar() as bar:
        if foreseen is None:
            assert begun is not None
            folder = args.resume
            source, _ = choose_source(begun.plan.source, chunks_suffice=STUDIES[begun.command].parts_suffice)
            require_same_passes(begun, source)
            gate.require_measurable(begun)
        else:
            begun, source = prepare(
                wanted,
                study,
                foreseen,
                args.argv,
                choose_source,
                bar,
                require=lambda source: gate.require_counted(source.missing),
            )
            gate.require_measurable(begun)
            if study.looks_inside:
                begun = look_at_hosts(begun, source, limits)
            folder = new_folder(Path(wanted.out), command)
        measure(
            begun if beside is None else _with(begun, beside, tell),
            source,
            folder,
            limits=limits,
            budget_s=_budget(wanted, study, begun) if args.resume is None else wanted.budget,
            least_blocks=1 if wanted.budget is not None else _FOR_AN_INTERVAL,
            progress=Foretelling(bar, lambda: first_figure(begun, folder)),
            look=PrecisionWatch(folder) if begun.plan.precision is not None else None,
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


def _begun(args: argparse.Namespace, command: str) -> Run:
    """The run to go on with.

    Raises:
        UsageError: it is another command's, somebody else's, or not what it was.
    """
    from profiler.collect.resume import continued
    from profiler.commands.trusting import require_trust
    from profiler.folder import load_run

    begun = load_run(args.resume)
    if begun.command != command:
        raise UsageError(
            f"{args.resume} was begun by tax-probe {begun.command}",
            hint=f"tax-probe {begun.command} --resume {args.resume}",
        )
    require_trust(args.resume, begun, trusted=args.trust_folder)
    return continued(begun, accept_changes=args.accept_changes)


def _with(begun: Run, beside: str, tell: Callable[[str], None]) -> Run:
    """``begun`` with who measures beside it, which is told at once."""
    import msgspec

    from profiler.catalogue.caveats import MEASURED_BESIDE, caveat

    found = caveat(MEASURED_BESIDE, beside)
    tell(f"warning {found.code}: {found.message}")
    return msgspec.structs.replace(begun, warnings=(*begun.warnings, found))


def _budget(wanted: Request, study: Study, begun: Run) -> float | None:
    """What was asked for; or the study's own, where it is left to the command how much to measure."""
    if wanted.budget is not None or wanted.blocks is not None or wanted.precision is not None:
        return wanted.budget
    return study.budget_s.get(begun.plan.source)
