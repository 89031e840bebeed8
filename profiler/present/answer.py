"""The answer of a measured folder: concluded from its files, written beside them, shown on stdout."""

from __future__ import annotations

import sys
from pathlib import Path

from profiler.analyze.conclude import analyse
from profiler.folder import compress, json_document
from profiler.model import Verdict
from profiler.present import figures, finding, page, tables, terminal
from profiler.present.answer_sections import sections
from profiler.present.streams import answering
from profiler.present.view import view


def show(folder: Path, *, format_: str, verbose: bool = False) -> Verdict:
    """Write ``verdict.json``, CSVs, figures, ``report.html`` and ``finding.md`` into ``folder``; print the answer.

    Returns:
        What was shown.

    Raises:
        UsageError: ``folder`` is not a readable result folder.
        MachineError: the files cannot be written.
    """
    found = analyse(folder)
    verdict, run = found.verdict, found.run
    shown, folded = view(found), sections(verdict, run)
    tables.write(folder, verdict)
    tables.write_points(folder, found.points)
    pictures = figures.write(folder, verdict, shown)
    page.write(folder, found, shown, folded)
    finding.write(folder, found, shown, pictures)
    with answering(f"it is in {folder}; tax-probe report {folder} shows it again"):
        if format_ == "json":
            sys.stdout.write(json_document(verdict).decode())
        else:
            terminal.print_view(shown, folder, folded, verdict.warnings, verbose=verbose)
    return verdict


def keep(folder: Path) -> None:
    """Make ``folder`` small enough to be kept: what was recorded is compressed, the answer is made anew, and what
    ``show`` makes at any time, the CSVs and the page, goes.

    Raises:
        UsageError: ``folder`` is not a readable result folder.
        MachineError: the files cannot be written.
    """
    for place in (folder, *folder.glob("remedy/time-*")):
        compress(place)
    for made_again in (*folder.glob("figures/*"), *tables.csv_files(folder), folder / page.NAME):
        made_again.unlink(missing_ok=True)
    found = analyse(folder)
    tables.write_verdict(folder, found.verdict)
    shown = view(found)
    finding.write(folder, found, shown, figures.write(folder, found.verdict, shown))
