"""``tax-probe eliminate``: suspects of a tax, each removed and the ratio held against the one before."""

from __future__ import annotations

import argparse

from profiler.commands.flags import add_launcher, add_measuring
from profiler.commands.measuring import run_command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that all measuring commands share; eliminations of the user's own come from ``--experiment``."""
    add_measuring(parser)
    add_launcher(parser)


def run(args: argparse.Namespace) -> int:
    """Measure and say what the tax does not depend on, and what it does."""
    return run_command(args, "eliminate")
