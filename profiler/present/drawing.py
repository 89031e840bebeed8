"""Where the marks of a lane stand, in per cent of its width: the same for a page's boxes and for a file's SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from profiler.model import Noun
from profiler.present.table import Axis, Lane, Tone

MOST_POINTS = 200
"""Of a lane: more strokes than that are one grey band, and weigh megabytes."""
_EDGE = 2.0
"""A tick's label nearer to an end than so many per cent is set inwards."""

StrokeKind = Literal["grid", "one", "stem", "link", "raw", "ci", "dot", "hollow", "below", "above"]


class Stroke(Noun, frozen=True, kw_only=True):
    """One mark of a lane."""

    kind: StrokeKind
    tone: str
    """``worse``, ``better``, ``open``, ``plain``, ``faint``, or the class of a cause's colour."""
    at: float
    width: float = 0.0
    """Of what reaches from ``at`` to somewhere."""


class Tick(Noun, frozen=True, kw_only=True):
    """A label over a lane."""

    at: float
    text: str
    side: Literal["left", "right", "middle"]
    """On which side of the label its place is: at an end it is set inwards."""


def ticks(axis: Axis) -> tuple[Tick, ...]:
    """The labels that lie inside."""
    found = [(percent(axis, value), text) for value, text in axis.ticks]
    return tuple(
        Tick(at=at, text=text, side="left" if at < _EDGE else "right" if at > 100 - _EDGE else "middle")
        for at, text in found
        if 0 <= at <= 100
    )


def percent(axis: Axis, value: float) -> float:
    """Where ``value`` lies: below 0 or above 100 where it is beyond."""
    return round(100 * axis.at(value), 2)


def strokes(lane: Lane, axis: Axis | None, *, tone: str | None = None, stem: bool = False) -> tuple[Stroke, ...]:
    """The marks of one lane, from the hindmost to the foremost; none without an axis.

    Args:
        tone: instead of the lane's own.
        stem: draw a thick line from the axis's ``one`` to the value.
    """
    if axis is None:
        return ()
    shown = tone or lane.tone
    grid = [Stroke(kind="grid", tone="plain", at=tick.at) for tick in ticks(axis)]
    if axis.one is not None:
        grid.append(Stroke(kind="one", tone="plain", at=_inside(percent(axis, axis.one))))
    ends = [axis.one, lane.value] if stem else []
    return (
        *grid,
        *_line(axis, ends, "stem", shown),
        *_line(axis, [lane.base, lane.value] if lane.base is not None else [], "link", "plain"),
        *(
            Stroke(kind="raw", tone="plain", at=at)
            for at in (percent(axis, value) for value in thinned(lane.points))
            if 0 <= at <= 100
        ),
        *_line(axis, [lane.lo, lane.hi], "ci", shown),
        *_mark(axis, lane.base, "hollow", "open"),
        *_mark(axis, lane.value, "hollow" if shown == "open" else "dot", shown),
    )


def thinned(values: Sequence[float], most: int = MOST_POINTS) -> tuple[float, ...]:
    """``values``, or ``most`` of them by rank, the least and the largest among them."""
    if len(values) <= most:
        return tuple(values)
    ordered = sorted(values)
    return tuple(ordered[round(at * (len(ordered) - 1) / (most - 1))] for at in range(most))


def tone_of(ratio: float | None, lo: float | None, hi: float | None) -> Tone:
    """What an interval says of a ratio without a verdict of its own."""
    if ratio is None or lo is None or hi is None or lo <= 1 <= hi:
        return "open"
    return "worse" if lo > 1 else "better"


def _line(axis: Axis, ends: Sequence[float | None], kind: StrokeKind, tone: str) -> list[Stroke]:
    """From one end to the other, cut at the frame; where it is cut, that it goes on."""
    known = [percent(axis, end) for end in ends if end is not None]
    if len(known) < 2:
        return []
    begin, end = min(known), max(known)
    cut = [Stroke(kind="below", tone=tone, at=0.0)] if begin < 0 else []
    cut += [Stroke(kind="above", tone=tone, at=100.0)] if end > 100 else []
    begin, end = _inside(begin), _inside(end)
    return [Stroke(kind=kind, tone=tone, at=begin, width=round(end - begin, 2)), *cut]


def _mark(axis: Axis, value: float | None, kind: StrokeKind, tone: str) -> list[Stroke]:
    if value is None:
        return []
    at = percent(axis, value)
    return [Stroke(kind=kind, tone=tone, at=at)] if 0 <= at <= 100 else []


def _inside(at: float) -> float:
    return min(100.0, max(0.0, at))
