"""The table of all faults, kept line by line: those that are tried again replace theirs."""

from __future__ import annotations

import csv
import fcntl
from pathlib import Path

from tools.fault_trials.outcome import Result

_COLUMNS = ("name", "fault", "tries", "outcome", "lost", "command")
_FILE = "faults.csv"
_HEAD = """\
# Faults

What a measurement survives, what reads input from outside, and how often that was tried. Written by `make faults`; each
line can be repeated by its command. "nothing" is what must stand in the last column but one.

| fault | tries | outcome | lost or wrong | command |
|---|---:|---|---|---|
"""


def keep(out: Path, name: str, results: list[Result], command: str, order: list[str]) -> None:
    """Replace the lines of the fault ``name``; faults stand in their ``order``. Others may write at the same time."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / _FILE
    with path.open("a+", newline="") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        rows = [row for row in csv.DictReader(file) if row["name"] != name]
        rows += [{"name": name, "command": command} | result._asdict() for result in results]
        rows.sort(key=lambda row: order.index(row["name"]) if row["name"] in order else len(order))
        file.truncate(0)
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        lines = (
            f"| {row['fault']} | {row['tries']} | {row['outcome']} | {row['lost']} | `{row['command']}` |"
            for row in rows
        )
        (out / "README.md").write_text(_HEAD + "\n".join(lines) + "\n")
