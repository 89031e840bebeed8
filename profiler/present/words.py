"""How figures, intervals and metrics are written for people."""

from __future__ import annotations

from collections.abc import Iterable

from profiler.analyze.stats import too_wide
from profiler.analyze.words import measured_once
from profiler.catalogue.events import BY_NAME, DERIVED
from profiler.model import AGAIN, Comparison

_TITLES = {event.name: event.title for event in BY_NAME.values()} | {d.name: d.title for d in DERIVED}
_TITLES |= {"startup-wall": "start-up time, ms", "startup-instructions": "start-up instructions, M"}
_SCALES = {"startup-wall": 1e-6, "startup-instructions": 1e-6}
_TITLES |= {"task-clock": "CPU time, ns", "wall": "wall time, ns"}


_RESIDUE = 1e-12
"""What sums leave of 0: no count and no time is so small."""


def figure(value: float | None, digits: int = 2) -> str:
    """A figure for people: thousands grouped, small ones with their leading digits, unknown as a dash."""
    if value is None:
        return "–"
    if _RESIDUE < abs(value) < 0.01:
        return f"{value:.2g}"
    return f"{value if abs(value) > _RESIDUE else 0.0:,.{digits}f}"


def amount(metric: str, value: float | None) -> str:
    """A figure of ``metric`` in the unit that its title names."""
    return figure(None if value is None else value * _SCALES.get(metric, 1.0))


def interval(lo: float | None, hi: float | None, digits: int = 4) -> str:
    """``[lo, hi]``, or a dash for an interval that does not exist."""
    if lo is None or hi is None:
        return "–"
    return f"[{lo:.{digits}f}, {hi:.{digits}f}]"


def decides(lo: float | None, hi: float | None) -> bool:
    """Whether an interval of a ratio is narrow enough to be told with its ratio, or excludes 1."""
    return lo is None or hi is None or not too_wide(lo, hi) or not lo <= 1 <= hi


def ratio(value: float | None, lo: float | None, hi: float | None, digits: int = 4) -> str:
    """A ratio for people; a dash where it is unknown or its interval decides nothing."""
    return "–" if value is None or not decides(lo, hi) else f"{value:.{digits}f}"


def ratio_interval(lo: float | None, hi: float | None, digits: int = 4) -> str:
    """``[lo, hi]`` of a ratio; ``not decided (0.0 to >100)`` where it spans more than a factor of two and 1."""
    if lo is None or hi is None or not too_wide(lo, hi):
        return interval(lo, hi, digits)
    bounds = _rough(lo), _rough(hi)
    return f"[{', '.join(bounds)}]" if decides(lo, hi) else f"not decided ({' to '.join(bounds)})"


def _rough(bound: float) -> str:
    if bound < 0.05:
        return "0.0"
    return ">100" if bound > _HIGHEST else f"{bound:.2f}" if bound < 10 else f"{bound:.1f}"


_HIGHEST = 100.0


def effect(smallest: float | None) -> str:
    """The smallest difference that a comparison shows."""
    return "–" if smallest is None else ">100%" if smallest > 1 else f"{smallest:.2%}"


def verdict_word(comparison: Comparison) -> str:
    """The verdict for people: a single block is no unresolved question, it is one measurement."""
    return "measured once" if measured_once(comparison) else comparison.verdict


def detectable(comparisons: Iterable[Comparison], metrics: Iterable[str], launchers: Iterable[str] = ()) -> str:
    """The smallest difference per metric that the blocks would show, for a table's note; empty where unknown.

    Of ``launchers`` (default: all but the baseline's twin) the one that could hide the largest difference.
    """
    wanted, only = list(dict.fromkeys(metrics)), set(launchers)
    worst: dict[str, float] = {}
    for one in comparisons:
        if one.smallest_effect is None or one.launcher == AGAIN or (only and one.launcher not in only):
            continue
        worst[one.metric] = max(worst.get(one.metric, 0.0), one.smallest_effect)
    told = [f"{metric} {effect(worst[metric])}" for metric in wanted if metric in worst]
    return f"detectable with 80 % power, per iteration: {', '.join(told)}" if told else ""


def title(metric: str) -> str:
    """The metric's name for people."""
    return _TITLES.get(metric, metric)
