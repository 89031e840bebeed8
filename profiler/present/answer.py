"""The answer of a measured folder: concluded from its files, written beside them, shown on stdout."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from profiler.analyze.conclude import analyse
from profiler.errors import GateFailed, MachineError
from profiler.folder import compress
from profiler.model import AGAIN, BASELINE, Verdict
from profiler.present import figures, finding, page, tables, terminal
from profiler.present.answer_sections import sections
from profiler.present.view import view


def show(folder: Path, *, format_: str, max_ratio: float | None, verbose: bool = False) -> int:
    """Write ``verdict.json``, CSVs, figures, ``report.html`` and ``finding.md`` into ``folder``; print the answer.

    Returns:
        The exit code 0.

    Raises:
        UsageError: ``folder`` is not a readable result folder.
        MachineError: the files cannot be written.
        GateFailed: a launcher is proven to exceed ``max_ratio``.
    """
    found = analyse(folder)
    verdict, run = found.verdict, found.run
    shown, folded = view(found), sections(verdict, run)
    tables.write(folder, verdict)
    tables.write_points(folder, found.points)
    pictures = figures.write(folder, verdict, shown)
    page.write(folder, found, shown, folded)
    finding.write(folder, found, shown, pictures)
    with _stdout(folder):
        if format_ == "json":
            sys.stdout.write(msgspec.json.format(msgspec.json.encode(verdict), indent=1).decode() + "\n")
        else:
            terminal.print_view(shown, folder, folded, verdict.warnings, verbose=verbose)
    if max_ratio is not None:
        _gate(verdict, max_ratio)
    return 0


def keep(folder: Path) -> None:
    """Make ``folder`` small enough to be kept: what was recorded is compressed, the answer is made anew, and what
    ``show`` makes at any time, the CSVs and the page, goes.

    Raises:
        UsageError: ``folder`` is not a readable result folder.
        MachineError: the files cannot be written.
    """
    compress(folder)
    for made_again in (*folder.glob("figures/*"), *tables.csv_files(folder), folder / page.NAME):
        made_again.unlink(missing_ok=True)
    found = analyse(folder)
    tables.write_verdict(folder, found.verdict)
    shown = view(found)
    finding.write(folder, found, shown, figures.write(folder, found.verdict, shown))


@contextmanager
def _stdout(folder: Path) -> Iterator[None]:
    """Printing may fail (a full disk behind ``>``); a reader that left is the command line's matter."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is buffered cannot be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise MachineError(
            f"cannot write the answer to stdout: {error.strerror}",
            hint=f"it is in {folder}; tax-probe report {folder} shows it again",
        ) from error


def _gate(verdict: Verdict, max_ratio: float) -> None:
    counted = any(c.metric == "instructions" and c.ratio is not None for c in verdict.comparisons)
    metric = "instructions" if counted else "wall"
    failed = [
        f"{c.launcher} {c.ratio:.4f} ({c.lo:.4f} to {c.hi:.4f})"
        for c in verdict.comparisons
        if c.metric == metric and c.baseline == BASELINE and c.launcher != AGAIN
        if c.ratio is not None and c.lo is not None and c.hi is not None and c.lo > max_ratio
    ]
    if failed:
        raise GateFailed(
            f"{metric} per iteration exceed {max_ratio:g} times the baseline's: {', '.join(failed)}",
            hint="take back what made it slower, or give --max-ratio the bound that you accept",
        )
