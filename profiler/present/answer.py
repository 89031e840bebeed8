"""The answer of a measured folder: concluded from its files, written beside them, shown on stdout."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from profiler.analyze.conclude import analyse
from profiler.folder import compress
from profiler.model import Verdict
from profiler.present import figures, finding, tables, terminal
from profiler.present.answer_sections import sections
from profiler.present.stdout import printing
from profiler.present.view import view


def show(folder: Path, *, format_: str, verbose: bool = False) -> Verdict:
    """Write ``verdict.json``, the CSVs, ``finding.md`` and the figures into ``folder``; print the answer.

    Returns:
        What was shown.

    Raises:
        UsageError: ``folder`` is not a readable result folder.
        MachineError: the files cannot be written.
    """
    found = analyse(folder)
    verdict, run = found.verdict, found.run
    tables.write(folder, verdict)
    pictures = figures.write(folder, sections(verdict, run))
    shown = view(found)
    finding.write(folder, found, shown, pictures)
    with printing(f"it is in {folder}; tax-probe report {folder} shows it again"):
        if format_ == "json":
            sys.stdout.write(msgspec.json.format(msgspec.json.encode(verdict), indent=1).decode() + "\n")
        else:
            terminal.print_view(shown, folder, sections(verdict, run), verdict.warnings, verbose=verbose)
    return verdict


def keep(folder: Path) -> None:
    """Make ``folder`` small enough to be kept: what was recorded is compressed, the answer is made anew, and the CSVs,
    which ``show`` makes at any time, go.

    Raises:
        UsageError: ``folder`` is not a readable result folder.
        MachineError: the files cannot be written.
    """
    compress(folder)
    for made_again in (*folder.glob("figures/*"), *tables.csv_files(folder)):
        made_again.unlink(missing_ok=True)
    found = analyse(folder)
    tables.write_verdict(folder, found.verdict)
    finding.write(folder, found, view(found), figures.write(folder, sections(found.verdict, found.run)))
