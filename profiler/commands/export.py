"""``tax-probe export``: a result folder for other tools: pyperf's commands, KCachegrind, speedscope, Parquet."""

from __future__ import annotations

import argparse
from pathlib import Path

from profiler.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder, what to write, and where."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="a result folder")
    parser.add_argument("--pyperf", action="store_true", help="a benchmark file per launcher, for pyperf's commands")
    parser.add_argument("--parquet", action="store_true", help="rows.parquet and comparisons.parquet (needs pyarrow)")
    parser.add_argument(
        "--callgrind", action="store_true", help="of a drill-down: a file per launcher, for KCachegrind"
    )
    parser.add_argument("--speedscope", action="store_true", help="of a drill-down: both sides and their difference")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where to (default: export/ in the result folder)")


def run(args: argparse.Namespace) -> int:
    """Write what is asked for, print where.

    Raises:
        UsageError: nothing is asked for.
    """
    from profiler.folder.consistent import consistent
    from profiler.present.exported import export

    wanted = [kind for kind in ("pyperf", "parquet", "callgrind", "speedscope") if getattr(args, kind)]
    if not wanted:
        raise UsageError(
            "nothing to export",
            hint=f"tax-probe export {args.folder} --pyperf, --parquet, or of a drill-down --callgrind, --speedscope",
        )
    with consistent(args.folder):
        export(args.folder, wanted, out=args.out)
    return 0
