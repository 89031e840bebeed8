"""Each opcode, or statement, drawn: its ratio beside the claimed band, and what it adds by function, as places in a
drawing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from profiler.analyze.numbers import digits
from profiler.model import BASELINE, Noun, Verdict
from profiler.model.drilldown import Drilldown, OpcodeClaim, OpcodeCost, OpcodePart
from profiler.model.statement_costs import StatementClaim, StatementCost, StatementCosts
from profiler.model.verdict import part
from profiler.present.drawing import Tick, percent, ticks
from profiler.present.drilldown_tables import REMAINDER, adds
from profiler.present.forest import axis_of
from profiler.present.layout import shortened
from profiler.present.statement_tables import as_line
from profiler.present.table import Axis
from profiler.present.whom import subjects

_MOST_ROWS = 40
_MOST_NAME = 30
_TICKS = 6
_SMALL = 0.05
"""Instructions an iteration: less cannot be seen."""
_OTHERS = "all other functions"
COLOURS = ("#1f4e79", "#b4462a", "#3f7d4e", "#8a5fa8", "#c08a1e", "#2a8c8c", "#7a4a2b", "#b9bec5")
"""Of functions, told apart in print and by most who see colours differently; the last one is of all others."""


class OpcodeDot(Noun, frozen=True, kw_only=True):
    """The ratio of an opcode or a statement with its range over blocks, in per cent of the axis."""

    name: str
    told: str
    at: float
    lo: float
    hi: float


class DotPlot(Noun, frozen=True, kw_only=True):
    """Ratios of opcodes or statements, from the least to the highest."""

    label: str
    ticks: tuple[Tick, ...]
    one: float
    band: tuple[float, float]
    """From where to where the claim reaches."""
    claimed: str
    rows: tuple[OpcodeDot, ...]


class BarPiece(Noun, frozen=True, kw_only=True):
    """What one function adds (right of nothing) or saves (left of it)."""

    at: float
    width: float
    colour: str


class StackedBar(Noun, frozen=True, kw_only=True):
    """An opcode's difference by function."""

    name: str
    told: str
    pieces: tuple[BarPiece, ...]


class BarPlot(Noun, frozen=True, kw_only=True):
    """Differences of opcodes, the largest first."""

    label: str
    ticks: tuple[Tick, ...]
    nothing: float
    legend: tuple[tuple[str, str], ...]
    """Colour and function."""
    rows: tuple[StackedBar, ...]


def dots(verdict: Verdict) -> DotPlot | None:
    """Of the launcher that was asked about first; None where no opcode has a ratio."""
    names, found = subjects(verdict), part(verdict, Drilldown)
    if found is None or not names:
        return None
    known = [row for row in found.opcodes if row.launcher == names[0] and row.ratio is not None][:_MOST_ROWS]
    claim = next((claim for claim in found.claims if claim.launcher == names[0]), None)
    label = f"instructions per execution in {names[0]} ÷ {BASELINE}: each opcode of {verdict.workload.name}"
    return _plotted([(row.opcode or REMAINDER, row) for row in known], claim, label)


def statement_dots(verdict: Verdict) -> DotPlot | None:
    """Of the launcher that was asked about first; None where no statement has a ratio."""
    names, found = subjects(verdict), part(verdict, StatementCosts)
    if found is None or not names:
        return None
    known = [row for row in found.statements if row.launcher == names[0] and row.ratio is not None]
    claim = next((claim for claim in found.statement_claims if claim.launcher == names[0]), None)
    unit = "instructions" if claim is None or claim.metric == "instructions" else "CPU time"
    label = f"{unit} per execution in {names[0]} ÷ {BASELINE}: each statement"
    return _plotted([(as_line(row.statement), row) for row in known], claim, label)


def _plotted(
    known: Sequence[tuple[str, OpcodeCost | StatementCost]], claim: OpcodeClaim | StatementClaim | None, label: str
) -> DotPlot | None:
    if not known or claim is None:
        return None
    reach = axis_of(bound for _, row in known for bound in (*_reach(row), claim.low, claim.high))
    assert reach is not None
    return DotPlot(
        label=label,
        ticks=ticks(reach),
        one=percent(reach, 1.0),
        band=(percent(reach, claim.low), percent(reach, claim.high)),
        claimed=f"claimed: {claim.low:.2f} to {claim.high:.2f}",
        rows=tuple(_dot(name, row, reach) for name, row in sorted(known, key=lambda pair: pair[1].ratio or 0.0)),
    )


