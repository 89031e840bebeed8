"""From how much work on an embedder pays: the points of a sweep, the model, the crossover, and where a launch goes."""

from __future__ import annotations

from typing import Literal

from profiler.model.base import Noun
from profiler.model.startup import Startup

CrossoverStatus = Literal["found", "none", "unbounded"]


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
    status: CrossoverStatus
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
    status: CrossoverStatus
    m: float | None
    lo: float | None
    hi: float | None


class CountedSweep(Noun, frozen=True, kw_only=True):
    """The same model in instructions, which know no noise of the machine, and no CPI either."""

    points: tuple[CountedPoint, ...]
    model: tuple[CountedModel, ...]
    crossover: tuple[CountedCrossover, ...]


class Amortization(Noun, frozen=True, kw_only=True):
    """What a sweep over M adds to a verdict."""

    points: tuple[Point, ...]
    model: tuple[Model, ...]
    crossover: tuple[Crossover, ...]
    savings: tuple[Saving, ...]
    per_launch: tuple[PerLaunch, ...]
    instructions: CountedSweep | None
    advice: tuple[str, ...]
    startup: Startup
