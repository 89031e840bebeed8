"""Split a ratio into factors whose logarithms add up: time = instructions × CPI ÷ frequency × off-CPU.

Each term is a product of per-block figures, so the identity holds in every block and hence in the mean of the
logarithms; every term has its own interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from profiler.analyze.compare import MEASURED_ONCE, Costs, paired
from profiler.analyze.stats import log_ratio_interval
from profiler.model import Decomposition, Interval, Noun, Term

if TYPE_CHECKING:
    import pandas as pd

_LEAST_TOTAL = 0.002
"""Shares of a smaller total than this (in logarithms) would be noise divided by nothing."""


class Quotient(Noun, frozen=True, kw_only=True):
    """A quotient of metrics: multiply ``over``, divide by ``under``."""

    term: str
    over: tuple[str, ...]
    under: tuple[str, ...]


class Split(Noun, frozen=True, kw_only=True):
    """``of`` as a product of factors; tried in order, the first whose metrics are all known is used."""

    of: str
    factors: tuple[Quotient, ...]
    note: str | None = None


CYCLES = Split(
    of="cycles",
    factors=(
        Quotient(term="instructions", over=("instructions",), under=()),
        Quotient(term="cpi", over=("cycles",), under=("instructions",)),
    ),
)
_OFF_CPU = Quotient(term="off-cpu", over=("wall",), under=("task-clock",))
TIME: tuple[Split, ...] = (
    Split(
        of="wall",
        factors=(
            Quotient(term="instructions", over=("instructions",), under=()),
            Quotient(term="cpi", over=("cycles",), under=("instructions",)),
            Quotient(term="frequency", over=("task-clock",), under=("cycles",)),
            _OFF_CPU,
        ),
    ),
    Split(
        of="wall",
        factors=(
            Quotient(term="instructions", over=("instructions",), under=()),
            Quotient(term="cpi", over=("task-clock", "clock"), under=("instructions",)),
            Quotient(term="frequency", over=(), under=("clock",)),
            _OFF_CPU,
        ),
        note="no cycle counter: CPI and frequency are estimates from the core clock timed beside each run",
    ),
    Split(
        of="wall",
        factors=(
            Quotient(term="instructions", over=("instructions",), under=()),
            Quotient(term="time-per-instruction", over=("task-clock",), under=("instructions",)),
            _OFF_CPU,
        ),
        note="no cycle counter: CPI and frequency cannot be told apart",
    ),
    Split(
        of="wall",
        factors=(Quotient(term="task-clock", over=("task-clock",), under=()), _OFF_CPU),
        note="no instruction counts",
    ),
)

WITHOUT_WALL: tuple[Split, ...] = tuple(
    msgspec.structs.replace(split, of="task-clock", factors=split.factors[:-1])
    for split in TIME
    if split.factors[-1] == _OFF_CPU and split.factors[0].term == "instructions"
)
"""CPU time instead, where wall time is withdrawn: without the term that is of wall time alone."""


def decompose(costs: Costs, launcher: str) -> tuple[Decomposition, ...]:
    """The splits of cycles and of wall time for one launcher against the baseline; of CPU time where A/A has taken
    wall time out.
    """
    time = TIME
    if "wall" in costs.doubts:
        why = costs.doubts["wall"].reason
        time += tuple(
            msgspec.structs.replace(split, note="; ".join(filter(None, (f"not of wall: {why}", split.note))))
            for split in WITHOUT_WALL
        )
    return (_first_possible(costs, launcher, (CYCLES,)), _first_possible(costs, launcher, time))


def _first_possible(costs: Costs, launcher: str, splits: tuple[Split, ...]) -> Decomposition:
    for split in splits:
        logs = _block_logs(costs, launcher, split)
        if logs is not None:
            return _decomposition(launcher, split, logs)
    wanted = splits[0]
    return Decomposition(
        launcher=launcher,
        of=wanted.of,
        terms=tuple(Term(term=factor.term, ratio=None, lo=None, hi=None, share=None) for factor in wanted.factors),
        residual=None,
        reason=next(
            (costs.reasons[name] for name in (wanted.of, *_needs(wanted)) if name in costs.reasons),
            "the figures it needs were not measured, or were not positive",
        ),
    )


def _needs(split: Split) -> tuple[str, ...]:
    return tuple(name for factor in split.factors for name in (*factor.over, *factor.under))


def _block_logs(costs: Costs, launcher: str, split: Split) -> pd.DataFrame | None:
    """Log ratios per block: a column per factor and one for the whole; None where a figure is missing."""
    import numpy as np
    import pandas as pd

    names = {split.of, *_needs(split)}
    single = {name: paired(costs, costs.roles.baseline, launcher, name, beside=names) for name in names}
    if any(both.empty or not (both > 0).all(axis=None) for both in single.values()):
        return None
    log = pd.DataFrame({name: np.log(both["other"] / both["base"]) for name, both in single.items()}).dropna()
    if log.empty:
        return None
    signed: Callable[[tuple[str, ...]], pd.Series] = lambda chosen: log[list(chosen)].sum(axis=1)  # noqa: E731
    columns = {factor.term: signed(factor.over) - signed(factor.under) for factor in split.factors}
    return pd.DataFrame(columns).assign(_whole=log[split.of])


def _decomposition(launcher: str, split: Split, logs: pd.DataFrame) -> Decomposition:
    means = logs.mean()
    whole = float(means["_whole"])
    interval = log_ratio_interval(logs["_whole"].tolist())
    clear = abs(whole) > _LEAST_TOTAL and interval.lo is not None and interval.hi is not None
    clear = clear and not (interval.lo or 0) <= 1 <= (interval.hi or math.inf)
    terms = tuple(
        _term(factor.term, log_ratio_interval(logs[factor.term].tolist()), whole if clear else None)
        for factor in split.factors
    )
    added = sum(float(means[factor.term]) for factor in split.factors)
    reason = split.note
    if not clear:
        unclear = MEASURED_ONCE if len(logs) < 2 else "the whole is not clearly different from 1"
        reason = "; ".join(filter(None, (reason, f"no shares: {unclear}")))
    return Decomposition(launcher=launcher, of=split.of, terms=terms, residual=whole - added, reason=reason)


def _term(name: str, interval: Interval, whole: float | None) -> Term:
    share = math.log(interval.ratio) / whole if whole is not None and interval.ratio is not None else None
    return Term(term=name, ratio=interval.ratio, lo=interval.lo, hi=interval.hi, share=share)
