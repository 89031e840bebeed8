"""How a ratio and its interval are written for people: the one place that decides, for terminal, page and finding.

A ratio has four significant digits. Its interval is ``± half`` with two digits, three decimals at most, where the two
sides differ by under a quarter of the width, else ``lo to hi``. One that spans more than a factor of two decides
nothing: its bounds stand alone. ``exact`` is said of counts that are equal in all blocks, and of nothing else.
"""

from __future__ import annotations

import math

from profiler.analyze.stats import too_wide
from profiler.analyze.wording import RESIDUE
from profiler.catalogue.metrics import METRIC
from profiler.model import Noun

_UNKNOWN = "–"
_UNEVEN = 0.25
_MOST_DECIMALS = 3
_LEAST_HALF = 0.5 * 10**-_MOST_DECIMALS


class RatioText(Noun, frozen=True, kw_only=True):
    """A ratio as it is written: two cells of a table, or ``1.194 ± 0.046`` in a sentence."""

    ratio: str
    """Empty where only the bounds can be told."""
    spread: str
    """``± 0.046``, ``exact``, ``0.90 to 2.27``, ``once``; empty where nothing is known."""

    @property
    def is_width(self) -> bool:
        """Whether the spread is an interval, and not what stands in the place of one."""
        return self.spread not in ("exact", "equal", "once", "")

    @property
    def width(self) -> str:
        """The interval in a sentence: ``± 0.046``, ``(1.205 to 1.208)`` behind its ratio, or nothing."""
        if not self.is_width:
            return ""
        return self.spread if self.spread.startswith("±") or not self.ratio else f"({self.spread})"

    @property
    def basis(self) -> str:
        """``exact``, ``equal``, ``measured once``: what stands in the place of an interval."""
        return "measured once" if self.spread == "once" else "" if self.is_width else self.spread

    @property
    def inside(self) -> str:
        """The same for where it stands in parentheses: ``1.000 exact``."""
        return " ".join(filter(None, (self.ratio, self.width or self.basis)))

    def __str__(self) -> str:
        return " ".join(filter(None, (self.ratio, self.width or (f"({self.basis})" if self.basis else ""))))


def told(ratio: float | None, lo: float | None, hi: float | None, *, exact: bool = False) -> RatioText:
    """A ratio with its interval; ``exact``: its figures are counts that a second run repeats to the digit."""
    if ratio is None or lo is None or hi is None:
        return RatioText(ratio=_UNKNOWN, spread="") if ratio is None else RatioText(ratio=digits(ratio), spread="once")
    if hi - lo <= RESIDUE * abs(hi):
        return RatioText(ratio=digits(ratio), spread="exact" if exact else "equal")
    if too_wide(lo, hi):
        return RatioText(ratio="", spread=bounds(lo, hi))
    half = (hi - lo) / 2
    if half < _LEAST_HALF:
        return RatioText(ratio=digits(ratio), spread=f"± < {10**-_MOST_DECIMALS:.{_MOST_DECIMALS}f}")
    decimals = min(_MOST_DECIMALS, max(0, 1 - math.floor(math.log10(half))))
    uneven = abs((hi - ratio) - (ratio - lo)) >= _UNEVEN * (hi - lo)
    spread = f"{lo:.{decimals}f} to {hi:.{decimals}f}" if uneven else f"± {half:.{decimals}f}"
    return RatioText(ratio=f"{ratio:.{decimals}f}", spread=spread)


def pair(ratio: float | None, lo: float | None, hi: float | None, *, exact: bool = False) -> tuple[str, str]:
    """``told`` as two cells."""
    found = told(ratio, lo, hi, exact=exact)
    return found.ratio, found.spread


def digits(ratio: float) -> str:
    """A ratio with four significant digits: ``1.205``, ``0.9989``, ``12.35``."""
    if ratio <= 0 or not math.isfinite(ratio):
        return f"{ratio:.3f}"
    rounded = float(f"{ratio:.3e}")
    return f"{rounded:.{max(0, 3 - math.floor(math.log10(rounded)))}f}"


def bounds(lo: float, hi: float) -> str:
    """``0.90 to 2.27`` where a ratio would say nothing."""
    decimals = 2 if hi - lo >= 0.1 else 3
    return f"{_rough(lo, decimals)} to {_rough(hi, decimals)}"


def _rough(bound: float, decimals: int) -> str:
    if bound < 0.05:
        return "0.0"
    return ">100" if bound > 100 else f"{bound:.{decimals}f}" if bound < 10 else f"{bound:.1f}"


def share(part: float | None) -> str:
    """``42.6 %``: a part of a whole, with one decimal."""
    return _UNKNOWN if part is None else f"{abs(part) if abs(part) < 0.0005 else part:.1%}".replace("%", " %")


def shares(least: float | None, most: float | None) -> str:
    """``27 – 74``: in per cent, from the least to the most over orders."""
    return "" if least is None or most is None else f"{100 * least:.0f} – {100 * most:.0f}"


def value(metric: str, amount: float | None) -> str:
    """A cost with its unit: ``1,128``, ``936.4``, ``97.0 ns``, ``68.5 M``."""
    if amount is None:
        return _UNKNOWN
    scale, unit = METRIC[metric].shown
    scaled = amount * scale
    if unit:
        return f"{scaled:,.1f} {unit}" if abs(scaled) >= 10 else f"{scaled:.3g} {unit}"
    return count(scaled)


def count(amount: float) -> str:
    """A count with four significant digits, thousands grouped; of the rare only that they are."""
    if 0 < abs(amount) < 0.001:
        return "< 0.001"
    for least, decimals in ((1000, 0), (100, 1), (10, 2)):
        if abs(amount) >= least:
            return f"{amount:,.{decimals}f}"
    return f"{amount:.3f}" if amount else "0"
