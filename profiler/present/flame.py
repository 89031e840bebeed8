"""The difference as a flame graph: frames that stand on one another, as places in a drawing.

A frame is as wide as the side that takes more in each of its parts; its colour says how much of that width is the
difference (differential flame graphs: Gregg, CACM 59(6), 2016, whose widths are those of one side).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from profiler.analyze.numbers import count
from profiler.model import BASELINE, Noun, Verdict
from profiler.model.drilldown import Drilldown, StackCost, Whereabouts
from profiler.model.verdict import part
from profiler.present.drilldown_tables import REMAINDER, adds
from profiler.present.layout import shortened
from profiler.present.whom import subjects

WIDTH = 768.0
"""Of the whole, in user units."""
_LETTER, _CAPITAL = 6.8, 8.6
"""Widths in a frame, whose letters are 12 high."""
_PAD = 8.0
_FEWEST = 4
"""Letters: a name that has no room for so many is left out."""
_ALIKE = 0.0005
"""Instructions an iteration: less is no difference."""
_SAID = 5
"""Differences that are said in words."""
_REST = "the rest"


class FlameFrame(Noun, frozen=True, kw_only=True):
    """One frame."""

    name: str
    """As it stands there: cut to its room, or empty."""
    told: str
    """In full, with the figures of both sides."""
    depth: int
    """0: the outermost."""
    at: float
    width: float
    """In user units."""
    tone: Literal["worse", "better", "plain"]
    part: float
    """Of the width that is the difference, from 0 to 1."""


class Flame(Noun, frozen=True, kw_only=True):
    """A flame graph."""

    label: str
    said: str
    """The largest differences in words, for those who cannot see it."""
    depths: int
    frames: tuple[FlameFrame, ...]


@dataclass(kw_only=True)
class _Node:
    """A frame with those that stand on it."""

    base: float = 0.0
    here: float = 0.0
    width: float = 0.0
    above: dict[str | None, _Node] = field(default_factory=dict)

    @property
    def difference(self) -> float:
        return self.here - self.base

    def add(self, one: StackCost) -> None:
        self.base += one.baseline_value
        self.here += one.value
        self.width += max(one.baseline_value, one.value, 0.0)


def flame(verdict: Verdict) -> Flame | None:
    """Of the launcher that was asked about first; None where the run was no drill-down, or counted nothing."""
    names = subjects(verdict)
    drilled = part(verdict, Drilldown)
    found = drilled or part(verdict, Whereabouts)
    if found is None or not names:
        return None
    root = _tree(one for one in found.stacks if one.launcher == names[0])
    if not root.width:
        return None
    title = f"{verdict.workload.name} in {names[0]}"
    unnamed = _REST if drilled is None else REMAINDER
    frames = tuple(_frames(root, title, unnamed, depth=0, at=0.0, scale=WIDTH / root.width))
    largest = sorted(_ends(root, unnamed), key=lambda end: -abs(end[1]))[:_SAID]
    return Flame(
        label=f"instructions an iteration of {title}, less {BASELINE}'s: {adds(root.difference)}",
        said=f"The largest differences: {', '.join(f'{name} {adds(difference)}' for name, difference in largest)}.",
        depths=1 + max(frame.depth for frame in frames),
        frames=frames,
    )


def _tree(stacks: Iterable[StackCost]) -> _Node:
    root = _Node()
    for one in stacks:
        node = root
        node.add(one)
        for name in one.stack:
            node = node.above.setdefault(name, _Node())
            node.add(one)
    return root


def _ends(node: _Node, unnamed: str, before: str = "") -> Iterator[tuple[str, float]]:
    for name, above in node.above.items():
        named = f"{before}{name or unnamed}"
        if above.above:
            yield from _ends(above, _REST, f"{named} → ")
        elif name is not None:
            yield named, above.difference


def _frames(node: _Node, name: str, unnamed: str, *, depth: int, at: float, scale: float) -> Iterator[FlameFrame]:
    """The frame, then those on it: the dearest first, what has no name last."""
    width = node.width * scale
    room = int((width - _PAD) / (_CAPITAL if name.isupper() else _LETTER))
    yield FlameFrame(
        name=shortened(name, room) if room >= _FEWEST else "",
        told=f"{name}: {count(max(0.0, node.base))} → {count(max(0.0, node.here))}, {adds(node.difference)}",
        depth=depth,
        at=round(at, 2),
        width=round(width, 2),
        tone="plain" if abs(node.difference) < _ALIKE else "worse" if node.difference > 0 else "better",
        part=round(min(1.0, abs(node.difference) / node.width), 2) if node.width else 0.0,
    )
    for own, above in sorted(node.above.items(), key=lambda pair: (pair[0] is None, -pair[1].difference)):
        if above.width:
            yield from _frames(above, own or unnamed, _REST, depth=depth + 1, at=at, scale=scale)
        at += above.width * scale
