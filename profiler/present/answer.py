"""The answer of a measured folder: concluded from its files, written beside them, shown on stdout."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from profiler.analyze.conclude import conclude
from profiler.errors import MachineError
from profiler.folder import compress, load_run
from profiler.model import Verdict
from profiler.present import figures, finding, tables, terminal
from profiler.present.answer_sections import sections


def show(folder: Path, *, format_: str) -> Verdict:
    """Write ``verdict.json``, the CSVs, ``finding.md`` and the figures into ``folder``; print the answer.

    Returns:
        What was shown.

    Raises:
        UsageError: ``folder`` is not a readable result folder.
        MachineError: the files cannot be written.
    """
    verdict = conclude(folder)
    tables.write(folder, verdict)
    run = load_run(folder)
    pictures = figures.write(folder, sections(verdict, run))
    finding.write(folder, verdict, run, pictures)
    with _stdout(folder):
        if format_ == "json":
            sys.stdout.write(msgspec.json.format(msgspec.json.encode(verdict), indent=1).decode() + "\n")
        else:
            terminal.print_verdict(verdict, run, folder)
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
    verdict, run = conclude(folder), load_run(folder)
    tables.write_verdict(folder, verdict)
    finding.write(folder, verdict, run, figures.write(folder, sections(verdict, run)))


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
