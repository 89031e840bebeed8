"""``tax-probe amortize``: up to how much work per launch embedding pays, by a sweep over M and a model of it."""

from __future__ import annotations

import argparse

from profiler.commands.flags import add_against, add_launcher, add_measuring
from profiler.commands.measuring import run_command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that all measuring commands share, and the user's own work per launch."""
    add_measuring(parser, workload="dynamic", sweep=True)
    add_against(parser)
    add_launcher(parser)
    parser.add_argument(
        "--per-launch-ms", metavar="MS", type=float, help="your work per launch: what embedding gains or costs there"
    )


def run(args: argparse.Namespace) -> int:
    """Measure and say up to where."""
    return run_command(args, "amortize")
