"""``tax-probe compare``: what changed between runs of one workload, from their folders alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from profiler.commands.flags import add_format, add_gate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folders, the gates, and where the answer goes."""
    parser.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="result folders; the first is the reference, unless --baseline names it",
    )
    add_gate(
        parser,
        on="a launcher's METRIC is proven to exceed R times what it was in the reference",
        baseline="the reference; --max-ratio is then on what ratios to the baseline changed by, and not on costs",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="write compare.json and comparison.md below it")
    add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Compare, show, hold against the gates: on each launcher's own cost, or with ``--baseline`` on its tax.

    Raises:
        UsageError: a folder is none, or they are of different workloads.
        MachineError: the answer cannot be written, or what a gate is on is not known.
        GateFailed: a change is proven to exceed a gate.
    """
    from profiler.analyze.changes import across
    from profiler.analyze.gate import hold_changes
    from profiler.analyze.opened import opened
    from profiler.catalogue.gates import parse_gates
    from profiler.folder import new_folder
    from profiler.folder.consistent import consistent
    from profiler.present.across_told import show, write
    from profiler.present.gate_told import enforce

    gates = parse_gates(args.max_ratio)
    paths = [*([] if args.baseline is None else [Path(args.baseline)]), *args.folders]
    with consistent(*paths):
        document = across([opened(path) for path in paths])
    folder = None
    if args.out is not None:
        folder = new_folder(args.out, "compare")
        write(folder, document)
    show(document, format_=args.format, folder=folder)
    enforce(hold_changes(gates, document, "cost" if args.baseline is None else "tax"), f"those of {paths[0]}")
    return 0
