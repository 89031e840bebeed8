"""``tax-probe attach``: a result's tables, figures and data in somebody's own finding, and whether they still fit."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The result, the finding, and whether it is only checked."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="a result folder")
    parser.add_argument("finding", type=Path, metavar="FILE.md", help="a Markdown file, with markers or without")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 6 if it does not fit its data")


def run(args: argparse.Namespace) -> int:
    """Refresh or check, and print what was written."""
    from profiler.folder.consistent import consistent
    from profiler.present.attached import attach

    with consistent(args.folder):
        attach(args.folder, args.finding, check=args.check)
    return 0