def _reach(row: OpcodeCost | StatementCost) -> tuple[float, ...]:
    return tuple(bound for bound in (row.lo, row.ratio, row.hi) if bound is not None)


def _dot(name: str, row: OpcodeCost | StatementCost, reach: Axis) -> OpcodeDot:
    assert row.ratio is not None
    bounds = [min(100.0, max(0.0, percent(reach, bound))) for bound in _reach(row)]
    return OpcodeDot(
        name=shortened(name, _MOST_NAME),
        told=digits(row.ratio),
        at=min(100.0, max(0.0, percent(reach, row.ratio))),
        lo=min(bounds),
        hi=max(bounds),
    )


def bars(verdict: Verdict) -> BarPlot | None:
    """Of the launcher that was asked about first; None where nothing differs."""
    names, found = subjects(verdict), part(verdict, Drilldown)
    if found is None or not names:
        return None
    parts = [one for one in found.opcode_parts if one.launcher == names[0]]
    rows = [row for row in found.opcodes if row.launcher == names[0]]
    by_opcode: dict[str | None, list[OpcodePart]] = {}
    for one in parts:
        by_opcode.setdefault(one.opcode, []).append(one)
    shown = [row for row in rows if row.opcode in by_opcode and abs(row.difference) >= _SMALL][:_MOST_ROWS]
    if not shown:
        return None
    weight: dict[str | None, float] = {}
    for one in parts:
        weight[one.function] = weight.get(one.function, 0.0) + abs(one.difference)
    order = sorted(weight, key=lambda name: (name is None, -weight[name]))
    colours = {
        name: COLOURS[-1] if name is None else colour
        for name, colour in zip(order, [*COLOURS[:-1], *COLOURS[-1:] * len(order)], strict=False)
    }
    ends = [_ends(by_opcode[row.opcode]) for row in shown]
    lo, hi = min(low for low, _ in ends), max(high for _, high in ends)
    pad = 0.04 * (hi - lo)
    reach = _round(lo - pad, hi + pad)
    return BarPlot(
        label=f"instructions an iteration of {names[0]}, less {BASELINE}'s: each opcode of {verdict.workload.name} "
        "by function",
        ticks=ticks(reach),
        nothing=percent(reach, 0.0),
        legend=tuple((colours[name], shortened(name or _OTHERS, _MOST_NAME)) for name in order),
        rows=tuple(
            StackedBar(
                name=shortened(row.opcode or REMAINDER, _MOST_NAME),
                told=adds(row.difference),
                pieces=_pieces(by_opcode[row.opcode], order, colours, reach),
            )
            for row in shown
        ),
    )


def _round(lo: float, hi: float) -> Axis:
    """From ``lo`` to ``hi``, with a tick at nothing and at few round figures."""
    rough = (hi - lo) / _TICKS
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * scale for factor in (1, 2, 5, 10) if factor * scale >= rough)
    places = [at * step for at in range(math.ceil(lo / step), math.floor(hi / step) + 1)]
    return Axis(lo=lo, hi=hi, ticks=tuple((place, f"{place:+,.4g}" if place else "0") for place in places))


def _ends(parts: list[OpcodePart]) -> tuple[float, float]:
    return sum(min(0.0, one.difference) for one in parts), sum(max(0.0, one.difference) for one in parts)


def _pieces(
    parts: list[OpcodePart], order: list[str | None], colours: dict[str | None, str], reach: Axis
) -> tuple[BarPiece, ...]:
    """From nothing outwards, on either side in the order of the legend."""
    left = right = 0.0
    found = []
    for one in sorted(parts, key=lambda one: order.index(one.function)):
        begin, end = (right, right + one.difference) if one.difference > 0 else (left + one.difference, left)
        right, left = max(right, end), min(left, begin)
        at = percent(reach, begin)
        found.append(BarPiece(at=at, width=round(percent(reach, end) - at, 2), colour=colours[one.function]))
    return tuple(found)
