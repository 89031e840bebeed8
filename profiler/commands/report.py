"""``tax-probe report``: analyse and render a result folder again, from its files alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from profiler.commands.flags import add_format, add_verbose


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder, and what to print."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="a result folder")
    add_format(parser)
    add_verbose(parser)


def run(args: argparse.Namespace) -> int:
    """Conclude, write, show."""
    from profiler.present.answer import show

    return show(args.folder, format_=args.format, max_ratio=None, verbose=args.verbose)
