"""``tax-probe cross``: the tax within another target, by its own exact counter; and the samples, bit for bit."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from profiler.commands.flags import add_format, add_gate, add_launcher, add_verbose, numbers, request
from profiler.errors import UsageError

if TYPE_CHECKING:
    from profiler.catalogue.targets import TargetEntry
    from profiler.collect.request import Request
    from profiler.commands.gating import Gating

_COMMAND = "cross"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which targets, and what is measured on each."""
    parser.add_argument("target", nargs="*", metavar="TARGET", help="as tax-probe targets lists them")
    parser.add_argument(
        "--samples", action="store_true", help="measure nothing: run the samples in each launcher, bit for bit"
    )
    parser.add_argument("--workload", metavar="NAME|FILE.py", help="as of ipc (default: int_loop)")
    add_launcher(parser)
    parser.add_argument("--blocks", metavar="N", type=int, help="blocks to measure (default: 6)")
    parser.add_argument("--budget", metavar="SECONDS", type=float, help="begin no block that would end later")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, help="limit of one process (default: 60)")
    parser.add_argument("--m", metavar="LO,HI", type=numbers, help="the two M of every run (default: by workload)")
    parser.add_argument("--seed", metavar="N", type=int, help="seed of blocks and orders (default: drawn and saved)")
    parser.add_argument("--out", metavar="DIR", help="where results go (default: as of ipc)")
    parser.add_argument("--wait", metavar="SECONDS", type=float, help="wait so long for another run here to end")
    parser.add_argument("--resume", metavar="DIR", type=Path, help="continue an interrupted run with the same plan")
    add_gate(parser)
    add_format(parser)
    add_verbose(parser)
    parser.set_defaults(experiment=None)


def run(args: argparse.Namespace) -> int:
    """Measure on each target, one after the other, and show what came of it.

    Raises:
        UsageError: no target, or none of that name.
        MachineError: one is not provisioned.
        WorkloadError: outputs differ.
    """
    from profiler.catalogue.targets import find_entry
    from profiler.commands.gating import gating

    wanted = request(args, _COMMAND)
    entries = tuple(map(find_entry, dict.fromkeys(args.target)))
    if not entries and args.resume is None:
        raise UsageError("cross needs a target", hint="tax-probe targets lists them")
    if args.format == "json" and len(entries) > 1:
        raise UsageError("--format json is one document of one target", hint="name one TARGET")
    gate = gating(wanted.max_ratio, wanted.baseline)
    for entry in entries or (_entry_of(args.resume),):
        if args.samples:
            _samples(entry, wanted, args)
            continue
        _measure(entry, wanted, gate, args)
    return 0


def _measure(entry: TargetEntry, wanted: Request, gate: Gating, args: argparse.Namespace) -> None:
    from profiler.analyze.first_figure import first_figure
    from profiler.collect.bench import Limits
    from profiler.collect.prepare_abroad import counter_of, prepare_abroad, ready, require_same_abroad
    from profiler.collect.session import measure
    from profiler.folder import load_run, new_folder
    from profiler.plan.studies import STUDIES
    from profiler.present.answer import show
    from profiler.present.progress import Foretelling, ProgressBar, tell
    from profiler.system.run_lock import only_one_run
    from profiler.workloads import find_workload

    study = STUDIES[_COMMAND]
    workload = find_workload(wanted.workload or study.workload)
    with only_one_run(wanted.wait, tell), ProgressBar() as bar:
        source = counter_of(entry)
        bar.say(f"source: {source.describe()}")
        gate.require_counted(source.missing)
        if args.resume is not None:
            begun, folder = load_run(args.resume), args.resume
            require_same_abroad(begun, entry)
        else:
            at = ready(entry, wanted.launcher, bar.say)
            begun = prepare_abroad(wanted, study, workload, at, source, args.argv)
            folder = new_folder(Path(wanted.out), _COMMAND)
        measure(
            begun,
            source,
            folder,
            limits=Limits(timeout_s=wanted.timeout),
            budget_s=wanted.budget,
            progress=Foretelling(bar, lambda: first_figure(begun, folder)),
        )
    gate.hold(folder, show(folder, format_=args.format, verbose=args.verbose))


def _samples(entry: TargetEntry, wanted: Request, args: argparse.Namespace) -> None:
    from profiler.collect.prepare_abroad import ready
    from profiler.collect.sample_runs import run_samples
    from profiler.folder import new_folder
    from profiler.present.progress import ProgressBar
    from profiler.present.samples_told import print_samples, write_samples

    with ProgressBar() as bar:
        at = ready(entry, wanted.launcher, bar.say)
        found = run_samples(entry.name, at.launchers, timeout_s=wanted.timeout, say=bar.say)
    folder = new_folder(Path(wanted.out), "samples")
    write_samples(folder, found)
    print_samples(folder, found, as_json=args.format == "json")


def _entry_of(folder: Path) -> TargetEntry:
    """The target of a run that goes on.

    Raises:
        UsageError: it was begun by another command.
    """
    from profiler.catalogue.targets import TARGETS
    from profiler.folder import load_run

    begun = load_run(folder)
    found = next((entry for entry in TARGETS if entry.words.get("rust") == begun.target.triple), None)
    if begun.command != _COMMAND or found is None:
        raise UsageError(
            f"{folder} was begun by tax-probe {begun.command}", hint=f"tax-probe {begun.command} --resume {folder}"
        )
    return found
