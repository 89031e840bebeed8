"""A factorial plan of builds: factors of two levels, what was built of it, and the remedy that was made.

Recording builds the combinations of a plan, analysing fits its model: both take them from the catalogue's
``factorial_design``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from profiler.model.base import Noun
from profiler.model.launcher import BASELINE, EMBEDDER

Levels = dict[str, str]
"""Factor → level of one combination. A factor that does not apply to it is absent."""

Effect = tuple[str, ...]
"""A main effect ``("pgo",)``, or a two-factor interaction ``("pgo", "lto")``, factors in the plan's order."""


class Level(Noun, frozen=True, kw_only=True):
    """What one level of a factor adds to a build."""

    name: str
    configure: tuple[str, ...] = ()
    """Arguments of ``configure``."""
    without: tuple[str, ...] = ()
    """Arguments of ``configure`` and flags that the base has and this level takes away."""
    cflags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ()
    """Of every link."""
    core_ldflags: tuple[str, ...] = ()
    """Of the product's link alone: the helpers of CPython's build need no LTO."""
    program_cflags: tuple[str, ...] = ()
    """Of an interpreter that is no shared library: ``-fno-pie`` would undo the ``-fPIC`` of extension modules."""
    program_ldflags: tuple[str, ...] = ()
    """Of the link of programs alone: ``-no-pie`` would undo the ``-shared`` of extension modules."""
    product: Literal["program", "library"] | None = None
    """What is built: ``python`` with its own eval loop, or the shared libpython."""
    profile: bool = False
    """Compiled with the counts of a training run."""
    retrain: bool = False
    """Changes what the compiler instruments, so that a training without this level does not fit."""
    needs: tuple[str, ...] = ()
    """Programs without which this level cannot be built."""
    hwcap: str | None = None
    """The loader's name of a kind of CPU (``x86-64-v3``) that the code needs: no drop-in for every machine."""
    remedy: str | None = None
    """What a distribution has to do to build its library so."""


class Factor(Noun, frozen=True, kw_only=True):
    """One option of the build. Effects are told as the second level against the first."""

    name: str
    title: str
    levels: tuple[Level, Level]
    cause: str | None = None
    """Id in the catalogue of causes."""
    applies: dict[str, str] = msgspec.field(default_factory=dict)
    """Factor → level that a combination must have for this factor to change anything."""

    def level(self, name: str) -> Level:
        """The level of that name."""
        return next(level for level in self.levels if level.name == name)


class FactorialPlan(Noun, frozen=True, kw_only=True):
    """Factors, the combinations to build, and which of them stand for the distribution's own files."""

    title: str
    factors: tuple[Factor, ...]
    fraction: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Generators of a fractional plan: the sign of the key is the product of the signs of the factors named. Empty: all
    combinations."""
    fixed: dict[str, str] = msgspec.field(default_factory=dict)
    """Factor → level that it has in the whole plan, except in ``extra`` combinations."""
    extra: tuple[Levels, ...] = ()
    """Combinations beside the plan, each ``{factor: level}`` over the levels of ``reproduces["library"]``."""
    training: Levels = msgspec.field(default_factory=dict)
    """Levels of the training build, whose counts serve every combination with ``profile``; ``retrain`` levels are added
    where a combination has them. Sound where the compiler finds that the counts fit (``mismatched_functions``)."""
    training_task: Literal["cpython", "distribution"] = "cpython"
    """What the training runs: CPython's own choice of its tests, or that of the distribution's source package."""
    reproduces: dict[str, Levels] = msgspec.field(default_factory=dict)
    """``program`` and ``library``: the combinations that the distribution built itself."""
    cflags: tuple[str, ...] = ()
    """Added to the target's own in every combination."""
    without: tuple[str, ...] = ()
    """Flags and configure arguments of the target that no combination gets."""

    def factor(self, name: str) -> Factor:
        """The factor of that name."""
        return next(factor for factor in self.factors if factor.name == name)


class Training(Noun, frozen=True, kw_only=True):
    """One run of CPython's training task on an instrumented build."""

    key: str
    tests: int
    """Test files that began."""
    failed_tests: int
    """Of them those that failed or were skipped: code that was not trained."""
    failed_names: tuple[str, ...] = ()
    """Which; empty where only their number was kept."""


class Built(Noun, frozen=True, kw_only=True):
    """One combination, built."""

    levels: Levels
    kind: Literal["program", "library"]
    product: str
    """The file: the shared libpython under its soname, or the program."""
    build_id: str | None
    key: str
    configure: tuple[str, ...]
    cflags: tuple[str, ...]
    ldflags: tuple[str, ...]
    training: Training | None
    """Whose counts it was compiled with."""
    mismatched_functions: int | None
    """Functions to which the training's counts did not fit: GCC compares a checksum of each control-flow graph."""
    seconds: float
    log: str

    @property
    def launcher(self) -> str:
        """The launcher that runs it: the unchanged embedder on the library, or the program itself."""
        return f"{EMBEDDER if self.kind == 'library' else BASELINE}@{cell_name(self.levels)}"


class NotBuilt(Noun, frozen=True, kw_only=True):
    """A combination that could not be built, with the builder's own words."""

    levels: Levels
    message: str
    hint: str | None


class Rebuilt(Noun, frozen=True, kw_only=True):
    """What a run stands on whose launchers are rebuilt libraries."""

    plan: FactorialPlan
    source: str
    """Where the source came from, for people."""
    compiler: str
    """Last line of ``gcc -v``."""
    changed: tuple[str, ...]
    """What is not as the target's sysconfig says."""
    built: tuple[Built, ...]
    failed: tuple[NotBuilt, ...]


class RemedyCheck(Noun, frozen=True, kw_only=True):
    """One condition of a drop-in library."""

    name: str
    passed: bool | None
    """None: it could not be checked here."""
    evidence: str


class RemedyTime(Noun, frozen=True, kw_only=True):
    """The remedy's cost against that of one launcher, in one metric of time, per iteration."""

    against: str
    metric: str
    ratio: float | None
    lo: float | None
    hi: float | None
    blocks: int
    asked: float
    """Half-width of the interval that was asked for, relative."""
    resolved: bool
    """The interval is that narrow."""
    kind: str
    """How it was timed: ``chunks`` or ``whole processes``."""
    reason: str | None
    """Why there is no ratio."""
    disturbed: bool
    """Blocks were begun while other work took the CPUs."""


class Remedy(Noun, frozen=True, kw_only=True):
    """The library that takes the tax away, and what was checked of it."""

    launcher: str
    library: str
    build_id: str | None
    soname: str | None
    build: tuple[str, ...]
    """What to change in the distribution's build, a sentence each."""
    checks: tuple[RemedyCheck, ...]
    times: tuple[RemedyTime, ...] = ()
    """Empty where it was not timed. Found in the rows beside the library, never saved with the run."""


def remedy_time_folder(remedy: Remedy) -> str:
    """Where the timing of this very library is kept, relative to the result folder."""
    return f"remedy/time-{(remedy.build_id or 'unknown')[:12]}"


def cell_name(levels: Mapping[str, str]) -> str:
    """``pgo,lto,shared,interposable``: the levels' names."""
    return ",".join(levels.values())
