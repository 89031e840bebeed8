"""One launcher whose tax is to be explained, and how verdicts on it are written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from profiler.analyze.effects import Share
from profiler.causes import CAUSES, CauseEntry
from profiler.model import BASELINE, Cause, Interval, Launcher, Noun, Run

if TYPE_CHECKING:
    import pandas as pd

NEGLIGIBLE = 0.02
"""A share whose whole interval lies within ± 2 % of the tax is none."""


class Case(Noun, frozen=True, kw_only=True):
    """One launcher whose tax is to be explained."""

    launcher: Launcher
    metric: str
    margin: float
    tax: pd.Series
    """Log ratio to the baseline per block."""


def entry_of(cause: str) -> CauseEntry:
    """The catalogue's entry of a cause id."""
    return next(entry for entry in CAUSES if entry.id == cause)


def fingerprint(run: Run, name: str) -> dict[str, Any]:
    """What a launcher is from inside; empty when it was not seen."""
    return run.fingerprints.get(name, {})


def differs(run: Run, name: str, keys: tuple[str, ...]) -> bool:
    """Whether any of ``keys`` differs from the baseline's fingerprint."""
    return any(fingerprint(run, BASELINE).get(key) != fingerprint(run, name).get(key) for key in keys)


def percent(share: float | None) -> str:
    """A share for people."""
    return "an unknown part" if share is None else f"{share:.1%}"


def told(interval: Interval) -> str:
    """A ratio with its interval for people."""
    if interval.ratio is None:
        return "unknown"
    if interval.lo is None or interval.hi is None:
        return f"{interval.ratio:.4f} (no interval)"
    return f"{interval.ratio:.4f} [{interval.lo:.4f}, {interval.hi:.4f}]"


def cause_of(  # noqa: PLR0917 - one line per verdict reads best
    case: Case, entry: CauseEntry, status: Any, strength: Any, share: Share, evidence: str
) -> Cause:
    """A verdict on one cause of ``case``."""
    return Cause(
        cause=entry.id,
        launcher=case.launcher.name,
        status=status,
        strength=strength,
        share=share.share,
        lo=share.lo,
        hi=share.hi,
        evidence=evidence,
    )
