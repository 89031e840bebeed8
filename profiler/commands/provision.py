"""``tax-probe provision``: bring what a target is made of into the user's cache, or remove it."""

from __future__ import annotations

import argparse
from contextlib import nullcontext

from profiler.errors import Interrupted, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which targets, and whether to bring or to remove them."""
    parser.add_argument("target", nargs="*", metavar="TARGET", help="as tax-probe targets lists them")
    parser.add_argument("--update", action="store_true", help="take the newest packages, not those resolved before")
    parser.add_argument("--gc", action="store_true", help="remove the targets (all, where none is named) instead")


def run(args: argparse.Namespace) -> int:
    """Provision, or remove, and say what came of it.

    Raises:
        UsageError: there is no such target, or none was named.
        MachineError: what is needed cannot be had here; with the remedy. The next call goes on. What is to be removed
            or updated may be measured just now.
    """
    from profiler.catalogue.targets import TARGETS, find_entry
    from profiler.present.progress import ProgressBar, tell
    from profiler.provision.debian_archive import archive_of
    from profiler.provision.host_step import with_hosts
    from profiler.provision.provisioner import provision, remove
    from profiler.system.run_lock import only_one_run

    entries = tuple(map(find_entry, dict.fromkeys(args.target)))
    if args.gc:
        with only_one_run():  # which may be of such a target
            freed = remove(entries or tuple(entry for entry in TARGETS if entry.reason is None))
        tell(f"removed {freed / 1e6:.0f} MB")
        return 0
    if not entries:
        raise UsageError("provision needs a target", hint="tax-probe targets lists them")
    try:
        # An update takes the older folders away, which may be measured just now.
        with only_one_run() if args.update else nullcontext(), ProgressBar() as bar:
            for entry in entries:
                found = provision(entry, archive_of(bar.say), bar.say, update=args.update)
                with_hosts(entry, found, bar.say)
                bar.say(
                    f"{entry.name} is provisioned: packages of {found.download_mb} MB, {found.disk_mb} MB on the disk; "
                    f"it took {found.seconds:.0f} s; tax-probe cross {entry.name}"
                )
    except KeyboardInterrupt as error:
        raise Interrupted(
            "interrupted; what was fetched is kept",
            hint=f"tax-probe provision {' '.join(args.target)}{' --update' if args.update else ''} goes on",
        ) from error
    return 0
