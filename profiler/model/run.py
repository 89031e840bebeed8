"""``run.json``: what a later analysis needs beside the readings."""

from __future__ import annotations

from typing import Any

from profiler.model.base import Caveat, Noun
from profiler.model.installed import InstalledPython
from profiler.model.plan import Plan
from profiler.model.target import Target
from profiler.model.verdict import Cause


class Missing(Noun, frozen=True, kw_only=True):
    """An event that this machine cannot count, with the reason and where known the remedy."""

    event: str
    reason: str


class Run(Noun, frozen=True, kw_only=True):
    """``run.json``: everything but the readings that a later analysis needs."""

    schema: str
    command: str
    argv: tuple[str, ...]
    started_utc: str
    target: Target
    plan: Plan
    source_sentence: str
    missing: tuple[Missing, ...]
    machine: dict[str, Any]
    interpreters: dict[str, Any]
    """What ``inspect`` says of the target's files."""
    builds: tuple[dict[str, Any], ...]
    fingerprints: dict[str, dict[str, Any]]
    """What each launcher is from inside (``collect.fingerprint``), by launcher; empty before the first check."""
    warnings: tuple[Caveat, ...]
    measured_s: float | None
    """Wall time of measuring; None while it runs or after an interruption."""
    measured_so_far_s: float | None = None
    """The same of all sessions until now, as of the last block that was completed; None before."""
    per_launch_ms: float | None = None
    """The user's own work per launch, for the advice of ``amortize``."""
    rebuilt: dict[str, Any] | None = None
    """A ``factorial.Rebuilt`` where launchers run libraries that were built for this run."""
    known_causes: tuple[Cause, ...] = ()
    """Verdicts on build options that ``rebuild`` reached before, of these very files and this workload."""
    eval_loops: tuple[InstalledPython, ...] = ()
    """What the files are whose eval loops ran, each once; empty in older folders, and where nobody saw whose it was."""
    remedy: dict[str, Any] | None = None
    """A ``factorial.Remedy`` where one was asked for."""
    lines: int | None = None
    """How many lines of rows ``rows.csv`` held when this was written, so at least; None: nobody said yet."""
    matched_revision: str | None = None
    """Of the files that ran in the place of the installed ones, because these have symbols; None: there were none."""
    tool_version: str | None = None
    """Of tax-probe when the run began; None: it did not say yet."""
    programs: dict[str, str] | None = None
    """SHA-256, hex, by path: of each launcher's program, and of files that it maps and that have no build-id; None
    before the first check."""
    seal: str | None = None
    """That a user began this run, and what it starts (``folder.seal``); None: nobody can tell."""
