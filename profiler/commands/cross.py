"""``tax-probe cross``: the tax within another target, by its own exact counter; and the samples, bit for bit."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from profiler.commands.flags import add_format, add_gate, add_launcher, add_resume, add_verbose, numbers, request
from profiler.commands.measuring import begun, carried_out
from profiler.errors import UsageError

if TYPE_CHECKING:
    from profiler.catalogue.targets import TargetEntry
    from profiler.collect.request import Request
    from profiler.commands.gating import Gating
    from profiler.model import Run
    from profiler.present.progress import ProgressBar
    from profiler.sources.source import Source

_COMMAND = "cross"
_OF_MEASURING = ("resume", "max_ratio", "baseline", "workload", "blocks", "budget", "m", "seed")


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
    add_resume(parser)
    add_gate(parser)
    add_format(parser)
    add_verbose(parser)
    parser.set_defaults(experiment=None)


def run(args: argparse.Namespace) -> int:
    """Measure on each target, one after the other, and show what came of it.

    Raises:
        UsageError: no target, or none of that name; options that do not go together; ``--resume`` is of another one.
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
    if args.resume is not None and len(entries) > 1:
        raise UsageError("--resume is of one run on one target", hint="name one TARGET, or none")
    if args.samples:
        _require_nothing_measured(args)
        return _samples(entries, wanted, args)
    gate = gating(wanted.max_ratio, wanted.baseline)
    if args.resume is not None:
        return _go_on(entries, wanted, gate, args)
    for entry in entries:
        _measure(entry, wanted, gate, args)
    return 0


def _require_nothing_measured(args: argparse.Namespace) -> None:
    given = [name for name in _OF_MEASURING if getattr(args, name) not in (None, [])]
    if given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UsageError(f"--samples measures nothing, and takes no {flags}", hint="give one or the other")


def _measure(entry: TargetEntry, wanted: Request, gate: Gating, args: argparse.Namespace) -> None:
    from profiler.collect.beforehand import inherited, require_writable
    from profiler.collect.prepare_abroad import counter_of, prepare_abroad, ready
    from profiler.folder import new_folder
    from profiler.plan.studies import STUDIES
    from profiler.present.progress import tell
    from profiler.provision.provisioner import require_provisioned
    from profiler.workloads import find_workload

    study = STUDIES[_COMMAND]
    workload = find_workload(wanted.workload or study.workload)
    require_provisioned(entry)
    require_writable(Path(wanted.out))
    for found in inherited():
        tell(f"warning {found.code}: {found.message}")

    def begin(bar: ProgressBar) -> tuple[Run, Source, Path]:
        source = counter_of(entry)
        bar.say(f"source: {source.describe()}")
        gate.require_counted(source.missing)
        at = ready(entry, wanted.launcher, bar.say)
        run = prepare_abroad(wanted, study, workload, at, source, args.argv)
        gate.require_measurable(run)
        return run, source, new_folder(Path(wanted.out), _COMMAND)

    carried_out(args, wanted, gate, begin)


def _go_on(entries: tuple[TargetEntry, ...], wanted: Request, gate: Gating, args: argparse.Namespace) -> int:
    from profiler.collect.prepare_abroad import counter_of, target_abroad
    from profiler.collect.resume import require_same_passes

    run = begun(args, _COMMAND, lambda run: target_abroad(_entry_of(run, args.resume)))
    entry = _entry_of(run, args.resume)
    if entries and entries != (entry,):
        raise UsageError(
            f"{args.resume} was begun on {entry.name}", hint=f"tax-probe cross {entry.name} --resume {args.resume}"
        )

    def begin(bar: ProgressBar) -> tuple[Run, Source, Path]:
        source = counter_of(entry)
        bar.say(f"source: {source.describe()}")
        require_same_passes(run, source)
        gate.require_measurable(run)
        return run, source, args.resume

    return carried_out(args, wanted, gate, begin)


def _samples(entries: tuple[TargetEntry, ...], wanted: Request, args: argparse.Namespace) -> int:
    from profiler.collect.prepare_abroad import ready
    from profiler.collect.sample_runs import require_equal, run_samples
    from profiler.folder import new_folder
    from profiler.present.progress import ProgressBar, tell
    from profiler.present.samples_told import print_samples, write_samples
    from profiler.system.own_folder import require_temporary
    from profiler.system.run_lock import only_one_run

    require_temporary()
    tables = []
    for entry in entries:
        # They measure nothing, and would disturb who does; and nobody may take the target away under them.
        with only_one_run(wanted.wait, tell), ProgressBar() as bar:
            at = ready(entry, wanted.launcher, bar.say)
            found = run_samples(entry.name, at.launchers, timeout_s=wanted.timeout, say=bar.say)
        folder = new_folder(Path(wanted.out), "samples")
        write_samples(folder, found)
        print_samples(folder, found, as_json=args.format == "json")
        tables.append(found)
    for table in tables:
        require_equal(table)
    return 0


def _entry_of(run: Run, folder: Path) -> TargetEntry:
    """The target of a run that goes on.

    Raises:
        UsageError: it is no target of ours.
    """
    from profiler.catalogue.targets import TARGETS

    found = next((entry for entry in TARGETS if entry.words.get("rust") == run.target.triple), None)
    if found is None:
        raise UsageError(f"{folder} is of a target that is not known here", hint="tax-probe targets lists them")
    return found
