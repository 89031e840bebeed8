"""Whether ratios, or their changes, exceed what the user allows: only what is proven to does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from profiler.catalogue.events import work_counted
from profiler.model import Comparison, Verdict
from profiler.model.across import Across, AcrossChange, Gate, GateLine, Of

_ALONE = "no launcher stands beside the baseline"
_ELSE = "wall"


def hold_verdict(gates: Sequence[Gate], verdict: Verdict) -> tuple[GateLine, ...]:
    """Every launcher that is no variant of another against every gate: its ratio to the baseline."""
    baseline, *others = (launcher.name for launcher in verdict.launchers if launcher.variant is None)
    found = [c for c in verdict.comparisons if c.baseline == baseline and c.launcher in others]
    # What A/A withdrew was counted: another metric does not silently take its place.
    counted = work_counted(
        {c.metric for c in found if c.ratio is not None} | {doubt.metric for doubt in verdict.withdrawn}
    )
    lines = []
    for gate in gates:
        metric = gate.metric or counted or _ELSE
        own = [_line(gate, c.launcher, c) for c in found if c.metric == metric]
        lines += own or [_unknown(gate, metric, verdict.command, _ALONE)]
    return tuple(lines)


def hold_changes(gates: Sequence[Gate], document: Across, of: Of) -> tuple[GateLine, ...]:
    """Every launcher that is no variant of another, in every folder but the reference: the change of its cost or tax.

    A launcher that the reference lacks is told and decides nothing; one that only the reference has is unknown.
    """
    return tuple(line for gate in gates for line in _hold_changes(gate, document, of))


def _hold_changes(gate: Gate, document: Across, of: Of) -> Iterator[GateLine]:
    # What cannot be compared was counted all the same: another metric does not silently take its place.
    counted = work_counted({metric for folder in document.folders for metric in folder.metrics})
    metric = gate.metric or counted or _ELSE
    found = {(c.folder, c.launcher): c for c in document.changes if c.of == of and c.metric == metric}
    reference, *others = document.folders
    first = 0 if of == "cost" else 1
    for folder in others:
        names = tuple(dict.fromkeys((*reference.launchers[first:], *folder.launchers[first:])))
        for name in names:
            subject = f"{name} on {folder.label}" if of == "cost" else f"the tax of {name} on {folder.label}"
            change = found.get((folder.label, name))
            if change is not None:
                yield _line(gate, subject, change)
            elif name in folder.launchers:
                yield _unknown(gate, metric, subject, f"{reference.label} has no launcher {name}", word="undecided")
            else:
                yield _unknown(gate, metric, subject, f"{folder.label} has no launcher {name}")
        if not names:
            yield _unknown(gate, metric, folder.label, _ALONE)


def _line(gate: Gate, subject: str, found: Comparison | AcrossChange) -> GateLine:
    word: Literal["within", "undecided", "exceeded", "unknown"] = "unknown"
    reason = found.reason
    if found.ratio is not None and found.lo is not None and found.hi is not None:
        word = "exceeded" if found.lo > gate.max_ratio else "within" if found.hi <= gate.max_ratio else "undecided"
        reason = None
    return GateLine(
        metric=found.metric,
        max_ratio=gate.max_ratio,
        subject=subject,
        ratio=found.ratio,
        lo=found.lo,
        hi=found.hi,
        word=word,
        reason=reason,
    )


def _unknown(
    gate: Gate, metric: str, subject: str, reason: str, *, word: Literal["undecided", "unknown"] = "unknown"
) -> GateLine:
    return GateLine(
        metric=metric,
        max_ratio=gate.max_ratio,
        subject=subject,
        ratio=None,
        lo=None,
        hi=None,
        word=word,
        reason=reason,
    )
