"""``tax-probe inspect``: which file the eval loop comes from, and how that file was built; nothing named is run."""

from __future__ import annotations

import argparse

from profiler.commands.flags import add_format, add_verbose
from profiler.errors import UsageError

HELP = "which file the eval loop comes from, and how it was built; runs and measures nothing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Files, another root or the whole system, and the format."""
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="*",
        help="programs, libraries, extension modules or static archives to read (default: the distribution's python3)",
    )
    parser.add_argument(
        "--root",
        metavar="DIR",
        help="read the files of a container or chroot: FILE inside it, or all interpreters and libpythons below it; "
        "links are followed inside it",
    )
    parser.add_argument(
        "--system", action="store_true", help="list installed programs and plugins that load a libpython instead"
    )
    add_format(parser)
    add_verbose(parser)


def run(args: argparse.Namespace) -> int:
    """Inspect, print, and return 0. Files are read and never run.

    Raises:
        UsageError: a file is neither ELF nor a static archive, or is damaged; ``--system`` comes with files.
    """
    from profiler.launch.file_inspection import together
    from profiler.launch.file_reading import inspect_file, inspect_root
    from profiler.present.inspection_tables import print_inspection, scanning
    from profiler.system.rooted import Rooted

    if args.system and (args.file or args.root):
        raise UsageError("--system inspects the whole system, not single files", hint="leave out one of the two")
    at = Rooted(args.root or "/")
    if args.system:
        from profiler.launch.embedders import inspect_system

        with scanning() as progress:
            inspection = inspect_system(progress)
    elif args.root and not args.file:
        inspection = inspect_root(at)
    else:
        inspection = together([inspect_file(path, at) for path in args.file or [None]])
    print_inspection(inspection, as_json=args.format == "json", verbose=args.verbose)
    return 0
