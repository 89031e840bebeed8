"""``tax-probe opcodes``: what each specialised opcode costs on either side, and what it adds to the difference."""

from __future__ import annotations

import argparse

from profiler.commands.flags import add_against, add_launcher, add_measuring
from profiler.commands.measuring import run_command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that all measuring commands share, the choice of launchers, and ``--statements``."""
    add_measuring(parser)
    add_against(parser)
    add_launcher(parser)
    parser.add_argument(
        "--statements",
        action="store_true",
        help="what single statements cost, by any source and in any host: each repeated in a loop few times and many",
    )


def run(args: argparse.Namespace) -> int:
    """Measure and say which opcodes cost more, or which statements."""
    return run_command(args, "opcodes --statements" if args.statements else "opcodes")
