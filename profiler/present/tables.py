"""``verdict.json``, ``summary.csv`` and ``causes.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from profiler.folder import write_result
from profiler.model import Cause, Comparison, Noun, Verdict

_SUMMARY, _CAUSES = "summary.csv", "causes.csv"


def write(folder: Path, verdict: Verdict) -> None:
    """Write the three files.

    Raises:
        MachineError: the folder cannot be written to.
    """
    write_verdict(folder, verdict)
    for name, made in CSVS.items():
        write_result(folder, name, made(verdict))


def write_verdict(folder: Path, verdict: Verdict) -> None:
    """Write ``verdict.json`` alone.

    Raises:
        MachineError: the folder cannot be written to.
    """
    write_result(folder, "verdict.json", msgspec.json.format(msgspec.json.encode(verdict), indent=1) + b"\n")


def csv_files(folder: Path) -> tuple[Path, ...]:
    """Where the two CSVs stand."""
    return tuple(folder / name for name in CSVS)


def _csv(kind: type[Noun], nouns: Sequence[Noun]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(kind.__struct_encode_fields__)
    for noun in nouns:
        values = (getattr(noun, name) for name in kind.__struct_fields__)
        writer.writerow("" if value is None else value for value in values)
    return text.getvalue().encode()


CSVS: dict[str, Callable[[Verdict], bytes]] = {
    _SUMMARY: lambda verdict: _csv(Comparison, verdict.comparisons),
    _CAUSES: lambda verdict: _csv(Cause, verdict.causes),
}
"""Each file, and what makes it."""
