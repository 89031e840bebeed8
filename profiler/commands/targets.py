"""``tax-probe targets``: each target beside this machine's own, what it needs and what of it is there."""

from __future__ import annotations

import argparse

from profiler.commands.flags import add_format


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and what to print."""
    parser.add_argument("target", nargs="*", metavar="TARGET", help="only these (default: all)")
    add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Look at the cache and at PATH, print, and return 0.

    Raises:
        UsageError: there is no such target.
    """
    from profiler.catalogue.targets import TARGETS, find_entry
    from profiler.present.targets_told import print_targets
    from profiler.provision.readiness import states

    entries = tuple(map(find_entry, dict.fromkeys(args.target))) or TARGETS
    print_targets(states(entries), as_json=args.format == "json")
    return 0
