"""``tax-probe rebuild``: build the combinations that the distribution did not, and say which option is the tax."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from profiler.commands.flags import add_measuring
from profiler.commands.measuring import run_command

if TYPE_CHECKING:
    from profiler.collect.request import Request
    from profiler.present.progress import ProgressBar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that all measuring commands share, and those of building."""
    add_measuring(parser)
    parser.add_argument(
        "--plan",
        metavar="FILE.toml",
        help="factorial plan (default: PGO, PIC, interposition, and LTO or the TLS model, by what the library is)",
    )
    parser.add_argument(
        "--source-tree", metavar="DIR|TARBALL", help="CPython's source (default: the distribution's source package)"
    )
    parser.add_argument("--jobs", metavar="N", type=int, help="builds at a time (default: one per CPU)")
    parser.add_argument(
        "--remedy",
        action="store_true",
        default=None,
        help="make the best library a checked and timed drop-in for the target's",
    )
    parser.add_argument(
        "--remedy-budget",
        metavar="SECONDS",
        type=float,
        help="end the remedy's timing then, if it is not known within 2 %% before (default: 900)",
    )


def run(args: argparse.Namespace) -> int:
    """Build, measure and say which option it is; on request check the best library as a drop-in."""
    return run_command(args, "rebuild", after=_keep)


def _keep(folder: Path, wanted: Request, bar: ProgressBar) -> None:
    """Remember the verdicts for ``variants``; where a remedy was asked for, check the cheapest library and time it.

    Raises:
        MachineError: no rebuilt library was measured, or its tests could not be built.
        Interrupted: while it was timed; checks and times so far are kept.
    """
    import msgspec

    from profiler.analyze.causes.option_verdicts import best_library, rebuilt_of
    from profiler.analyze.conclude import conclude
    from profiler.analyze.sequential import PrecisionWatch
    from profiler.collect.bench import Limits
    from profiler.collect.remedy_times import time_remedy
    from profiler.errors import Interrupted, MachineError, WorkloadError
    from profiler.folder import load_run, save_run
    from profiler.model.factorial import remedy_time_folder
    from profiler.rebuild.build_cache import default_cache
    from profiler.rebuild.combinations import open_builder
    from profiler.rebuild.memory import RebuildFinding, remember
    from profiler.rebuild.remedy import remedy_of

    run, verdict = load_run(folder), conclude(folder)
    if verdict.causes:
        finding = RebuildFinding(measured_utc=run.started_utc, source=verdict.source, causes=verdict.causes)
        remember(default_cache().folder, run.target, run.plan.workload, finding)
    if not wanted.remedy:
        return
    rebuilt = rebuilt_of(run)
    best = None if rebuilt is None else best_library(verdict.comparisons, rebuilt, drop_in=True)
    if best is None or rebuilt is None:
        raise MachineError("no rebuilt library was measured, so there is none to check", hint="see the warnings above")
    remedy = remedy_of(
        target=run.target,
        plan=rebuilt.plan,
        best=best[0],
        host=next(launcher for launcher in run.plan.launchers if launcher.name == best[0].launcher),
        builder=open_builder(run.target, rebuilt.plan, wanted.source_tree, bar),
        folder=folder,
        watch=bar,
    )
    run = msgspec.structs.replace(run, remedy=msgspec.to_builtins(remedy))
    save_run(folder, run)
    try:
        time_remedy(
            run,
            remedy,
            folder,
            limits=Limits(timeout_s=wanted.timeout),
            budget_s=wanted.remedy_budget,
            progress=bar,
            watch=PrecisionWatch,
        )
    except (MachineError, WorkloadError) as error:
        bar.say(f"the remedy could not be timed: {error.message}; {error.hint}")
    except Interrupted as error:
        place = folder / remedy_time_folder(remedy)
        error.hint = f"tax-probe ipc --resume {place} goes on, tax-probe report {folder} shows all"
        raise
