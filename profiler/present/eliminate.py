"""The answer of ``eliminate`` for people: each suspect with both ratios, and the state dump."""

from __future__ import annotations

from profiler.analyze.eliminated import Eliminated, EliminateVerdict
from profiler.model import BASELINE
from profiler.present.grid import Grid
from profiler.present.words import detectable, ratio, ratio_interval


def grids(verdict: EliminateVerdict) -> tuple[Grid, ...]:
    """One table per launcher, and what differs in its state."""
    launchers = tuple(dict.fromkeys(one.launcher for one in verdict.eliminations))
    return (
        *(_eliminations(verdict, name) for name in launchers),
        _hypotheses(verdict),
        *(_state(verdict, name) for name in launchers),
    )


def _eliminations(verdict: EliminateVerdict, launcher: str) -> Grid:
    own = [one for one in verdict.eliminations if one.launcher == launcher]
    reach = detectable(verdict.comparisons, (one.metric for one in own), [launcher])
    note = "before, after: ratio with and without the suspect; change: before ÷ after; the first metric decides"
    return Grid(
        title=f"{launcher} against {BASELINE}: suspects, each removed",
        columns=("suspect", "metric", "before", "after", "change", "of the tax", "verdict"),
        text=frozenset({0, 1, 6}),
        rows=tuple(map(_row, own)),
        note="\n".join(filter(None, (note, reach))),
    )


def _row(one: Eliminated) -> tuple[str, ...]:
    return (
        one.elimination,
        one.metric,
        *(
            f"{ratio(value, lo, hi, 3)} {ratio_interval(lo, hi, 3)}"
            for value, lo, hi in (
                (one.before, one.before_lo, one.before_hi),
                (one.after, one.after_lo, one.after_hi),
                (one.change, one.change_lo, one.change_hi),
            )
        ),
        "–" if one.share is None else f"{one.share:.0%}",
        one.status,
    )


def _hypotheses(verdict: EliminateVerdict) -> Grid:
    return Grid(
        title="hypotheses and interventions",
        columns=("suspect", "hypothesis", "intervention"),
        text=frozenset({0, 1, 2}),
        rows=tuple(dict.fromkeys((one.elimination, one.hypothesis, one.intervention) for one in verdict.eliminations)),
        note="",
    )


def _state(verdict: EliminateVerdict, launcher: str) -> Grid:
    own = [one for one in verdict.state if one.launcher == launcher]
    return Grid(
        title=f"state of {launcher}: what differs from {BASELINE}",
        columns=("what", BASELINE, launcher),
        text=frozenset({0, 1, 2}),
        rows=tuple((one.key, one.baseline, one.value) for one in own if not one.equal),
        note=f"equal: {', '.join(one.key for one in own if one.equal)}",
    )
