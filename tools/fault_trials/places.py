"""A run that something happens to: its folders, how it is started, and what is left of it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from profiler.folder.marks import intact

TOP = Path(__file__).resolve().parents[2]
TAX_PROBE = (sys.executable, "-c", "from profiler.cli import entry; entry()")
KEY = ("block", "position", "pass", "launcher", "m", "repetition", "event")
EXACT = ("--source", "callgrind", "--launcher", "python3", "--m", "20,60", "--blocks", "1", "--host",
         f"checked={Path(__file__).with_name('checked_host')} {{script}} {{m}}")  # fmt: skip
"""With a host of another cost than the baseline's: else all that is compared is the baseline with itself."""
CHUNKS = ("--source", "software", "--launcher", "python3", "--blocks", "4")
TIMED = ("--source", "software", "--launcher", "python3", "--blocks", "1", "--m", "20,60")
GENEROUS_S = 900


class Place:
    """One run, however often it is begun."""

    def __init__(self, folder: Path, plan: tuple[str, ...]) -> None:
        self.folder, self.out = folder, folder / "out"
        # One for all of them, one after the other, and one folder for the lock: what an interpreter's start-up counts
        # depends on the paths and the variables that it sees.
        self.temporary = folder.parent / "tmp"
        folder.mkdir()
        self.temporary.mkdir(exist_ok=True)
        self.plan = plan
        self.env: dict[str, str] = {}
        """Beside our own."""

    @property
    def result(self) -> Path | None:
        """The result folder, once there is one that can be resumed."""
        found = [path for path in self.out.glob("*") if (path / "run.json").exists()]
        return found[0] if found else None

    def start(self, *more: str, before: Callable[[], object] | None = None, **streams: Any) -> subprocess.Popen[bytes]:
        """A run, or the rest of the one that was begun; ``before`` runs in the process before the program does."""
        begun = ("--resume", str(self.result)) if self.result else ("--out", str(self.out), "--seed", "7", *self.plan)
        kept = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        return subprocess.Popen(  # type: ignore[return-value] # nobody asks for text among the streams
            (*TAX_PROBE, "ipc", *begun, *more),
            cwd=TOP,
            env=os.environ | {"TMPDIR": str(self.temporary), "TAX_PROBE_LOCK_DIR": str(self.folder.parent)} | self.env,
            start_new_session=True,
            preexec_fn=before,  # noqa: PLW1509 - we have one thread
            **(kept | streams),
        )

    def finish(self) -> str:
        """Carry it to its end; what it said where it failed."""
        with self.start() as child:
            _, said = child.communicate(timeout=GENEROUS_S)
        return "" if child.returncode == 0 else said.decode(errors="replace")

    def lines(self) -> list[bytes]:
        """Of rows that can be relied on."""
        path = self.result and self.result / "rows.csv"
        return intact(path.read_bytes()).data.splitlines() if path and path.exists() else []

    def rows(self) -> dict[tuple[str, ...], dict[str, str]]:
        """By what identifies a reading; a reading that stands twice is an error."""
        found = [dict(row) for row in csv.DictReader(line.decode() for line in self.lines())]
        keyed = {tuple(row[name] for name in KEY): row for row in found}
        if len(keyed) != len(found):
            raise AssertionError(f"{len(found) - len(keyed)} readings twice")
        return keyed

    def exact_verdict(self) -> list[tuple[str, str, float, str]]:
        """What it concludes from exact counts; of a plan without any, nothing."""
        if self.plan != EXACT:
            return []
        assert self.result is not None
        verdict = msgspec.json.decode((self.result / "verdict.json").read_bytes())
        found = sorted(
            (one["launcher"], one["metric"], one["ratio"], one["verdict"])
            for one in verdict["comparisons"]
            if one["metric"] == "instructions"
        )
        if not any(launcher == "checked" and ratio is not None and ratio > 1 for launcher, _, ratio, _ in found):
            raise AssertionError(f"the host does not cost more: {found}")
        return found

    def left_behind(self) -> Mapping[str, int]:
        """Processes and temporary folders that are still there after a while."""
        folders = len([path for path in self.temporary.iterdir() if path.is_dir()])
        return {"processes left": until_gone(self.temporary), "temporary folders left": folders}


def processes_of(folder: Path) -> list[int]:
    """Processes that run in or on what lies in ``folder``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(folder).encode() in (process / "cmdline").read_bytes() + (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


def until_gone(folder: Path, limit_s: float = 10.0) -> int:
    """How many of them are left after a while."""
    deadline = time.monotonic() + limit_s
    while (left := len(processes_of(folder))) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def undisturbed(folder: Path, plan: tuple[str, ...]) -> tuple[Place, float]:
    """A whole run of ``plan``, and how long it took in s."""
    place = Place(folder, plan)
    began = time.monotonic()
    said = place.finish()
    if said:
        raise AssertionError(said)
    return place, time.monotonic() - began


def compared(whole: Place, place: Place, losses: Counter[str]) -> None:
    """Note in what ``place``, which was carried to its end, is not the undisturbed run."""
    expected, found = whole.rows(), place.rows()
    losses["rows missing"] += len(expected.keys() - found.keys())
    losses["rows of no plan"] += len(found.keys() - expected.keys())
    losses["exact counts that differ"] += sum(
        row["value"] != found[key]["value"]
        for key, row in expected.items()
        if key in found and row["source"] == "callgrind"
    )
    losses["other verdicts"] += whole.exact_verdict() != place.exact_verdict()
