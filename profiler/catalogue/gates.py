"""How a gate is written: ``METRIC=R``, or ``R`` alone."""

from __future__ import annotations

import math

from profiler.catalogue.metrics import METRICS
from profiler.errors import UsageError
from profiler.model.across import Gate

_NAMES = {name: metric.name for metric in METRICS for name in (metric.title.lower(), metric.name)}
"""By what a metric is called in files and in tables."""


def parse_gate(text: str | float, told: str = "--max-ratio") -> Gate:
    """The gate of ``instructions=1.05``, ``wall time=1.1`` or ``1.25``; ``told``: how the user wrote the option.

    Raises:
        UsageError: there is no such metric, or the bound is no ratio.
    """
    name, equals, bound = str(text).rpartition("=")
    metric = _NAMES.get(name.strip().lower())
    if equals and metric is None:
        known = ", ".join(metric.name for metric in METRICS)
        raise UsageError(f"{told}: there is no metric {name!r}", hint=f"choose from {known}")
    try:
        ratio = float(bound)
    except ValueError:
        ratio = math.nan
    if not (math.isfinite(ratio) and ratio > 0):
        raise UsageError(
            f"{told}: {bound!r} is no ratio above 0", hint="for example --max-ratio instructions=1.05, or 1.25 alone"
        )
    return Gate(metric=metric, max_ratio=ratio)


def parse_gates(given: object, told: str = "--max-ratio") -> tuple[Gate, ...]:
    """The gates of one value or of a sequence of them; none of None.

    Raises:
        UsageError: as ``parse_gate``.
    """
    if given is None:
        return ()
    values = given if isinstance(given, list | tuple) else (given,)
    return tuple(parse_gate(value, told) for value in values)
