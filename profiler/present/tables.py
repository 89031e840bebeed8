"""``verdict.json``, ``summary.csv`` and ``causes.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import msgspec

from profiler.folder import write_result
from profiler.model import Cause, Comparison, Noun, Verdict


def write(folder: Path, verdict: Verdict) -> None:
    """Write the three files.

    Raises:
        MachineError: the folder cannot be written to.
    """
    document = msgspec.json.format(msgspec.json.encode(verdict), indent=1) + b"\n"
    write_result(folder, "verdict.json", document)
    write_result(folder, "summary.csv", _csv(Comparison, verdict.comparisons))
    write_result(folder, "causes.csv", _csv(Cause, verdict.causes))


def _csv(kind: type[Noun], nouns: Sequence[Noun]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(kind.__struct_fields__)
    for noun in nouns:
        values = (getattr(noun, name) for name in kind.__struct_fields__)
        writer.writerow("" if value is None else value for value in values)
    return text.getvalue().encode()
