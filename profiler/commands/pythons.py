"""``tax-probe pythons``: every CPython of this machine, how each was built, and with ``--measure`` what that costs."""

from __future__ import annotations

import argparse

from profiler.commands.flags import add_format, add_verbose
from profiler.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which files, whether to run them, and the format."""
    parser.add_argument(
        "files", metavar="FILE", nargs="*", help="only these programs and libraries (default: all that are found)"
    )
    parser.add_argument(
        "--measure",
        action="store_true",
        help="run every program under callgrind and rank it (else files are read and none is run)",
    )
    parser.add_argument(
        "--workload",
        metavar="NAME|FILE.py",
        action="append",
        default=[],
        help="work of --measure (repeatable; default: int_loop and dynamic)",
    )
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="of hash seed, heap and environment")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=60.0, help="limit of one process")
    add_format(parser)
    add_verbose(parser)


def run(args: argparse.Namespace) -> int:
    """Find, read, count where that is asked for, print, and return 0.

    Raises:
        UsageError: a file that was named is none, a workload does not exist, or one is given without ``--measure``.
        MachineError: callgrind does not work here.
        WorkloadError: a workload's M cannot be calibrated.
    """
    import os

    from profiler.launch.embedders import ROOTS
    from profiler.launch.installed_pythons import installed_pythons, named_files, sightings, usual_places
    from profiler.present.inspection_tables import scanning
    from profiler.present.pythons_told import print_pythons
    from profiler.system.home import home_folder

    if args.workload and not args.measure:
        raise UsageError("--workload is the work of --measure", hint="add --measure, which runs every program")
    if args.timeout <= 0:
        raise UsageError(f"--timeout must be above 0, not {args.timeout:g}", hint="for example --timeout 60")
    with scanning() as progress:
        found = named_files(args.files) if args.files else sightings(usual_places(home_folder(), os.environ))
        answer = installed_pythons(found, () if args.files else ROOTS, progress)
    if args.measure:
        from profiler.commands.counting import counted

        answer = counted(answer, tuple(args.workload), seed=args.seed, timeout_s=args.timeout)
    print_pythons(answer, as_json=args.format == "json", verbose=args.verbose)
    return 0
