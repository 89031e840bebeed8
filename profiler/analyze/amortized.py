"""What ``amortize`` adds to the verdict: the points of the sweep, the model, the crossover, and advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profiler.analyze.advice import advise
from profiler.analyze.crossover import (
    Estimate,
    Pair,
    Sample,
    Status,
    compare_pair,
    left_out_errors,
    lines,
    sample,
    spread,
)
from profiler.analyze.startup import Startup, split_startup
from profiler.model import BASELINE, Noun, Run, Verdict

if TYPE_CHECKING:
    import pandas as pd

    from profiler.analyze.crossover import Figures

_MS = 1e-6
"""Nanoseconds to milliseconds."""


class Point(Noun, frozen=True, kw_only=True):
    """One launcher at one M. ``delta_ms`` is what it saves against the baseline; None for the baseline itself."""

    launcher: str
    m: int
    wall_ms: float
    lo: float | None
    hi: float | None
    delta_ms: float | None
    ratio: float | None
    bit_exact: bool
    delta_ms_lo: float | None
    delta_ms_hi: float | None
    ratio_lo: float | None
    ratio_hi: float | None


class Model(Noun, frozen=True, kw_only=True):
    """Wall time = ``startup_ms`` + M × ``per_unit_ns``, fitted to all points."""

    launcher: str
    startup_ms: float
    per_unit_ns: float
    left_out_error: float | None
    """Largest relative error at the points between, when it is fitted to every other point alone."""


class Crossover(Noun, frozen=True, kw_only=True):
    """From where on the other one is faster; ``m`` and ``work_ms`` only if ``status`` is ``found``."""

    launcher: str
    status: Status
    m: float | None
    lo: float | None
    hi: float | None
    work_ms: float | None
    """In milliseconds of the baseline's work, without its start-up."""
    work_ms_lo: float | None
    work_ms_hi: float | None


class Saving(Noun, frozen=True, kw_only=True):
    """What a launcher saves per launch, and its tax on the work as a part of the baseline's time."""

    launcher: str
    saving_ms: float
    saving_ms_lo: float | None
    saving_ms_hi: float | None
    tax: float
    tax_lo: float | None
    tax_hi: float | None


class PerLaunch(Noun, frozen=True, kw_only=True):
    """What embedding gains (or, below 0, costs) at the user's own work per launch."""

    launcher: str
    work_ms: float
    gain_ms: float
    lo: float | None
    hi: float | None


class CountedPoint(Noun, frozen=True, kw_only=True):
    """Instructions of one whole process."""

    launcher: str
    m: int
    instructions: float


class CountedModel(Noun, frozen=True, kw_only=True):
    """Instructions = ``startup`` + M × ``per_unit``."""

    launcher: str
    startup: float
    per_unit: float
    left_out_error: float | None


class CountedCrossover(Noun, frozen=True, kw_only=True):
    """The crossover in instructions."""

    launcher: str
    status: Status
    m: float | None
    lo: float | None
    hi: float | None


class Counted(Noun, frozen=True, kw_only=True):
    """The same model in instructions, which know no noise of the machine, and no CPI either."""

    points: tuple[CountedPoint, ...]
    model: tuple[CountedModel, ...]
    crossover: tuple[CountedCrossover, ...]


class AmortizeVerdict(Verdict, frozen=True, kw_only=True):
    """The verdict document of ``amortize``."""

    points: tuple[Point, ...]
    model: tuple[Model, ...]
    crossover: tuple[Crossover, ...]
    savings: tuple[Saving, ...]
    per_launch: tuple[PerLaunch, ...]
    instructions: Counted | None
    advice: tuple[str, ...]
    startup: Startup


def amortized(verdict: Verdict, run: Run, frame: pd.DataFrame) -> AmortizeVerdict:
    """``verdict`` with everything that the sweep in ``frame`` tells; empty where no launcher has every M."""
    native = {what.name for what in run.plan.passes if what.native}
    bare = {what.name for what in run.plan.passes if what.bare}
    names = tuple(launcher.name for launcher in run.plan.launchers if launcher.variant is None)
    sweep = frame[frame["pass"].isin(bare)]
    # The sweep stands on wall time: where the baseline is not itself in it, there is no model and no crossover.
    unlike = any(one.metric == "wall" and one.proven for one in verdict.withdrawn)
    timed = None if unlike else sample(sweep, "wall", names, seed=run.plan.seed)
    counted = sample(frame[frame["pass"].isin(native - bare)], "instructions", names, seed=run.plan.seed)
    work = None if run.per_launch_ms is None else run.per_launch_ms / _MS
    pairs = () if timed is None else _pairs(timed, work)
    advice = tuple(advise(pair, run.per_launch_ms) for pair in pairs)
    base = {name: getattr(verdict, name) for name in Verdict.__struct_fields__}
    base["sentence"] = " ".join((*advice, verdict.sentence))
    return AmortizeVerdict(
        **base,
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


def _pairs(data: Sample, work: float | None) -> tuple[Pair, ...]:
    return tuple(compare_pair(data, index, work) for index in range(1, len(data.launchers)))


def _points(data: Sample, sweep: pd.DataFrame) -> tuple[Point, ...]:
    printed = {
        key: set(group["output_sha256"]) for key, group in sweep.astype({"launcher": str}).groupby(["launcher", "m"])
    }
    found = []
    for index, launcher in enumerate(data.launchers):
        for column, m in enumerate(data.m):
            here, twins = data.centre[:, column], data.resampled[:, :, column]
            wall = Estimate(value=float(here[index]), **_bounds(twins[:, index]))
            delta = Estimate(value=float(here[0] - here[index]), **_bounds(twins[:, 0] - twins[:, index]))
            ratio = Estimate(value=float(here[index] / here[0]), **_bounds(twins[:, index] / twins[:, 0]))
            other = launcher != BASELINE
            found.append(
                Point(
                    launcher=launcher,
                    m=m,
                    wall_ms=wall.value * _MS,
                    lo=_ms(wall.lo),
                    hi=_ms(wall.hi),
                    delta_ms=delta.value * _MS if other else None,
                    ratio=ratio.value if other else None,
                    bit_exact=printed[launcher, m] == printed[BASELINE, m] and len(printed[BASELINE, m]) == 1,
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


def _crossover(pair: Pair) -> Crossover:
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


def _saving(pair: Pair) -> Saving:
    return Saving(
        launcher=pair.launcher,
        saving_ms=pair.saving.value * _MS,
        saving_ms_lo=_ms(pair.saving.lo),
        saving_ms_hi=_ms(pair.saving.hi),
        tax=pair.tax.value,
        tax_lo=pair.tax.lo,
        tax_hi=pair.tax.hi,
    )


def _counted(data: Sample) -> Counted:
    return Counted(
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
