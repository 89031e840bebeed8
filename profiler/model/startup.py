"""Where a launch goes: the phases of each launcher's start, and what interventions change in them."""

from __future__ import annotations

from profiler.model.base import Noun


class Cost(Noun, frozen=True, kw_only=True):
    """Means over blocks of each block's least disturbed run; None where it could not be told."""

    instructions: float | None
    cpu_ms: float | None
    cpu_ms_lo: float | None
    cpu_ms_hi: float | None


class Phase(Cost, frozen=True, kw_only=True):
    """One phase of one launcher.

    ``site`` is the part of initialisation that goes without the site module, and ``core`` the rest of it; where the
    launcher cannot leave site out, ``site`` is None and ``core`` holds both.
    """

    launcher: str
    phase: str


class Sum(Noun, frozen=True, kw_only=True):
    """The phases added up, and the same launcher not cut.

    In instructions the latter runs the workload's own file, in time the marked script under the same tracer: from exec
    to the end. ``missing`` is the part of that time by which the sum differs from it.
    """

    launcher: str
    instructions: float | None
    instructions_uncut: float | None
    cpu_ms: float | None
    cpu_ms_uncut: float | None
    missing: float | None
    missing_lo: float | None
    missing_hi: float | None


class Changed(Cost, frozen=True, kw_only=True):
    """What an intervention changes in one phase, or in the ``whole``: with it less without it."""

    launcher: str
    intervention: str
    phase: str


class Startup(Noun, frozen=True, kw_only=True):
    """All about the start."""

    phases: tuple[Phase, ...]
    sums: tuple[Sum, ...]
    interventions: tuple[Changed, ...]
