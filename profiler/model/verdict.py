"""``verdict.json``: what the readings say."""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from profiler.model.amortization import CountedSweep, Crossover, Model, PerLaunch, Point, Saving
from profiler.model.base import Caveat, Noun, SourceName
from profiler.model.drilldown import HardwarePart, OpcodeClaim, OpcodeCost, OpcodePart, PlaceCost, StackCost
from profiler.model.factorial import Rebuilt, Remedy
from profiler.model.launcher import Kind, Variant
from profiler.model.option_effects import OptionEffects
from profiler.model.startup import Startup
from profiler.model.statement_costs import StatementClaim, StatementCost
from profiler.model.suspects import Eliminated, StateEntry
from profiler.model.target import Target

VerdictWord = Literal["slower", "faster", "same", "unresolved"]


class Interval(Noun, frozen=True, kw_only=True):
    """A ratio with its interval; ``None`` bounds are unbounded or unknown."""

    ratio: float | None
    lo: float | None
    hi: float | None


class Comparison(Noun, frozen=True, kw_only=True):
    """One launcher against a baseline in one metric, per iteration."""

    baseline: str
    launcher: str
    metric: str
    baseline_value: float | None
    value: float | None
    ratio: float | None
    lo: float | None
    hi: float | None
    confidence: float
    verdict: VerdictWord
    p_value: float | None = msgspec.field(name="chance")
    """Of "within the margin", adjusted for all metrics of the pair (Holm); None where it cannot be tested."""
    blocks: int
    detectable_effect: float | None = msgspec.field(name="smallest_effect")
    """The relative difference that this many blocks of this scatter show with 80 % power."""
    source: SourceName
    reason: str | None
    """Why a figure is missing, or why the verdict is unresolved."""
    over: Literal["placements"] | None = None
    """What alone makes the figure differ between blocks, so that the interval is one over it; None: not one thing."""
    blocks_needed: int | None = None
    """Of an unresolved one: how many blocks of this scatter would show a difference of 5 %, or, where this run shows as
    much, of the metric's margin; None: it is resolved, or nothing can be said."""


class Scatter(Noun, frozen=True, kw_only=True):
    """Variance components of the baseline in one metric, as relative standard deviations; None: not measured."""

    metric: str
    block: float | None
    """What blocks have to themselves (hash seed, environment, heap phase, and the hour): pairing removes it."""
    process: float | None
    """Between two processes of the same block."""
    chunk: float | None
    """Between pairs of turns of one process, less what all launchers had in common."""
    turns: int | None
    """Turns per process at which a given time buys most precision (Kalibera & Jones 2013)."""


class Series(Noun, frozen=True, kw_only=True):
    """The chunks of a launcher's processes in their order: are they in a steady state?"""

    launcher: str
    metric: str
    turns: tuple[int, ...]
    """From the first run on, which is below 0: turns below 0 warm up and stand in no other figure."""
    relative: tuple[float, ...]
    """Per turn, median over blocks: cost relative to the median of the second half of the process."""
    first: Interval
    """The first run, likewise."""
    shift: Interval
    """Ratio to the baseline in the second half of the turns, relative to that in the first half."""
    steady: VerdictWord
    """``same``: the ratio does not move by the metric's margin."""


class Term(Noun, frozen=True, kw_only=True):
    """One factor of a product; ``share`` is its part of the log ratio (the shares add up to 1)."""

    term: str
    ratio: float | None
    lo: float | None
    hi: float | None
    share: float | None


class Decomposition(Noun, frozen=True, kw_only=True):
    """``of`` = product of ``terms``; ``residual`` is what the terms leave of the log ratio."""

    launcher: str
    of: str
    terms: tuple[Term, ...]
    residual: float | None
    reason: str | None


class EstimatedMetric(Noun, frozen=True, kw_only=True):
    """What a counter would have counted, from other measurements."""

    launcher: str
    metric: str
    """``cycles`` and ``ipc``, or the ``clock`` in GHz that they stand on."""
    value: float
    """Geometric mean over blocks; cycles: per iteration."""
    lo: float | None
    hi: float | None
    """95 % interval; None: measured once."""


class Rung(Noun, frozen=True, kw_only=True):
    """One step of the ladder."""

    from_: str = msgspec.field(name="from")
    to: str
    factor: str
    metric: str
    ratio: float | None
    lo: float | None
    hi: float | None
    share: float | None
    orders: int | None = None
    """The ratio is a mean over so many orders of the factors, and no two launchers have it; None: it is that of
    ``from`` and ``to``."""
    least: float | None = None
    """Of the ratios of measured pairs that the mean is of."""
    most: float | None = None


