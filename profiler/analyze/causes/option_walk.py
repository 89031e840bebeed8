"""The walk from the program to the library over measured combinations: what each option takes in each order.

Build options work on each other, so what one takes depends on which others are there. An order of the options is a walk
over combinations that were built and measured; the mean over the orders (Shapley 1953; one that decides if another
applies comes first, Faigle & Kern 1992) adds up to the whole, and is the ratio of no two builds.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

from profiler.analyze.compare import Costs
from profiler.analyze.effects import Share, logs, share_of
from profiler.catalogue.factorial_design import levels_of
from profiler.model import Noun
from profiler.model.factorial import Built, Factor, FactorialPlan, Levels

if TYPE_CHECKING:
    import pandas as pd

ENDS = ("program", "library")


class BuildPair(Noun, frozen=True, kw_only=True):
    """Two measured launchers that differ in one option."""

    from_: str
    to: str
    effect: pd.Series
    """Log ratio per block."""


class Stride(Noun, frozen=True, kw_only=True):
    """What one option takes on the way from the program to the library."""

    factor: Factor
    from_: str
    """Its level in the program."""
    to: str
    effect: pd.Series
    """Mean over the orders, in logs per block."""
    orders: int
    pairs: tuple[BuildPair, ...]
    """The measured pairs that the mean is of, each once."""

    def shares(self, whole: pd.Series) -> tuple[float, float] | None:
        """The least and the most of ``whole`` that it takes, over the orders."""
        found = [share for pair in self.pairs if (share := share_of(pair.effect, whole).share) is not None]
        return (min(found), max(found)) if found else None


class Walk(Noun, frozen=True, kw_only=True):
    """From the baseline to the embedder: what rebuilding does not reproduce of both ends, and the options between."""

    program: str
    """Launcher of the combination that stands for the distribution's program."""
    library: str
    embedder: str
    before: pd.Series
    """Log ratio of ``program`` to the baseline."""
    strides: tuple[Stride, ...]
    after: pd.Series
    """Log ratio of the embedder to ``library``."""
    whole: pd.Series
    """Log ratio of the embedder to the baseline: the sum of all."""

    @property
    def left(self) -> Share:
        """What rebuilding does not reproduce."""
        return share_of(self.before + self.after, self.whole)


class Alone(Noun, frozen=True, kw_only=True):
    """The library with one option set to the program's level."""

    launcher: str | None
    """None: it cannot be taken away alone, or was not measured so."""
    reason: str | None


def walk(costs: Costs, plan: FactorialPlan, built: tuple[Built, ...], metric: str) -> Walk | None:
    """None where an end, or a combination on the way, was not measured in ``metric``."""
    embedder = costs.roles.embedder
    if embedder is None or not set(ENDS) <= plan.reproduces.keys():
        return None
    table = costs_of_builds(costs, built, metric)
    whole = logs(costs, costs.roles.baseline, embedder, metric)
    names = {tuple(build.levels.items()): build.launcher for build in built}
    program, library = (completed(plan, plan.reproduces[end]) for end in ENDS)

    def at(state: Levels) -> str | None:
        name = names.get(tuple(levels_of(plan, state).items()))
        return name if name is not None and name in table else None

    first, last = at(program), at(library)
    if first is None or last is None or whole.empty:
        return None
    blocks = table.index.intersection(whole.index)
    table = table.loc[blocks]
    changing = [factor for factor in plan.factors if program[factor.name] != library[factor.name]]
    orders = [order for order in permutations(changing) if _in_sequence(order)]
    means: dict[str, pd.Series] = {}
    pairs: dict[str, dict[tuple[str, str], BuildPair]] = {}
    for order in orders:
        state, before = dict(program), first
        for factor in order:
            state[factor.name] = library[factor.name]
            after = at(state)
            if after is None:
                return None
            pair = BuildPair(from_=before, to=after, effect=table[after] - table[before])
            means[factor.name] = means.get(factor.name, 0.0) + pair.effect / len(orders)
            pairs.setdefault(factor.name, {})[before, after] = pair
            before = after
    return Walk(
        program=first,
        library=last,
        embedder=embedder,
        before=table[first],
        strides=tuple(
            Stride(
                factor=factor,
                from_=program[factor.name],
                to=library[factor.name],
                effect=means[factor.name],
                orders=len(orders),
                pairs=tuple(pairs[factor.name].values()),
            )
            for factor in changing
        ),
        after=whole[blocks] - table[last],
        whole=whole[blocks],
    )


def alone(plan: FactorialPlan, built: tuple[Built, ...], factor: Factor) -> Alone:
    """The embedder on the library with ``factor`` alone as in the program."""
    program, library = (completed(plan, plan.reproduces[end]) for end in ENDS)
    state = library | {factor.name: program[factor.name]}
    gone = [
        other.name
        for other in plan.factors
        if other.name in levels_of(plan, library) and other.name not in levels_of(plan, state)
        if library[other.name] != program[other.name]
    ]
    if gone:
        return Alone(launcher=None, reason=f"it cannot go alone: without it {', '.join(gone)} does not apply")
    wanted = levels_of(plan, state)
    for build in built:
        if build.levels == wanted:
            return Alone(launcher=build.launcher, reason=None)
    return Alone(launcher=None, reason="the library without it alone was not built")


def costs_of_builds(costs: Costs, built: tuple[Built, ...], metric: str) -> pd.DataFrame:
    """Log costs relative to the baseline: a row per block that has all combinations, a column per launcher."""
    import pandas as pd

    series = {build.launcher: logs(costs, costs.roles.baseline, build.launcher, metric) for build in built}
    if not series or any(column.empty for column in series.values()):
        return pd.DataFrame()
    return pd.DataFrame(series).dropna()


def completed(plan: FactorialPlan, levels: Levels) -> Levels:
    """``levels`` with the level of each factor that does not apply there: the one that is fixed, or else the first."""
    first = {factor.name: factor.levels[0].name for factor in plan.factors} | plan.fixed
    return {factor.name: levels.get(factor.name, first[factor.name]) for factor in plan.factors}


def _in_sequence(order: tuple[Factor, ...]) -> bool:
    """Whether each factor comes after those that decide if it applies: before them it would change nothing."""
    return all(factor.name not in later.applies for at, later in enumerate(order) for factor in order[at + 1 :])
