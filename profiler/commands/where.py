"""``tax-probe where``: the difference from the top down, by file, function, source line and kind of instruction."""

from __future__ import annotations

import argparse

from profiler.commands.flags import add_against, add_launcher, add_measuring
from profiler.commands.measuring import run_command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that all measuring commands share, the choice of launchers, and ``--symbols``."""
    add_measuring(parser)
    add_against(parser)
    add_launcher(parser)
    parser.add_argument(
        "--symbols",
        choices=("fetch",),
        help="where no debug information of the files is at hand, fetch program, library and symbols of the archive's "
        "revision into the cache, and take its names if it costs the same (Debian)",
    )


def run(args: argparse.Namespace) -> int:
    """Measure and say where."""
    return run_command(args, "where")
