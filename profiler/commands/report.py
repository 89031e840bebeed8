"""``tax-probe report``: analyse and render a result folder again, from its files alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from profiler.commands.flags import add_format, add_gate, add_verbose


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder, and what to print."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="a result folder")
    add_gate(parser)
    add_format(parser)
    add_verbose(parser)


def run(args: argparse.Namespace) -> int:
    """Conclude, write, show; hold it against the gates."""
    from profiler.commands.gating import gating
    from profiler.folder import load_run
    from profiler.folder.consistent import consistent
    from profiler.present.answer import show

    gate = gating(args.max_ratio, args.baseline)
    with consistent(args.folder):
        gate.require_same_work(load_run(args.folder))
        gate.hold(args.folder, show(args.folder, format_=args.format, verbose=args.verbose))
    return 0
