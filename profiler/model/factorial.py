"""A factorial plan: factors of two levels, the combinations that are built, and what their effects can be told from.

Pure. Recording builds the combinations of a plan, analysing fits its model; both take them from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations, product
from typing import TYPE_CHECKING, Literal

import msgspec

from profiler.errors import UsageError
from profiler.model.base import Noun
from profiler.model.launcher import BASELINE, EMBEDDER

if TYPE_CHECKING:
    import numpy as np

Levels = dict[str, str]
"""Factor → level of one combination. A factor that does not apply to it is absent."""

Effect = tuple[str, ...]
"""A main effect ``("pgo",)``, or a two-factor interaction ``("pgo", "lto")``, factors in the plan's order."""

_RANK_TOLERANCE = 1e-9


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


def check(plan: FactorialPlan, where: str) -> None:
    """Refuse a plan that contradicts itself.

    Raises:
        UsageError: naming the entry and what would be right.
    """
    names = [factor.name for factor in plan.factors]
    levels = {factor.name: [level.name for level in factor.levels] for factor in plan.factors}
    hint = "experiments/rebuild-default.toml is an example"
    if len(set(names)) < len(names) or not names:
        raise UsageError(f"{where}: factors need different names, at least one", hint=hint)
    said: list[tuple[str, Mapping[str, str]]] = [("fixed", plan.fixed)]
    said += [(f"extra {dict(one)}", one) for one in plan.extra]
    said += [("training", plan.training)]
    said += [(f"reproduces.{name}", one) for name, one in plan.reproduces.items()]
    said += [(f"factor {factor.name}, applies", factor.applies) for factor in plan.factors]
    for place, chosen in said:
        for name, level in chosen.items():
            if level not in levels.get(name, ()):
                known = ", ".join(f"{factor} = {' | '.join(own)}" for factor, own in levels.items())
                raise UsageError(f"{where}: {place}: no level {name} = {level!r}; there are {known}", hint=hint)
    for key, generator in plan.fraction.items():
        unknown = {key, *generator} - set(names)
        if unknown or key in generator or not generator or set(generator) & set(plan.fraction):
            raise UsageError(
                f"{where}: fraction: {key} = {list(generator)} must name factors that are not generated themselves",
                hint='for example usdt = ["pgo", "lto"]',
            )


def levels_of(plan: FactorialPlan, chosen: Mapping[str, str]) -> Levels:
    """``chosen`` in the plan's order, without the factors that change nothing in it."""
    return {
        factor.name: chosen[factor.name]
        for factor in plan.factors
        if factor.name in chosen and all(chosen.get(name) == level for name, level in factor.applies.items())
    }


def cells(plan: FactorialPlan) -> tuple[Levels, ...]:
    """The combinations of the plan, each once: the full plan or its fraction, then the extra ones."""
    free = [factor for factor in plan.factors if factor.name not in plan.fixed and factor.name not in plan.fraction]
    found: list[Levels] = []
    for choice in product(*(factor.levels for factor in free)):
        chosen = dict(plan.fixed) | {factor.name: level.name for factor, level in zip(free, choice, strict=True)}
        for name, generator in plan.fraction.items():
            sign = 1
            for other in generator:
                sign *= _sign(plan.factor(other), chosen[other])
            chosen[name] = plan.factor(name).levels[sign > 0].name
        found.append(levels_of(plan, chosen))
    library = plan.reproduces.get("library", {})
    found += [levels_of(plan, dict(plan.fixed) | library | one) for one in plan.extra]
    return tuple(dict(one) for one in dict.fromkeys(tuple(one.items()) for one in found))


def cell_name(levels: Mapping[str, str]) -> str:
    """``pgo,lto,shared,interposable``: the levels' names."""
    return ",".join(levels.values())


def needed_hwcap(plan: FactorialPlan, levels: Mapping[str, str]) -> str | None:
    """The kind of CPU that the code of this combination needs; None: the one that the target needs."""
    return next((need for name, one in levels.items() if (need := plan.factor(name).level(one).hwcap)), None)


def model(plan: FactorialPlan) -> tuple[Effect, ...]:
    """Main effects and two-factor interactions that any combination can show.

    A factor that is fixed has none, and one that applies at one level of another only has no interaction with it: that
    is the same figure as its effect. One that is fixed but for a single extra combination has its effect there, and no
    second pair that could show an interaction: with one in the model no effect at all could be told from the others.
    """
    varied = [name for one in plan.extra for name in one]
    names = [factor.name for factor in plan.factors if factor.name not in plan.fixed or factor.name in varied]
    nested = {(factor.name, other) for factor in plan.factors for other in factor.applies}
    once = {name for name in plan.fixed if varied.count(name) == 1}
    pairs = [pair for pair in combinations(names, 2) if not {pair, pair[::-1]} & nested and not once & set(pair)]
    return (*((name,) for name in names), *pairs)


def columns(plan: FactorialPlan, built: Iterable[Mapping[str, str]], effects: Iterable[Effect]) -> np.ndarray:
    """The model matrix: a row per combination, first a column of ones, then one per effect.

    Signs are ± 1/2 (first level -1/2), a factor that does not apply is 0, and an interaction is twice the product, so
    a coefficient is the difference that the second level makes, or half the difference of two such differences (Box,
    Hunter & Hunter, Statistics for Experimenters, ch. 5).
    """
    import numpy as np

    rows = []
    for levels in built:
        half = {
            factor.name: _sign(factor, levels[factor.name]) / 2 if factor.name in levels else 0.0
            for factor in plan.factors
        }
        rows.append([1.0, *(half[e[0]] if len(e) == 1 else 2 * half[e[0]] * half[e[1]] for e in effects)])
    return np.array(rows, dtype=float)


def separable(
    plan: FactorialPlan, built: tuple[Levels, ...]
) -> tuple[tuple[Effect, ...], tuple[tuple[Effect, ...], ...]]:
    """Which effects the combinations ``built`` can tell apart, and the sets of those that they cannot.

    An effect is estimable when its column is no linear combination of the others. Of the rest, those that take part
    in one dependency form an alias set; an effect that no combination varies is a set of its own.
    """
    from scipy.linalg import null_space

    effects = model(plan)
    matrix = columns(plan, built, effects)
    kernel = null_space(matrix, rcond=_RANK_TOLERANCE)
    # The projector on the kernel does not depend on the basis that was found: blocks of it are the alias sets.
    projector = kernel @ kernel.T
    loose = [number for number in range(1, matrix.shape[1]) if projector[number, number] > _RANK_TOLERANCE]
    clear = tuple(effect for number, effect in enumerate(effects, 1) if number not in loose)
    sets: list[set[int]] = []
    for number in loose:
        linked = {other for other in loose if abs(projector[number, other]) > _RANK_TOLERANCE} | {number}
        joined = [one for one in sets if one & linked]
        sets = [one for one in sets if not one & linked] + [linked.union(*joined)]
    aliases = tuple(tuple(effects[number - 1] for number in sorted(one)) for one in sorted(sets, key=min))
    return clear, aliases


def _sign(factor: Factor, level: str) -> int:
    return -1 if level == factor.levels[0].name else 1
