"""``tax-probe variants``: from a tax to its causes, by a ladder, toggles on both ends and the user's fingerprint."""

from __future__ import annotations

import argparse

from profiler.commands.flags import add_against, add_measuring
from profiler.commands.measuring import run_command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that all measuring commands share, and a library to swap in."""
    add_measuring(parser)
    add_against(parser)
    parser.add_argument("--libpython", metavar="PATH", help="also run the unchanged pyo3 host on this libpython")


def run(args: argparse.Namespace) -> int:
    """Measure and say why."""
    return run_command(args, "variants")
