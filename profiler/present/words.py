"""How figures, intervals, metrics and verdicts are written for people; for every table and text."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from profiler.analyze import price as blocks
from profiler.analyze.wording import RESIDUE, measured_once
from profiler.catalogue.metrics import METRIC, model_of, title
from profiler.model import AGAIN, Comparison, Verdict, VerdictWord
from profiler.present.table import UNKNOWN, Mark, Tone

_HIGHEST = 100.0
_TONES: dict[VerdictWord, Tone] = {"slower": "worse", "faster": "better", "same": "plain", "unresolved": "open"}
_WORDS = {
    "speed": {"slower": "slower", "faster": "faster"},
    "level": {"slower": "lower", "faster": "higher"},
    "number": {"slower": "more", "faster": "fewer"},
}


def figure(value: float | None, digits: int = 2) -> str:
    """A figure for people: thousands grouped, small ones with their leading digits, unknown as a dash."""
    if value is None:
        return UNKNOWN
    if RESIDUE < abs(value) < 0.01:
        return f"{value:.2g}"
    return f"{value if abs(value) > RESIDUE else 0.0:,.{digits}f}"


def interval(lo: float | None, hi: float | None, digits: int = 4) -> str:
    """``[lo, hi]``, or a dash for an interval that does not exist."""
    return UNKNOWN if lo is None or hi is None else f"[{lo:.{digits}f}, {hi:.{digits}f}]"


def is_exact(comparison: Comparison) -> bool:
    """Whether its figures are counts that are the same to the digit in all blocks."""
    lo, hi = comparison.lo, comparison.hi
    return of_exact_source(comparison) and lo is not None and hi is not None and hi - lo <= RESIDUE * hi


def of_exact_source(comparison: Comparison) -> bool:
    """Whether a second run of the same process would repeat its figures to the digit."""
    return comparison.source in METRIC[comparison.metric].exact_by


def exact_metrics(verdict: Verdict) -> frozenset[str]:
    """Metrics whose figures are of an exact source."""
    return frozenset(comparison.metric for comparison in verdict.comparisons if of_exact_source(comparison))


def effect(smallest: float | None) -> str:
    """The smallest difference that a comparison shows."""
    if smallest is None:
        return UNKNOWN
    return ">100%" if smallest > 1 else "<0.01%" if smallest < 0.00005 else f"{smallest:.2%}"


def reach(comparison: Comparison) -> str:
    """The same of a comparison; nothing of an exact one, which has no scatter to hide a difference in."""
    return "" if is_exact(comparison) else effect(comparison.detectable_effect)


def price(comparison: Comparison) -> str:
    """``17 for 5%``: the blocks that would show a difference; nothing for what is resolved."""
    if comparison.verdict != "unresolved" or comparison.ratio is None or measured_once(comparison):
        return ""
    return UNKNOWN if comparison.blocks_needed is None else f"{comparison.blocks_needed} for {blocks.told(comparison)}"


def verdict_mark(comparison: Comparison) -> Mark:
    """The verdict for people, in the metric's own words; of a single block, that it is one measurement."""
    return mark(comparison.metric, comparison.verdict, once=measured_once(comparison))


def mark(metric: str, verdict: VerdictWord, *, once: bool) -> Mark:
    """A verdict on ``metric``; ``once``: it stands on a single block."""
    if once:
        return Mark(text="measured once", tone="open")
    words = {"unresolved": "not decided"} | _WORDS[METRIC[metric].words]
    return Mark(text=words.get(verdict, verdict), tone=_TONES[verdict])


def detectable(comparisons: Iterable[Comparison], metrics: Iterable[str], launchers: Collection[str] = ()) -> str:
    """The smallest difference per metric that the blocks would show, for a table's note; empty where unknown.

    Of ``launchers`` (default: all but the baseline's twin) the one that could hide the largest difference.
    """
    wanted = list(dict.fromkeys(metrics))
    worst: dict[str, float] = {}
    for comparison in comparisons:
        if (
            comparison.detectable_effect is None
            or comparison.launcher == AGAIN
            or (launchers and comparison.launcher not in launchers)
        ):
            continue
        if not is_exact(comparison):
            worst[comparison.metric] = max(worst.get(comparison.metric, 0.0), comparison.detectable_effect)
    told = [f"{title(metric)} {effect(worst[metric])}" for metric in wanted if metric in worst]
    return f"detectable with 80 % power, per iteration: {', '.join(told)}" if told else ""


def metric_name(comparison: Comparison) -> str:
    """The metric of a comparison for people, and whether it comes out of a model."""
    model = model_of(comparison.metric, comparison.source)
    return title(comparison.metric) + ("" if model is None else f" ({model})")


def launcher_name(name: str) -> str:
    """A launcher for people."""
    return "A/A" if name == AGAIN else name
