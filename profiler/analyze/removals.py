"""What ``eliminate`` adds to the verdict: each suspect with the ratio before and after, and the state on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from profiler.analyze.causes.case import entry_of, fingerprint
from profiler.analyze.compare import Costs
from profiler.analyze.costing import costs_of
from profiler.analyze.doubts import without
from profiler.analyze.effects import UNKNOWN, Share, is_clear, logs, ratio, share_of
from profiler.analyze.stats import verdict as verdict_of
from profiler.analyze.wording import told
from profiler.model import Cause, Elimination, Interval, Run, Side, Verdict
from profiler.model.suspects import Eliminated, EliminationStatus, StateEntry, Suspects

if TYPE_CHECKING:
    import pandas as pd

WHOLE = "whole-wall"
"""Wall time of the whole process at the larger M, start-up and all: what the PoC compared."""


def reference_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the reference arm, whose comparisons are the run's."""
    return arm_rows(frame, "reference")


def arm_rows(frame: pd.DataFrame, arm: str) -> pd.DataFrame:
    """The rows of one arm's passes."""
    return frame[frame["pass"].astype(str).str.startswith(f"{arm}/")]


def eliminate(verdict: Verdict, run: Run, frame: pd.DataFrame) -> dict[str, object]:
    """What every elimination of the plan tells, the causes that it judges, and the sentence with them before it.

    The baseline runs twice in the reference arm alone: what it is not itself in there counts in no arm.
    """
    doubts = {doubt.metric: doubt for doubt in verdict.withdrawn if doubt.proven}
    if "wall" in doubts:
        doubts[WHOLE] = msgspec.structs.replace(
            doubts["wall"], metric=WHOLE, reason=f"stands on wall: {doubts['wall'].reason}"
        )
    arms = {side.arm for elimination in run.plan.eliminations for side in (*elimination.before, *elimination.after)}
    costs = {
        arm: without(_with_whole(costs_of(run, rows)[0], rows), doubts)
        for arm in arms
        for rows in (arm_rows(frame, arm),)
    }
    owners = {
        launcher.name: launcher.name if launcher.variant is None else launcher.variant.of
        for launcher in run.plan.launchers
    }
    found = tuple(
        _judge(costs, elimination, before, after, index, owners=owners)
        for elimination in run.plan.eliminations
        for index in range(len(elimination.before[0].hosts))
        for before, after in zip(elimination.before, elimination.after, strict=True)
    )
    deciding = tuple(
        {(eliminated.elimination, eliminated.launcher): eliminated for eliminated in reversed(found)}.values()
    )[::-1]
    return msgspec.structs.asdict(Suspects(eliminations=found, state=_state(run))) | {
        "causes": tuple(_cause(eliminated) for eliminated in deciding if eliminated.cause is not None),
        "sentence": " ".join(filter(None, (_sentence(deciding, run.plan.roles.baseline), verdict.sentence))),
    }


def _with_whole(costs: Costs, rows: pd.DataFrame) -> Costs:
    wall = rows[rows["event"] == "wall"].dropna(subset=["value"])
    if wall.empty:
        return costs
    largest = wall[wall["m"] == wall["m"].max()]
    table = costs.table.copy()
    table[WHOLE] = largest.groupby(["block", "launcher"], observed=True)["value"].median()
    return msgspec.structs.replace(costs, table=table)


def _judge(
    costs: dict[str, Costs],
    elimination: Elimination,
    before_side: Side,
    after_side: Side,
    index: int,
    *,
    owners: dict[str, str],
) -> Eliminated:
    metric, before = _logs(costs[before_side.arm], before_side, index)
    _, after = _logs(costs[after_side.arm], after_side, index)
    change = (before - after).dropna()
    interval, margin = ratio(change), elimination.margin
    share = share_of(change, before) if is_clear(before, margin) else UNKNOWN
    if change.empty:
        known_doubts = costs[before_side.arm].doubts | costs[after_side.arm].doubts
        withdrawn = next((doubt.reason for name, doubt in known_doubts.items() if name in metric.split()), None)
        status, reason = _NOT_TESTED if withdrawn is None else ("unresolved", withdrawn)
    else:
        status, reason = (
            _moved(interval, margin)
            if elimination.part is None
            else _explained(share, ratio(before), elimination.part, margin)
        )
    known = (ratio(before), ratio(after), interval)
    figures = {
        f"{name}{suffix}": getattr(figure, field)
        for name, figure in zip(("before", "after", "change"), known, strict=True)
        for suffix, field in (("", "ratio"), ("_lo", "lo"), ("_hi", "hi"))
    }
    return Eliminated(
        elimination=elimination.name,
        cause=elimination.cause,
        launcher=owners[before_side.hosts[index]],
        hypothesis=elimination.hypothesis,
        intervention=elimination.intervention,
        metric=metric,
        **figures,
        share=share.share,
        share_lo=share.lo,
        share_hi=share.hi,
        margin=margin,
        part=elimination.part,
        status=status,
        reason=reason,
    )


