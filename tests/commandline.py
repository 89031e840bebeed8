"""The command line as its users meet it: exit code, stdout and stderr of ``main``, and the files it leaves behind."""

import csv
import io
import json
import os
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from profiler.cli import main

GENEROUS_S = 120
ENTRY = """
import os, signal
# Whoever starts the tests in the background (a shell without job control does) has them ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["TAX_PROBE_TEST_PID"] = str(os.getpid())
from profiler.cli import entry
entry()
"""
"""The console script, which tells the workload whom to signal."""

SMALL = ("--launcher", "python3", "--m", "5,10", "--seed", "11")
"""The target alone, a few milliseconds of work: for what does not depend on the figures."""


class Ran(NamedTuple):
    """One finished command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document that stdout is; fails when there is anything else on it."""
        return json.loads(self.out)


class TaxProbe:
    """Runs commands in this process, with results under ``out``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        """With a lock and temporary files of its own below ``folder``, so that tests can run side by side."""
        self.out = folder / "out"
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        monkeypatch.setenv("TMPDIR", str(self.temporary))
        monkeypatch.setattr(tempfile, "tempdir", str(self.temporary))
        for name in [name for name in os.environ if name.startswith("PYTHON") and name != "PYTHONPATH"]:
            monkeypatch.delenv(name)

    def __call__(self, *argv: str) -> Ran:
        """Run one command as given."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = main(argv)
            except SystemExit as leaving:
                code = int(leaving.code or 0)
        return Ran(code, out.getvalue(), err.getvalue())

    def ipc(self, *argv: str) -> Ran:
        """``ipc`` with its results in ``out``."""
        return self("ipc", "--out", str(self.out), *argv)

    def folders(self) -> list[Path]:
        """The result folders so far, oldest first."""
        return sorted(self.out.iterdir()) if self.out.exists() else []

    def folder(self) -> Path:
        """The only result folder."""
        (found,) = self.folders()
        return found


def in_a_process(*argv: str, before: str = "", **options: Any) -> Ran:
    """Run a command in a process of its own; ``before`` is Python that runs first there."""
    done = subprocess.run(
        [sys.executable, "-c", f"{before}\n{ENTRY}", *argv],
        env=os.environ,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=GENEROUS_S,
        check=False,
        **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options),
    )
    return Ran(done.returncode, done.stdout or "", done.stderr or "")


def rows(folder: Path) -> list[dict[str, str]]:
    """``rows.csv``, one dictionary a line."""
    with (folder / "rows.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def reading_keys(folder: Path) -> list[tuple[str, ...]]:
    """What identifies each reading: equal lists for two folders mean the same plan, none repeated and none lost."""
    names = ("block", "position", "pass", "launcher", "m", "repetition", "event")
    return sorted(tuple(row[name] for name in names) for row in rows(folder))


def comparison(verdict: Any, launcher: str, metric: str, baseline: str = "python3") -> dict[str, Any]:
    """One comparison of a verdict document."""
    (found,) = (
        one
        for one in verdict["comparisons"]
        if (one["baseline"], one["launcher"], one["metric"]) == (baseline, launcher, metric)
    )
    return dict(found)


def assert_refused(ran: Ran, code: int, *words: str) -> None:
    """It ended with ``code``, nothing on stdout, and a message with its remedy that holds ``words``; no bug of ours."""
    assert ran.code == code, ran.err
    assert ran.out == ""
    assert "profiler/" not in ran.err, "a traceback of ours"
    assert "tax-probe: " in ran.err
    missing = [word for word in words if word not in ran.err]
    assert not missing, f"{missing} not in:\n{ran.err}"
    assert "\n  → " in ran.err, f"no remedy:\n{ran.err}"


def script(folder: Path, text: str, name: str = "load.py") -> str:
    """A workload with this text; returns its path."""
    path = folder / name
    path.write_text(text)
    return str(path)
