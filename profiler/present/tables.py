"""``verdict.json``, ``summary.csv``, ``causes.csv`` and ``points.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from profiler.analyze.points import Points
from profiler.folder import json_document, write_result
from profiler.model import Cause, Comparison, Noun, Verdict
from profiler.present.visible import visible

_SUMMARY, _CAUSES, _POINTS = "summary.csv", "causes.csv", "points.csv"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""With one of these a spreadsheet takes a text for a formula: an apostrophe before it says that it is none."""


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
    write_result(folder, "verdict.json", json_document(verdict))


def write_points(folder: Path, points: Sequence[Points]) -> None:
    """Write ``points.csv``: a line for each block of each comparison that answers the question, in the metric's unit.

    Raises:
        MachineError: the folder cannot be written to.
    """
    lines = (
        (block, point.baseline, point.launcher, point.metric, base, here, here / base if base > 0 else None)
        for point in points
        for block, base, here in zip(point.blocks, point.base, point.here, strict=True)
    )
    head = ("block", "baseline", "launcher", "metric", "baseline_value", "value", "ratio")
    write_result(folder, _POINTS, _lines(head, lines))


def csv_files(folder: Path) -> tuple[Path, ...]:
    """Where the CSVs stand."""
    return (*(folder / name for name in CSVS), folder / _POINTS)


def _csv(kind: type[Noun], nouns: Sequence[Noun]) -> bytes:
    names = kind.__struct_fields__
    return _lines(kind.__struct_encode_fields__, ([getattr(noun, name) for name in names] for noun in nouns))


def _lines(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode(errors="replace")


def _cell(value: object) -> object:
    """What is unknown is empty, and no text is a formula."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    return f"'{visible(value)}" if value.startswith(_FORMULA) else visible(value)


CSVS: dict[str, Callable[[Verdict], bytes]] = {
    _SUMMARY: lambda verdict: _csv(Comparison, verdict.comparisons),
    _CAUSES: lambda verdict: _csv(Cause, verdict.causes),
}
"""Each file that is made of the verdict alone, and what makes it."""
