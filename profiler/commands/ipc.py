"""``tax-probe ipc``: measure one workload in several launchers and say how much each costs."""

from __future__ import annotations

import argparse

from profiler.commands.flags import add_against, add_launcher, add_measuring, add_precision
from profiler.commands.measuring import run_command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that all measuring commands share, the choice of launchers, and a precision to reach."""
    add_measuring(parser)
    add_against(parser)
    add_launcher(parser)
    add_precision(parser)


def run(args: argparse.Namespace) -> int:
    """Measure and say how much."""
    return run_command(args, "ipc")
