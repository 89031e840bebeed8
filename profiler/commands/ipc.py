"""``tax-probe ipc``: measure one workload in several launchers and say how much each costs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from profiler.commands.options import add_measuring, request


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that all measuring commands share."""
    add_measuring(parser)


def run(args: argparse.Namespace) -> int:
    """Prepare or resume, measure, conclude, write, show."""
    from profiler.folder import load_run, new_folder
    from profiler.measure.choose import choose_source
    from profiler.measure.collect import Limits
    from profiler.measure.prepare import prepare, require_same_machine
    from profiler.measure.session import measure, only_one_run
    from profiler.present.answer import show
    from profiler.present.progress import Bar

    wanted = request(args)
    with only_one_run(), Bar() as bar:
        if args.resume is not None:
            folder = args.resume
            begun = load_run(folder)
            require_same_machine(begun)
            source, _ = choose_source(begun.plan.source)
        else:
            begun, source = prepare(wanted, "ipc", sys.argv[1:], choose_source, bar.say)
            folder = new_folder(Path(wanted.out), "ipc")
        measure(
            begun,
            source,
            folder,
            limits=Limits(timeout_s=wanted.timeout),
            budget_s=wanted.budget,
            progress=bar,
        )
    return show(folder, format_=args.format, max_ratio=wanted.max_ratio)
