"""``tax-probe inspect``: which file the eval loop comes from, and how that file was built."""

from __future__ import annotations

import argparse

from profiler.commands.flags import add_format, add_verbose
from profiler.errors import UsageError

HELP = "which file the eval loop comes from, and how it was built; measures nothing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Targets or the whole system, and the format."""
    parser.add_argument(
        "python", metavar="PYTHON", nargs="*", help="interpreters to inspect (default: the distribution's python3)"
    )
    parser.add_argument(
        "--system", action="store_true", help="list installed programs and plugins that load a libpython instead"
    )
    add_format(parser)
    add_verbose(parser)


def run(args: argparse.Namespace) -> int:
    """Inspect, print, and return 0.

    Raises:
        UsageError: a target is not the ELF program of a CPython, or ``--system`` comes with targets.
    """
    from profiler.launch.file_inspection import inspect_target, together
    from profiler.launch.interpreters import resolve_target
    from profiler.present.inspection_tables import print_inspection, scanning

    if args.system and args.python:
        raise UsageError("--system inspects the whole system, not single interpreters", hint="leave out one of the two")
    if args.system:
        from profiler.launch.embedders import inspect_system

        with scanning() as progress:
            inspection = inspect_system(progress)
    else:
        inspection = together([inspect_target(resolve_target(path)) for path in args.python or [None]])
    print_inspection(inspection, as_json=args.format == "json", verbose=args.verbose)
    return 0
