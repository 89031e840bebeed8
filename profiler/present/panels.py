"""Curves: the ratio over how much work there is, and chunks in their order, as marks in per cent of a frame."""

from __future__ import annotations

import math
from collections.abc import Sequence

from profiler.analyze.numbers import digits
from profiler.catalogue.metrics import title
from profiler.model import BASELINE, Noun, Verdict
from profiler.model.amortization import Amortization, Model
from profiler.model.verdict import part
from profiler.present.drawing import MOST_POINTS, Tick, ticks, tone_of
from profiler.present.forest import axis_of
from profiler.present.table import Axis, Tone
from profiler.present.words import launcher_name

_ALONG = 80
"""Corners of a line that is a formula."""


class PanelPoint(Noun, frozen=True, kw_only=True):
    """One measured value: from the left, from the bottom, its interval's ends."""

    x: float
    y: float
    lo: float
    hi: float
    tone: Tone


class Panel(Noun, frozen=True, kw_only=True):
    """One frame. All places are per cent from the left and from the bottom."""

    title: str
    label: str
    """All that is drawn, in words."""
    x: tuple[Tick, ...]
    x_title: str
    y: tuple[Tick, ...]
    one: float | None
    """Where nothing differs."""
    line: tuple[tuple[float, float], ...] = ()
    points: tuple[PanelPoint, ...] = ()
    band: tuple[float, float] | None = None
    """From where to where the crossing lies."""
    crossing: float | None = None


def crossovers(verdict: Verdict) -> tuple[Panel, ...]:
    """A panel for each launcher of a sweep: its ratio to the baseline by M, the model's line, the crossover."""
    swept = part(verdict, Amortization)
    if swept is None:
        return ()
    names = dict.fromkeys(point.launcher for point in swept.points if point.launcher != BASELINE)
    return tuple(found for name in names if (found := _crossover(swept, name, verdict.workload.name)) is not None)


def _crossover(swept: Amortization, name: str, workload: str) -> Panel | None:
    points = [point for point in swept.points if point.launcher == name and point.ratio is not None]
    if len(points) < 2:
        return None
    x = _log_axis(points[0].m, points[-1].m)
    y = axis_of(
        bound for point in points for bound in (point.ratio_lo, point.ratio, point.ratio_hi) if bound is not None
    )
    assert y is not None
    models = {model.launcher: model for model in swept.model}
    line = _ratios(models[BASELINE], models[name], x, y) if {BASELINE, name} <= models.keys() else ()
    crossing = next((crossover for crossover in swept.crossover if crossover.launcher == name), None)
    found = crossing is not None and crossing.m is not None
    low, high = (None, None) if crossing is None else (crossing.lo, crossing.hi)
    return Panel(
        title=name,
        label=f"whole process of {name} ÷ {BASELINE} by M: "
        + ", ".join(f"{digits(point.ratio)} at {point.m:,}" for point in points if point.ratio is not None),
        x=ticks(x),
        x_title=f"M ({workload})",
        y=ticks(y),
        one=_percent(y, 1.0),
        line=line,
        points=tuple(
            PanelPoint(
                x=_percent(x, math.log10(point.m)),
                y=_percent(y, point.ratio),
                lo=_percent(y, point.ratio if point.ratio_lo is None else point.ratio_lo),
                hi=_percent(y, point.ratio if point.ratio_hi is None else point.ratio_hi),
                tone=tone_of(point.ratio, point.ratio_lo, point.ratio_hi),
            )
            for point in points
            if point.ratio is not None
        ),
        band=(_percent(x, _log(low)), _percent(x, _log(high))) if found and low and high else None,
        crossing=_percent(x, _log(crossing.m)) if crossing is not None and crossing.m else None,
    )


def _ratios(base: Model, here: Model, x: Axis, y: Axis) -> tuple[tuple[float, float], ...]:
    found = []
    for at in range(_ALONG + 1):
        m = 10 ** (x.lo + (x.hi - x.lo) * at / _ALONG)
        below = base.startup_ms + m * base.per_unit_ns * 1e-6
        if below > 0:
            ratio = (here.startup_ms + m * here.per_unit_ns * 1e-6) / below
            found.append((round(100 * at / _ALONG, 2), _percent(y, ratio)))
    return tuple(found)


def _log_axis(least: int, most: int) -> Axis:
    lo, hi = _log(least), max(_log(most), _log(least) + 0.1)
    powers = range(math.ceil(lo - 1e-9), math.floor(hi + 1e-9) + 1)
    step = math.ceil(len(powers) / 7)
    pad = 0.05 * (hi - lo)
    return Axis(lo=lo - pad, hi=hi + pad, ticks=tuple((float(at), _short(10**at)) for at in powers[::step]))


def _log(amount: float) -> float:
    return math.log10(max(amount, 1e-3))


def _short(amount: int) -> str:
    """``100 k``: over an axis, where the tables have the figure in full."""
    for scale, unit in ((10**9, " G"), (10**6, " M"), (10**3, " k")):
        if amount >= scale:
            return f"{amount // scale:,}{unit}"
    return str(amount)


def chunks(verdict: Verdict) -> tuple[Panel, ...]:
    """A panel for each launcher's chunks in their order, all on the same axes."""
    if not verdict.series:
        return ()
    y = axis_of(value for series in verdict.series for value in series.relative)
    turns = [turn for series in verdict.series for turn in series.turns]
    if y is None or not turns:
        return ()
    x = _turn_axis(min(turns), max(turns))
    return tuple(
        Panel(
            title=launcher_name(series.launcher),
            label=f"{title(series.metric)} of each chunk of {launcher_name(series.launcher)}, relative: "
            f"from {digits(min(series.relative))} to {digits(max(series.relative))} over {len(series.turns)} chunks",
            x=ticks(x),
            x_title="chunk in its order",
            y=ticks(y),
            one=_percent(y, 1.0),
            line=_thinned(
                [(_percent(x, t), _percent(y, r)) for t, r in zip(series.turns, series.relative, strict=True)]
            ),
            crossing=_percent(x, -0.5) if min(turns) < 0 else None,
        )
        for series in verdict.series
    )


def _turn_axis(first: int, last: int) -> Axis:
    pad = 0.03 * max(1, last - first)
    shown = {first: "first", 0: "0", last: str(last)} if first < 0 else {first: str(first), last: str(last)}
    if first < 0 and -first < 0.15 * (last - first):
        shown.pop(0, None)
    return Axis(lo=first - pad, hi=last + pad, ticks=tuple((float(at), text) for at, text in sorted(shown.items())))


def _thinned(line: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    step = math.ceil(len(line) / MOST_POINTS)
    return tuple(line[::step])


def _percent(axis: Axis, value: float) -> float:
    """Inside the frame: what lies beyond is drawn at its edge."""
    return round(min(100.0, max(0.0, 100 * axis.at(value))), 2)
