"""What ``amortize`` adds to the verdict: the points of the sweep, the model, the crossover, and advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from profiler.analyze.advice import advise
from profiler.analyze.crossover import (
    BreakEven,
    Estimate,
    Sample,
    break_even,
    left_out_errors,
    lines,
    sample,
    spread,
)
from profiler.analyze.startup_phases import split_startup
from profiler.model import Native, Run, Verdict
from profiler.model.amortization import (
    Amortization,
    CountedCrossover,
    CountedModel,
    CountedPoint,
    CountedSweep,
    Crossover,
    Model,
    PerLaunch,
    Point,
    Saving,
)

if TYPE_CHECKING:
    import pandas as pd

    from profiler.analyze.crossover import Figures

_MS = 1e-6
"""Nanoseconds to milliseconds."""


def amortize(verdict: Verdict, run: Run, frame: pd.DataFrame) -> dict[str, object]:
    """Everything that the sweep in ``frame`` tells, and the sentence with the advice before it; empty where no launcher
    has every M.
    """
    native = tuple(pass_ for pass_ in run.plan.passes if isinstance(pass_, Native))
    bare = {pass_.name for pass_ in native if pass_.bare}
    names = tuple(launcher.name for launcher in run.plan.launchers if launcher.variant is None)
    sweep = frame[frame["pass"].isin(bare)]
    # The sweep stands on wall time: where the baseline is not itself in it, there is no model and no crossover.
    unlike = any(doubt.metric == "wall" and doubt.proven for doubt in verdict.withdrawn)
    counts, roles = frame[frame["pass"].isin({pass_.name for pass_ in native} - bare)], run.plan.roles
    timed = None if unlike else sample(sweep, "wall", names, roles, seed=run.plan.seed)
    counted = sample(counts, "instructions", names, roles, seed=run.plan.seed)
    work = None if run.per_launch_ms is None else run.per_launch_ms / _MS
    pairs = () if timed is None else _pairs(timed, work)
    advice = tuple(advise(pair, roles.baseline, run.per_launch_ms) for pair in pairs)
    found = Amortization(
        points=() if timed is None else _points(timed, sweep),
        model=() if timed is None else _models(timed),
        crossover=tuple(map(_crossover, pairs)),
        savings=tuple(map(_saving, pairs)),
        per_launch=tuple(
            PerLaunch(
                launcher=pair.launcher,
                work_ms=run.per_launch_ms,
                gain_ms=pair.gain.value * _MS,
                lo=_ms(pair.gain.lo),
                hi=_ms(pair.gain.hi),
            )
            for pair in pairs
            if pair.gain is not None and run.per_launch_ms is not None
        ),
        instructions=None if counted is None else _counted(counted),
        advice=advice,
        startup=split_startup(run, frame),
    )
    return msgspec.structs.asdict(found) | {"sentence": " ".join((*advice, verdict.sentence))}


def _pairs(data: Sample, work: float | None) -> tuple[BreakEven, ...]:
    return tuple(break_even(data, index, work) for index in range(1, len(data.launchers)))


def _points(data: Sample, sweep: pd.DataFrame) -> tuple[Point, ...]:
    printed = {
        key: set(group["output_sha256"]) for key, group in sweep.astype({"launcher": str}).groupby(["launcher", "m"])
    }
    found, base = [], data.launchers[0]
    for index, launcher in enumerate(data.launchers):
        for column, m in enumerate(data.m):
            here, twins = data.centre[:, column], data.resampled[:, :, column]
            wall = Estimate(value=float(here[index]), **_bounds(twins[:, index]))
            delta = Estimate(value=float(here[0] - here[index]), **_bounds(twins[:, 0] - twins[:, index]))
            ratio = Estimate(value=float(here[index] / here[0]), **_bounds(twins[:, index] / twins[:, 0]))
            other = index > 0
            found.append(
                Point(
                    launcher=launcher,
                    m=m,
                    wall_ms=wall.value * _MS,
                    lo=_ms(wall.lo),
                    hi=_ms(wall.hi),
                    delta_ms=delta.value * _MS if other else None,
                    ratio=ratio.value if other else None,
                    bit_exact=printed[launcher, m] == printed[base, m] and len(printed[base, m]) == 1,
                    delta_ms_lo=_ms(delta.lo) if other else None,
                    delta_ms_hi=_ms(delta.hi) if other else None,
                    ratio_lo=ratio.lo if other else None,
                    ratio_hi=ratio.hi if other else None,
                )
            )
    return tuple(found)


def _bounds(resampled: Figures) -> dict[str, float | None]:
    lo, hi = spread(resampled)
    return {"lo": lo, "hi": hi}


def _models(data: Sample) -> tuple[Model, ...]:
    return tuple(
        Model(
            launcher=launcher,
            startup_ms=line.startup * _MS,
            per_unit_ns=line.per_unit,
            left_out_error=error,
        )
        for launcher, line, error in zip(data.launchers, lines(data), left_out_errors(data), strict=True)
    )


def _crossover(pair: BreakEven) -> Crossover:
    return Crossover(
        launcher=pair.launcher,
        status=pair.in_m.status,
        m=pair.in_m.at,
        lo=pair.in_m.lo,
        hi=pair.in_m.hi,
        work_ms=_ms(pair.in_work.at),
        work_ms_lo=_ms(pair.in_work.lo),
        work_ms_hi=_ms(pair.in_work.hi),
    )


def _saving(pair: BreakEven) -> Saving:
    return Saving(
        launcher=pair.launcher,
        saving_ms=pair.saving.value * _MS,
        saving_ms_lo=_ms(pair.saving.lo),
        saving_ms_hi=_ms(pair.saving.hi),
        tax=pair.tax.value,
        tax_lo=pair.tax.lo,
        tax_hi=pair.tax.hi,
    )


def _counted(data: Sample) -> CountedSweep:
    return CountedSweep(
        points=tuple(
            CountedPoint(launcher=launcher, m=m, instructions=float(data.centre[index, column]))
            for index, launcher in enumerate(data.launchers)
            for column, m in enumerate(data.m)
        ),
        model=tuple(
            CountedModel(launcher=launcher, startup=line.startup, per_unit=line.per_unit, left_out_error=error)
            for launcher, line, error in zip(data.launchers, lines(data), left_out_errors(data), strict=True)
        ),
        crossover=tuple(
            CountedCrossover(
                launcher=pair.launcher, status=pair.in_m.status, m=pair.in_m.at, lo=pair.in_m.lo, hi=pair.in_m.hi
            )
            for pair in _pairs(data, None)
        ),
    )


def _ms(figure: float | None) -> float | None:
    return None if figure is None else figure * _MS
