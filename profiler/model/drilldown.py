"""Where a difference sits: per opcode, and from files down to single lines and kinds of instructions."""

from __future__ import annotations

from typing import Literal

from profiler.model.base import Noun

Level = Literal["image", "function", "line", "kind"]


class OpcodeCost(Noun, frozen=True, kw_only=True):
    """One specialised opcode of a launcher beside the baseline; instructions, with all that it calls.

    The ``difference`` of a launcher's rows adds up to that of its comparison in ``instructions``.
    """

    launcher: str
    opcode: str | None
    """None: the remainder, instructions that could be given to no opcode."""
    per_iteration: float | None
    """How often the launcher executes it, an iteration; None of the remainder."""
    baseline_per_iteration: float | None
    baseline_value: float | None
    """Instructions per execution; None where it is never executed."""
    value: float | None
    ratio: float | None
    lo: float | None
    hi: float | None
    """The least and the highest ratio of a block: heap phases and placements move some opcodes. None: one block."""
    baseline_own: float | None
    """Of ``baseline_value`` in the eval loop itself, without what it calls."""
    own: float | None
    difference: float
    """Instructions an iteration, the launcher's less the baseline's."""
    share: float | None
    """Of the comparison's difference; None where there is none."""


class OpcodePart(Noun, frozen=True, kw_only=True):
    """What one function has of an opcode's difference."""

    launcher: str
    opcode: str | None
    function: str | None
    """None: all others."""
    difference: float


class OpcodeClaim(Noun, frozen=True, kw_only=True):
    """What the opcodes say of the claim that each of them costs between ``low`` and ``high`` times as much."""

    launcher: str
    low: float
    high: float
    opcodes: int
    """That both execute, at least once in a thousand iterations."""
    inside: int
    """Of them, with a ratio in the claimed band."""
    least: float | None
    median: float | None
    most: float | None
    weighted: float | None
    """The ratio of a loop that executes what the baseline executes, each opcode at the launcher's cost; None where
    either executes other opcodes too."""
    whole: float | None
    """The measured ratio of the loop: ``weighted``, where the mixture of opcodes explains it."""


class PlaceCost(Noun, frozen=True, kw_only=True):
    """What one place has of a launcher's and the baseline's instructions, an iteration.

    The rows of a level under one parent add up to that parent, those of the level ``image`` to the comparison.
    """

    launcher: str
    level: Level
    name: str | None
    """None: the remainder, all that has no row of its own."""
    parent: str | None
    """Of a function, a line, a kind: the row that it is a part of."""
    baseline_value: float
    value: float
    difference: float
    share: float | None
    note: str | None = None
    """E.g. that it is no function of its own in one of the files."""


class StackCost(Noun, frozen=True, kw_only=True):
    """A frame of the flame graph that no other stands on: what both sides take in it, instructions an iteration.

    The stacks of a launcher add up to its and the baseline's instructions in their comparison.
    """

    launcher: str
    stack: tuple[str | None, ...]
    """From the outermost: opcode and function, or file, function and kind of instruction. None: all that is too little
    to be drawn, or that nobody named."""
    baseline_value: float
    value: float


class HardwarePart(Noun, frozen=True, kw_only=True):
    """What counters of the CPU would add to a drill-down."""

    part: Literal["perf-record", "top-down"]
    """Samples of precise events by ``perf record``; slots by front end, back end, bad speculation and retiring."""
    value: None
    """Nothing was measured."""
    reason: str


class Drilldown(Noun, frozen=True, kw_only=True):
    """The fields of ``opcodes`` in a verdict."""

    opcodes: tuple[OpcodeCost, ...]
    opcode_parts: tuple[OpcodePart, ...]
    claims: tuple[OpcodeClaim, ...]
    stacks: tuple[StackCost, ...]
    hardware: tuple[HardwarePart, ...]


class Whereabouts(Noun, frozen=True, kw_only=True):
    """The fields of ``where`` in a verdict."""

    places: tuple[PlaceCost, ...]
    symbols_of: str | None
    """The revision whose files name functions and lines, in the place of the installed ones; None: no other."""
    stacks: tuple[StackCost, ...]
    hardware: tuple[HardwarePart, ...]
