"""How figures stand in the sentences and in the evidence of a verdict; for tables see ``present.words``."""

from __future__ import annotations

from profiler.model import Comparison, Interval

RESIDUE = 1e-12
"""What sums leave of 0: no count and no time is so small, and no interval of equal figures is wider."""
_EQUAL = 0.001
"""Per cent; half an interval of less has no width that two digits would show."""


def bounds(lo: float, hi: float, digits: int = 4, *, equal: str = "exact") -> str:
    """``[lo, hi]``; ``equal`` where there is no width, and that there is hardly one where ``digits`` show none."""
    if hi - lo <= RESIDUE * abs(hi):
        return equal
    told = f"{lo:.{digits}f}", f"{hi:.{digits}f}"
    return f"± < {10**-digits:.{digits}f}" if told[0] == told[1] else f"[{', '.join(told)}]"


def told(interval: Interval | Comparison) -> str:
    """A ratio with its interval: ``1.0825 [1.0822, 1.0829]``; ``1.0825 (exact)`` where no block differs."""
    if interval.ratio is None:
        return "unknown"
    if interval.lo is None or interval.hi is None:
        return f"{interval.ratio:.4f} (measured once)"
    return f"{interval.ratio:.4f} {bounds(interval.lo, interval.hi, equal='(exact)')}"


def percent(share: float | None) -> str:
    """A part of a whole."""
    return "an unknown part" if share is None else f"{share:.1%}"


def difference(comparison: Comparison) -> str:
    """``20.2 % ± 0.1 %``: the relative difference and the larger half of its interval, where that has a width."""
    assert comparison.ratio is not None
    relative = abs(comparison.ratio - 1) * 100
    if comparison.lo is None or comparison.hi is None:
        return f"{relative:.2f} % (no interval)"
    half = 100 * max(comparison.hi - comparison.ratio, comparison.ratio - comparison.lo)
    if half < _EQUAL:
        return f"{relative:.2f} %"
    digits = 1 if half >= 0.05 else 2
    return f"{relative:.{digits}f} % ± {max(half, 10**-digits):.{digits}f} %"


def stands_on(comparison: Comparison) -> str:
    """What the interval is over, or that there is none since all blocks are equal, which is no certainty of its own."""
    if comparison.over is not None:
        return f" (over {comparison.over})"
    equal = comparison.lo is not None and comparison.hi is not None and comparison.hi - comparison.lo < _EQUAL / 50
    return f" (equal in all {comparison.blocks} blocks)" if equal else ""


def measured_once(comparison: Comparison) -> bool:
    """Whether the figure is that of a single block, which has no interval."""
    return comparison.blocks == 1 and comparison.ratio is not None and comparison.lo is None
