"""What ``tax-probe doctor`` answers."""

from __future__ import annotations

from typing import Any, Literal

from profiler.model.base import Noun, SourceName


class Check(Noun, frozen=True, kw_only=True):
    """One thing that was looked at. A ``note`` may disturb figures, a ``problem`` prevents some."""

    topic: str
    status: Literal["ok", "note", "problem"]
    finding: str
    remedy: str | None = None


class EventCheck(Noun, frozen=True, kw_only=True):
    """Who can read one event of the catalogue here."""

    event: str
    title: str
    hardware: str | None
    """What is asked of perf, or None."""
    why_not: str | None
    """Why hardware cannot count it."""
    callgrind: Literal["exact", "simulated"] | None
    timed: bool
    """Read from bare runs by every source but hardware, or by the script in its own process."""
    qemu: Literal["exact", "modelled"] | None = None
    note: str | None = None
    """What hardware counts under this name, where that is not what the title says."""


class TargetCheck(Noun, frozen=True, kw_only=True):
    """One CPython of this machine, with what an embedder would link."""

    path: str
    version: str | None
    program_loads: str | None
    shared_library: str | None
    static_library: str | None
    pic_library: str | None
    include_dir: str | None
    problem: str | None


class Health(Noun, frozen=True, kw_only=True):
    """The whole answer (``--format json``)."""

    schema: str
    command: str
    source: SourceName
    """What ``--source auto`` takes."""
    source_sentence: str
    counts_instructions: bool
    checks: tuple[Check, ...]
    events: tuple[EventCheck, ...]
    targets: tuple[TargetCheck, ...]
    machine: dict[str, Any]
