"""The samples of a target: how many are equal in each launcher, and each that is not, with its reason."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.text import Text

from profiler.folder import json_document
from profiler.model.sample_table import SampleTable
from profiler.present.markdown import to_markdown
from profiler.present.streams import answering
from profiler.present.table import Table, columns
from profiler.present.text import console, to_rich

_MARKS = {"equal": "=", "differs": "differs", "fails": "fails", "not reached": "not reached"}


def write_samples(folder: Path, answer: SampleTable) -> None:
    """``samples.json`` and ``samples.md`` in ``folder``."""
    (folder / "samples.json").write_bytes(json_document(answer, indent=0))
    lines = [f"# Samples on {answer.target}", "", f"Against {answer.reference}, bit for bit.", ""]
    for table in (_by_launcher(answer), unequal(answer), by_sample(answer)):
        lines += to_markdown(table, heading="##") if table.rows else ()
    (folder / "samples.md").write_text("\n".join(lines), encoding="utf-8")


def print_samples(folder: Path, answer: SampleTable, *, as_json: bool) -> None:
    """Write ``answer``, which is in ``folder``, to stdout.

    Raises:
        MachineError: stdout cannot be written to.
    """
    with answering(f"it is in {folder}"):
        if as_json:
            sys.stdout.write(json_document(answer).decode())
            return
        out = console()
        for table in (_by_launcher(answer), unequal(answer)):
            if table.rows:
                for part in to_rich(table, out.width):
                    out.print(part)
        out.print(Text(f"all of it: {folder / 'samples.md'}"), soft_wrap=True)


def _by_launcher(answer: SampleTable) -> Table:
    return Table(
        title=f"{answer.target}: samples equal bit for bit to {answer.reference}",
        columns=(*columns("name", "launcher"), *columns("figure", "equal", "of")),
        rows=tuple((name, str(answer.equal_in(name)), str(len(answer.samples))) for name in answer.launchers),
    )


def by_sample(answer: SampleTable) -> Table:
    """A row a sample, a column a launcher."""
    found = {(run.sample, run.launcher): _MARKS[run.outcome] for run in answer.runs}
    return Table(
        title="each sample in each launcher (=: equal bit for bit)",
        columns=(*columns("name", "sample"), *columns("word", *answer.launchers)),
        rows=tuple((name, *(found[name, launcher] for launcher in answer.launchers)) for name in answer.samples),
    )


def unequal(answer: SampleTable) -> Table:
    """Those that are not equal, each with its reason."""
    return Table(
        title="not equal",
        columns=(*columns("name", "sample", "launcher"), *columns("word", "how", "why")),
        rows=tuple(
            (run.sample, run.launcher, run.outcome, run.reason or "") for run in answer.runs if run.outcome != "equal"
        ),
    )
