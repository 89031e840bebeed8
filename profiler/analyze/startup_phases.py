"""Where a launch goes: the phases of each launcher's start, and what interventions change in them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from profiler.analyze.stats import mean_interval
from profiler.model import PHASED, PHASES, Run
from profiler.model.startup import Changed, Phase, Startup, Sum

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

_MS = 1e-6
SITE = "site"
_NO_SITE = "no-site"
WHOLE = "whole"
_UNCUT = "whole-time"


def split_startup(run: Run, frame: pd.DataFrame) -> Startup:
    """The passes that cut processes into phases, block by block."""
    cut = frame["kind"] == PHASED
    rows = frame[cut].dropna(subset=["value"]).astype({"pass": str, "launcher": str, "event": str})
    table = _least_disturbed(rows).pivot_table(index="block", columns=["launcher", "event"], values="value")
    bases = [launcher.name for launcher in run.plan.launchers if launcher.variant is None and launcher.role != "twin"]
    without_site = {
        launcher.variant.of: launcher.name
        for launcher in run.plan.launchers
        if launcher.variant is not None and launcher.variant.intervention == _NO_SITE
    }
    native = frame[~cut & (frame["m"] == 1)].dropna(subset=["value"])
    return Startup(
        phases=tuple(
            Phase(launcher=base, phase=phase, **_cost(partial(_told, table, base, without_site.get(base), phase)))
            for base in bases
            for phase in ("loading", "core", SITE, *PHASES[2:])
        ),
        sums=tuple(_sum(table, native, base) for base in bases),
        interventions=tuple(
            Changed(
                launcher=launcher.variant.of,
                intervention=launcher.variant.intervention,
                phase=phase,
                **_cost(partial(_change, table, launcher.name, launcher.variant.of, phase)),
            )
            for launcher in run.plan.launchers
            if launcher.variant is not None
            for phase in (*PHASES, WHOLE)
        ),
    )


def _least_disturbed(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each launcher, pass and block the run that took least in all: what disturbs a run only ever adds to it."""
    run = ["pass", "block", "launcher", "repetition"]
    totals = rows.groupby(run)["value"].sum()
    least = totals.loc[totals.groupby(run[:-1]).idxmin().tolist()].index if len(totals) else totals.index
    return rows[rows.set_index(run).index.isin(least)]


def _cost(column: Callable[[str], pd.Series[float] | None]) -> dict[str, float | None]:
    counted, _, _ = _mean(column("instructions"))
    spent, lo, hi = _mean(column("time"))
    return {"instructions": counted, "cpu_ms": _ms(spent), "cpu_ms_lo": _ms(lo), "cpu_ms_hi": _ms(hi)}


def _sum(table: pd.DataFrame, native: pd.DataFrame, launcher: str) -> Sum:
    added, uncut = _whole(table, launcher, "time"), _of(table, launcher, _UNCUT)
    missing = (None, None, None) if added is None or uncut is None else _mean(added / uncut - 1)
    counted = native[(native["launcher"] == launcher) & (native["event"] == "instructions")]["value"]
    return Sum(
        launcher=launcher,
        instructions=_mean(_whole(table, launcher, "instructions"))[0],
        instructions_uncut=None if counted.empty else float(counted.median()),
        cpu_ms=_ms(_mean(added)[0]),
        cpu_ms_uncut=_ms(_mean(uncut)[0]),
        missing=missing[0],
        missing_lo=missing[1],
        missing_hi=missing[2],
    )


def _told(
    table: pd.DataFrame, launcher: str, without_site: str | None, phase: str, unit: str
) -> pd.Series[float] | None:
    core = _of(table, launcher, f"core-{unit}")
    without = None if without_site is None else _of(table, without_site, f"core-{unit}")
    if phase == SITE:
        return None if core is None or without is None else core - without
    if phase == "core" and without is not None:
        return without
    return _of(table, launcher, f"{phase}-{unit}")


def _whole(table: pd.DataFrame, launcher: str, unit: str) -> pd.Series[float] | None:
    parts = [_of(table, launcher, f"{phase}-{unit}") for phase in PHASES]
    known = [part for part in parts if part is not None]
    return sum(known[1:], known[0]) if len(known) == len(parts) else None


def _change(table: pd.DataFrame, launcher: str, base: str, phase: str, unit: str) -> pd.Series[float] | None:
    with_, without = (
        _whole(table, name, unit) if phase == WHOLE else _of(table, name, f"{phase}-{unit}")
        for name in (launcher, base)
    )
    return None if with_ is None or without is None else with_ - without


def _of(table: pd.DataFrame, launcher: str, event: str) -> pd.Series[float] | None:
    return table[launcher, event] if (launcher, event) in table.columns else None


def _mean(column: pd.Series[float] | None) -> tuple[float | None, float | None, float | None]:
    values = [] if column is None else column.dropna().tolist()
    return mean_interval(values) if values else (None, None, None)


def _ms(ns: float | None) -> float | None:
    return None if ns is None else ns * _MS
