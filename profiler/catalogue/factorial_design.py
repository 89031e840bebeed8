"""The combinations of a factorial plan, and what the effects of its factors can be told from. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations, product
from typing import TYPE_CHECKING

from profiler.errors import UsageError
from profiler.model.factorial import Effect, Factor, FactorialPlan, Levels

if TYPE_CHECKING:
    import numpy as np

_RANK_TOLERANCE = 1e-9


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
    said += [(f"extra {dict(combination)}", combination) for combination in plan.extra]
    said += [("training", plan.training)]
    said += [(f"reproduces.{name}", levels_) for name, levels_ in plan.reproduces.items()]
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
    found += [levels_of(plan, dict(plan.fixed) | library | combination) for combination in plan.extra]
    return tuple(dict(items) for items in dict.fromkeys(tuple(levels.items()) for levels in found))


def needed_hwcap(plan: FactorialPlan, levels: Mapping[str, str]) -> str | None:
    """The kind of CPU that the code of this combination needs; None: the one that the target needs."""
    return next((need for name, level in levels.items() if (need := plan.factor(name).level(level).hwcap)), None)


def model(plan: FactorialPlan) -> tuple[Effect, ...]:
    """Main effects and two-factor interactions that any combination can show.

    A factor that is fixed has none, and one that applies at one level of another only has no interaction with it: that
    is the same figure as its effect. One that is fixed but for a single extra combination has its effect there, and no
    second pair that could show an interaction: with one in the model no effect at all could be told from the others.
    """
    varied = [name for combination in plan.extra for name in combination]
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
        joined = [group for group in sets if group & linked]
        sets = [group for group in sets if not group & linked] + [linked.union(*joined)]
    aliases = tuple(tuple(effects[number - 1] for number in sorted(group)) for group in sorted(sets, key=min))
    return clear, aliases


def _sign(factor: Factor, level: str) -> int:
    return -1 if level == factor.levels[0].name else 1
