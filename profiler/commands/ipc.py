"""``tax-probe ipc``: measure one workload in several launchers and say how much each costs."""

from __future__ import annotations

import argparse

from profiler.commands.measuring import run_command
from profiler.commands.options import add_launcher, add_measuring


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that all measuring commands share, and the choice of launchers."""
    add_measuring(parser)
    add_launcher(parser)


def run(args: argparse.Namespace) -> int:
    """Measure and say how much."""
    return run_command(args, "ipc")