def _logs(costs: Costs, side: Side, index: int) -> tuple[str, pd.Series]:
    """The metric that could be formed, and the log ratio of the host to the baseline per block."""
    for formula in side.formulas:
        column = _evaluate(costs.table, formula)
        if column is not None and not column.dropna().empty:
            table = costs.table.assign(**{formula: column})
            found = logs(msgspec.structs.replace(costs, table=table), side.baseline, side.hosts[index], formula)
            if not found.empty:
                return formula, found
    return side.formulas[0], logs(costs, side.baseline, side.hosts[index], "")


def _evaluate(table: pd.DataFrame, formula: str) -> pd.Series | None:
    """``a``, ``a * b …`` or ``a - b …`` of columns; None where one is missing."""
    product = formula.split(" * ")
    first, *rest = product if len(product) > 1 else formula.split(" - ")
    if not {first, *rest} <= set(table.columns):
        return None
    found: pd.Series = table[first]
    for name in rest:
        found = found * table[name] if len(product) > 1 else found - table[name]
    return found


_NOT_TESTED: tuple[EliminationStatus, str | None] = "not-tested", "no block has both sides in this metric"


def _moved(change: Interval, margin: float) -> tuple[EliminationStatus, str | None]:
    """Whether the ratio moved by more than ``margin``."""
    word = verdict_of(change, margin=margin, better="lower")
    if word == "unresolved":
        return "unresolved", f"the interval is not on one side of the margin of {margin:.1%}; more --blocks"
    return ("refuted" if word == "same" else "confirmed"), None


def _explained(share: Share, before: Interval, part: float, margin: float) -> tuple[EliminationStatus, str | None]:
    """Whether at least ``part`` of the tax goes with the suspect."""
    if verdict_of(before, margin=margin, better="lower") == "same":
        return "refuted", "there is no tax to explain"
    if share.lo is None or share.hi is None:
        return "unresolved", "the part of the tax that goes has no interval; more --blocks"
    if share.lo > part or share.hi < part:
        return ("confirmed" if share.lo > part else "refuted"), None
    return "unresolved", f"the interval holds the part asked for, {part:.0%} of the tax; more --blocks"


def _cause(eliminated: Eliminated) -> Cause:
    assert eliminated.cause is not None
    share = Share(share=eliminated.share, lo=eliminated.share_lo, hi=eliminated.share_hi, blocks=0)
    before = Interval(ratio=eliminated.before, lo=eliminated.before_lo, hi=eliminated.before_hi)
    after = Interval(ratio=eliminated.after, lo=eliminated.after_lo, hi=eliminated.after_hi)
    return Cause(
        cause=entry_of(eliminated.cause).id,
        launcher=eliminated.launcher,
        status=eliminated.status,
        strength=None if eliminated.status == "not-tested" else "intervened",
        share=share.share,
        lo=share.lo,
        hi=share.hi,
        evidence=f"{eliminated.intervention}: {told(before)} before, {told(after)} after in {eliminated.metric}",
    )


def _sentence(deciding: tuple[Eliminated, ...], baseline: str) -> str:
    parts = []
    for launcher in dict.fromkeys(eliminated.launcher for eliminated in deciding):
        own = [eliminated for eliminated in deciding if eliminated.launcher == launcher]
        words = {
            "confirmed": "confirmed suspects:",
            "refuted": "eliminated:",
            "unresolved": "not resolved:",
            "not-tested": "not tested:",
        }
        told_ = [
            f"{words[status]} {', '.join(names)}"
            for status in words
            if (names := [eliminated.elimination for eliminated in own if eliminated.status == status])
        ]
        parts.append(f"{launcher} against {baseline}: {'; '.join(told_)}.")
    return " ".join(parts)


def _state(run: Run) -> tuple[StateEntry, ...]:
    reference = _flat(fingerprint(run, run.plan.roles.baseline))
    return tuple(
        StateEntry(launcher=name, key=key, baseline=reference[key], value=own[key], equal=reference[key] == own[key])
        for name in (run.plan.eliminations[0].before[0].hosts if run.plan.eliminations else ())
        for own in (_flat(fingerprint(run, name)),)
        for key in reference
        if key in own
    )


def _flat(values: dict[str, Any]) -> dict[str, str]:
    """``{"flags": {"optimize": 0}}`` as ``{"flags.optimize": "0"}``."""
    flat: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": str(inner) for name, inner in value.items()}
        else:
            flat[key] = str(value)
    return flat
