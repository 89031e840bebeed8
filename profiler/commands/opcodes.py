"""``tax-probe opcodes``: what each specialised opcode costs on either side, and what it adds to the difference."""

from __future__ import annotations

import argparse

from profiler.commands.flags import add_against, add_launcher, add_measuring
from profiler.commands.measuring import run_command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that all measuring commands share, and the choice of launchers."""
    add_measuring(parser)
    add_against(parser)
    add_launcher(parser)


def run(args: argparse.Namespace) -> int:
    """Measure and say which opcodes cost more."""
    return run_command(args, "opcodes")
