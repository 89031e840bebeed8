"""Where a launch goes: the phases of each launcher's start, and what interventions change in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profiler.model import AGAIN, PHASES, Noun, Run

if TYPE_CHECKING:
    import pandas as pd

_MS = 1e-6
SITE = "site"
_NO_SITE = "no-site"
WHOLE = "whole"


class Phase(Noun, frozen=True, kw_only=True):
    """One phase of one launcher; None where it could not be told.

    ``site`` is the part of initialisation that goes without the site module, and ``core`` the rest of it; where the
    launcher cannot leave site out, ``site`` is None and ``core`` holds both.
    """

    launcher: str
    phase: str
    instructions: float | None
    cpu_ms: float | None


class Sum(Noun, frozen=True, kw_only=True):
    """The phases added up, and the same launcher run as it is, not cut: they differ by the marks of the script."""

    launcher: str
    instructions: float | None
    instructions_uncut: float | None
    cpu_ms: float | None
    cpu_ms_uncut: float | None
    """Includes fork and exec, which no phase does."""


class Changed(Noun, frozen=True, kw_only=True):
    """What an intervention changes in one phase, or in the ``whole``: with it less without it."""

    launcher: str
    intervention: str
    phase: str
    instructions: float | None
    cpu_ms: float | None


class Startup(Noun, frozen=True, kw_only=True):
    """All about the start."""

    phases: tuple[Phase, ...]
    sums: tuple[Sum, ...]
    interventions: tuple[Changed, ...]


def split_startup(run: Run, frame: pd.DataFrame) -> Startup:
    """Medians over runs, of the passes that cut processes into phases."""
    cut = {what.name for what in run.plan.passes if what.phases}
    rows = frame[frame["pass"].isin(cut)].dropna(subset=["value"])
    medians = rows.groupby(["launcher", "event"], observed=True)["value"].median().reset_index()
    median = {
        (str(launcher), str(event)): float(value)
        for launcher, event, value in medians[["launcher", "event", "value"]].itertuples(index=False)
    }
    bases = [one for one in run.plan.launchers if one.base is None and one.name != AGAIN]
    phases = tuple(
        Phase(
            launcher=base.name,
            phase=phase,
            instructions=_told(median, base.name, phase, "instructions"),
            cpu_ms=_scaled(_told(median, base.name, phase, "time")),
        )
        for base in bases
        for phase in ("loading", "core", SITE, *PHASES[2:])
    )
    uncut = frame[~frame["pass"].isin(cut) & (frame["m"] == 1)].dropna(subset=["value"])
    return Startup(
        phases=phases,
        sums=tuple(
            Sum(
                launcher=base.name,
                instructions=_whole(median, base.name, "instructions"),
                instructions_uncut=_uncut(uncut, base.name, "instructions"),
                cpu_ms=_scaled(_whole(median, base.name, "time")),
                cpu_ms_uncut=_scaled(_uncut(uncut, base.name, "task-clock")),
            )
            for base in bases
        ),
        interventions=tuple(
            Changed(
                launcher=one.base,
                intervention=one.factor,
                phase=phase,
                instructions=_change(median, one.name, one.base, phase, "instructions"),
                cpu_ms=_scaled(_change(median, one.name, one.base, phase, "time")),
            )
            for one in run.plan.launchers
            if one.base is not None and one.factor is not None
            for phase in (*PHASES, WHOLE)
        ),
    )


Medians = dict[tuple[str, str], float]


def _told(median: Medians, launcher: str, phase: str, unit: str) -> float | None:
    core, without = (median.get((name, f"core-{unit}")) for name in (launcher, f"{launcher}+{_NO_SITE}"))
    if phase == SITE:
        return None if core is None or without is None else core - without
    if phase == "core" and without is not None:
        return without
    return median.get((launcher, f"{phase}-{unit}"))


def _whole(median: Medians, launcher: str, unit: str) -> float | None:
    parts = [median.get((launcher, f"{phase}-{unit}")) for phase in PHASES]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _change(median: Medians, launcher: str, base: str, phase: str, unit: str) -> float | None:
    with_, without = (
        _whole(median, name, unit) if phase == WHOLE else median.get((name, f"{phase}-{unit}"))
        for name in (launcher, base)
    )
    return None if with_ is None or without is None else with_ - without


def _uncut(rows: pd.DataFrame, launcher: str, event: str) -> float | None:
    found = rows[(rows["launcher"] == launcher) & (rows["event"] == event)]["value"]
    return None if found.empty else float(found.median())


def _scaled(ns: float | None) -> float | None:
    return None if ns is None else ns * _MS