class Cause(Noun, frozen=True, kw_only=True):
    """One cause of the catalogue with its verdict.

    Confirmed causes that act on one metric, are part of none (``part_of``) and have the role ``cause`` add up, with the
    launcher's ``Unexplained``, to the tax in that metric.
    """

    cause: str
    launcher: str | None
    status: Literal["confirmed", "refuted", "unresolved", "not-tested"]
    """Of a ``place``: whether the setting is a cause, which equality decides and no share."""
    strength: Literal["intervened", "correlated"] | None
    share: float | None
    """Part of the tax; of a ``place`` the part of the difference that sits there; a mean where ``share_least`` is."""
    lo: float | None
    hi: float | None
    evidence: str
    role: Literal["cause", "place"] = "cause"
    """``place``: a change made on both ends of a setting that is equal there, which says where the difference sits."""
    part_of: str | None = None
    """Id of the cause that brings this one along: its share stands in that cause's too."""
    metric: str | None = None
    """In which the tax is that the share is a part of."""
    share_least: float | None = None
    """Where other causes decide how much this one takes: the least over the orders in which they are met; ``share`` is
    the mean over the orders. None: there is one order, or none is known."""
    share_most: float | None = None
    without: float | None = None
    """Measured ratio to the baseline when this cause alone is taken away; None where that cannot be."""


class Unexplained(Noun, frozen=True, kw_only=True):
    """What the confirmed causes leave of the tax; below 0 where they overlap: one takes away what another does too."""

    share: float | None
    lo: float | None
    hi: float | None
    all_met: float | None = None
    """What is left when all that differs is removed or given at once, as a measured pair has it; None: no such pair."""


class Doubt(Noun, frozen=True, kw_only=True):
    """A metric that is withdrawn, of all launchers, because of what the baseline's two runs (A/A) show of it."""

    metric: str
    kind: Literal["differs", "useless"]
    """``differs``: the baseline is not itself; ``useless``: the interval is so wide that nothing could be seen."""
    ratio: float | None
    lo: float | None
    hi: float | None
    """Of A/A; of a quotient of metrics that stands on a withdrawn one, its own."""
    proven: bool
    """The difference stays one among all metrics (Holm), and does not stand on a wide interval alone."""
    reason: str
    """For people, with the figures of the A/A that it stands on."""


class WorkloadResult(Noun, frozen=True, kw_only=True):
    """The workload as the verdict document names it."""

    name: str
    bit_exact: bool | None


class LauncherResult(Noun, frozen=True, kw_only=True):
    """A launcher as the verdict document names it."""

    name: str
    kind: Kind
    variant: Variant | None
    image: str | None
    build_id: str | None
    link: str | None
    init: str | None
    allocator: str | None


class Verdict(Noun, frozen=True, kw_only=True):
    """``verdict.json`` (schema ``tax-probe/1``).

    A section that the plan did not ask for has no field in the document at all. What a section's fields mean stands
    with its noun, which ``part`` gives.
    """

    schema: str
    command: str
    source: SourceName
    target: Target
    workload: WorkloadResult
    launchers: tuple[LauncherResult, ...]
    comparisons: tuple[Comparison, ...]
    scatter: tuple[Scatter, ...]
    series: tuple[Series, ...]
    decomposition: tuple[Decomposition, ...]
    ladder: tuple[Rung, ...]
    causes: tuple[Cause, ...]
    unexplained: Unexplained
    """Of the embedder of the ladder."""
    sentence: str
    warnings: tuple[Caveat, ...]
    unexplained_of: dict[str, Unexplained] = msgspec.field(default_factory=dict)
    """By launcher, for all whose causes were judged."""
    withdrawn: tuple[Doubt, ...] = ()
    """Metrics in which nothing is claimed of any launcher."""
    estimates: tuple[EstimatedMetric, ...] = ()
    """Where cycles were not counted, and could be estimated."""

    points: tuple[Point, ...] | UnsetType = UNSET
    model: tuple[Model, ...] | UnsetType = UNSET
    crossover: tuple[Crossover, ...] | UnsetType = UNSET
    savings: tuple[Saving, ...] | UnsetType = UNSET
    per_launch: tuple[PerLaunch, ...] | UnsetType = UNSET
    instructions: CountedSweep | UnsetType | None = UNSET
    advice: tuple[str, ...] | UnsetType = UNSET
    startup: Startup | UnsetType = UNSET

    opcodes: tuple[OpcodeCost, ...] | UnsetType = UNSET
    opcode_parts: tuple[OpcodePart, ...] | UnsetType = UNSET
    claims: tuple[OpcodeClaim, ...] | UnsetType = UNSET

    places: tuple[PlaceCost, ...] | UnsetType = UNSET
    symbols_of: str | UnsetType | None = UNSET
    stacks: tuple[StackCost, ...] | UnsetType = UNSET
    hardware: tuple[HardwarePart, ...] | UnsetType = UNSET

    statements: tuple[StatementCost, ...] | UnsetType = UNSET
    statement_claims: tuple[StatementClaim, ...] | UnsetType = UNSET

    eliminations: tuple[Eliminated, ...] | UnsetType = UNSET
    state: tuple[StateEntry, ...] | UnsetType = UNSET

    factorial: OptionEffects | UnsetType = UNSET
    rebuilt: Rebuilt | UnsetType = UNSET
    remedy: Remedy | UnsetType | None = UNSET


Part = TypeVar("Part", bound=Noun)


def part(verdict: Verdict, kind: type[Part]) -> Part | None:
    """The section with the fields of ``kind`` (``Amortization``, ``Suspects``, ``Rebuilding``); None: not asked."""
    found = {name: getattr(verdict, name) for name in kind.__struct_fields__}
    return None if UNSET in found.values() else kind(**found)
