"""Both sides as stacks of frames, of which a flame graph of their difference is drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from profiler.analyze.compare import Costs
from profiler.analyze.profile.counted import ProfileCounts
from profiler.analyze.profile.place_costs import named_sides
from profiler.model.drilldown import StackCost

BY_OPCODE, BY_PLACE = ("opcode", "named"), ("place", "named", "kind")
"""Columns from the outermost frame on."""
_LEAST = 0.004
"""A part of the whole that can be seen; less is with its neighbours."""

_Stack = tuple[str | None, ...]


def stack_costs(costs: Costs, found: ProfileCounts, launcher: str, frames: Sequence[str]) -> Iterator[StackCost]:
    """The widest stacks of a launcher beside the baseline, those that are equal in all but width as well; what is too
    narrow is one frame in the last that is wide enough.

    A stack is as wide as the side that takes more, so that what is dearer and what is cheaper can both be seen.
    """
    sides, _ = named_sides(costs, found, launcher)
    whole: dict[_Stack, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for at, side in enumerate(("base", "here")):
        named = sides[side]
        keys = [named[column].fillna("") for column in frames]
        for stack, amount in named["weighted"].groupby(keys).sum().items():
            assert isinstance(stack, tuple)
            whole[tuple(name or None for name in stack)][at] += float(amount)
    for stack, (base, here) in sorted(wide(whole).items(), key=lambda pair: [name or "" for name in pair[0]]):
        yield StackCost(launcher=launcher, stack=stack, baseline_value=base, value=here)


def wide(whole: dict[_Stack, list[float]]) -> dict[_Stack, list[float]]:
    """Stack → both sides, with what is too narrow put together."""
    widths: dict[_Stack, float] = defaultdict(float)
    for stack, sides in whole.items():
        for depth in range(len(stack) + 1):
            widths[stack[:depth]] += max(sides)
    found: dict[_Stack, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for stack, sides in whole.items():
        depth = max(depth for depth in range(len(stack) + 1) if widths[stack[:depth]] >= _LEAST * widths[()])
        kept = stack if depth == len(stack) else (*stack[:depth], None)
        for at, amount in enumerate(sides):
            found[kept][at] += amount
    return found
