"""``tax-probe doctor``: what this machine can measure, why not more, and what to do about it.

Exit code 0 when a source that counts instructions works (hardware, qemu or callgrind), else 3.
"""

from __future__ import annotations

import argparse

from profiler.commands.flags import add_format, add_verbose
from profiler.errors import MachineError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Only what to print."""
    add_format(parser)
    add_verbose(parser)


def run(args: argparse.Namespace) -> int:
    """Examine the machine and show the answer."""
    from profiler.collect.checkup import examine
    from profiler.present.health_tables import show

    health = examine()
    show(health, format_=args.format, verbose=args.verbose)
    return 0 if health.counts_instructions else MachineError.exit_code
