"""Each cause of the catalogue with its verdict: by intervention where one was made, else by what was seen.

A cause is a part of the tax in the metric in which it acts: instructions per iteration, which every source but software
counts exactly; cycles or wall time for what changes no instruction, and then only hardware counters or times can tell.

A place is no cause: a change on both ends of a setting that is equal there is no verdict on it, whatever goes with it.
The rules for causes that nothing was done about decide, and the place adds where the difference sits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from profiler.analyze.causes import version
from profiler.analyze.causes.between import told_apart
from profiler.analyze.causes.build_options_told import with_options
from profiler.analyze.causes.case import Case, InterventionResult, cause_of, entry_of, make_case
from profiler.analyze.causes.intervention_effects import all_met, findings
from profiler.analyze.causes.observed import frequency, no_tax, seen, throttling, untested
from profiler.analyze.causes.remembered import remembered
from profiler.analyze.causes.tls import tls
from profiler.analyze.compare import Costs
from profiler.analyze.effects import UNKNOWN, Share, is_clear, share_of
from profiler.catalogue.causes import CAUSES, CauseEntry
from profiler.catalogue.variant_rules import is_judged
from profiler.model import Cause, Run, Unexplained

if TYPE_CHECKING:
    import pandas as pd

_ORDER = ("confirmed", "unresolved", "refuted")
"""Of several findings on one cause the first in this order stands: one refuted toggle does not clear a cause."""


def judge(costs: Costs, run: Run) -> tuple[tuple[Cause, ...], dict[str, Unexplained]]:
    """Causes of the embedder's tax, then of every user's host; and what stays unexplained of each, by launcher."""
    causes: list[Cause] = []
    left: dict[str, Unexplained] = {}
    for launcher in run.plan.launchers:
        if is_judged(launcher):
            found, unexplained = _judge_case(costs, run, make_case(costs, launcher, run.plan.source))
            causes.extend(found)
            left[launcher.name] = unexplained
    return tuple(causes), left


def _judge_case(costs: Costs, run: Run, case: Case) -> tuple[list[Cause], Unexplained]:
    found = findings(costs, run, case)
    own = {
        entry.id: [finding for finding in found if finding.cause == entry.id and finding.role == "cause"]
        for entry in CAUSES
    }
    stands = {cause: _together(case, ones) for cause, ones in own.items() if ones}
    confirmed = {cause for cause, finding in stands.items() if finding.status == "confirmed"}
    # A part of something that is not confirmed itself is a cause in its own right.
    stands = {
        cause: finding if finding.part_of in confirmed else msgspec.structs.replace(finding, part_of=None)
        for cause, finding in stands.items()
    }
    places = {
        entry.id: [finding for finding in found if finding.cause == entry.id and finding.role == "place"]
        for entry in CAUSES
    }
    taxed = not case.main.logs.empty and is_clear(case.main.logs, case.main.margin)
    explained = [
        finding.effect for finding in stands.values() if _explains(case, finding) and finding.effect is not None
    ]
    left = _less(case.main.logs, explained)
    met = all_met(costs, run, case)
    after = left if met is None else met
    rest = share_of(after, case.main.logs) if taxed else UNKNOWN
    verdicts = []
    for entry in CAUSES:
        verdict = _verdict(costs, run, case, entry, own[entry.id], stands.get(entry.id), after, rest)
        verdicts.append(_placed(case, entry, verdict, places[entry.id]))
    verdicts = version.separated(run, case, verdicts)
    unexplained = _unexplained(left, case, verdicts, stands) if taxed else UNKNOWN
    # What these two do divides a share that is known; it leaves no more and no less.
    verdicts = with_options(costs, run, case, told_apart(costs, run, case, verdicts))
    return verdicts, Unexplained(
        share=unexplained.share,
        lo=unexplained.lo,
        hi=unexplained.hi,
        all_met=None if met is None else rest.share,
    )


def _verdict(  # noqa: PLR0917 - one call, from one place
    costs: Costs,
    run: Run,
    case: Case,
    entry: CauseEntry,
    own: list[InterventionResult],
    stands: InterventionResult | None,
    left: pd.Series,
    rest: Share,
) -> Cause:
    measured = {
        "frequency": lambda: frequency(costs, case),
        "throttling": lambda: throttling(costs, run, case),
        "tls": lambda: tls(costs, run, case, remembered(run, case, entry)),
    }
    direct = measured.get(entry.id, lambda: None)()
    if direct is not None:
        return direct
    tax = case.taxes[entry.shows]
    if not tax.logs.empty and not is_clear(tax.logs, tax.margin):
        return no_tax(case, entry)
    known = remembered(run, case, entry)
    if stands is not None and not tax.logs.empty:
        evidence = "; ".join(finding.evidence for finding in own)
        if known is not None and _ORDER.index(known.status) < _ORDER.index(stands.status):
            return msgspec.structs.replace(known, evidence=f"{known.evidence}; {evidence}")
        verdict = cause_of(case, entry, stands.status, "intervened", evidence, stands.share)
        return msgspec.structs.replace(verdict, part_of=stands.part_of)
    return known or seen(run, case, entry, left, rest) or untested(run, case, entry)


def _placed(case: Case, entry: CauseEntry, verdict: Cause, places: list[InterventionResult]) -> Cause:
    """``verdict`` with the places that were found of its setting; a verdict that rests on an intervention or a share of
    its own stays a cause's.
    """
    tax = case.taxes[entry.shows]
    if not places or tax.logs.empty or not is_clear(tax.logs, tax.margin):
        return verdict
    settled = verdict.status != "not-tested"
    base = verdict.evidence if settled else f"no intervention takes it away; look at {entry.observable}"
    evidence = "; ".join((base, *(place.evidence for place in places)))
    if verdict.strength == "intervened" or verdict.share is not None:
        return msgspec.structs.replace(verdict, evidence=evidence)
    if not entry.settled_by_equality:
        # The change reaches a part of the cause alone: that it takes nothing must not read as a share of the whole.
        return msgspec.structs.replace(verdict, evidence=evidence, status=verdict.status if settled else "unresolved")
    most = max(places, key=lambda place: abs(place.share.share or 0.0)).share
    return msgspec.structs.replace(
        verdict,
        role="place",
        # Something was done, so it is not untested; but whether both ends are equal nobody saw.
        status=verdict.status if settled else "unresolved",
        evidence=evidence,
        share=most.share,
        lo=most.lo,
        hi=most.hi,
    )


def _together(case: Case, own: list[InterventionResult]) -> InterventionResult:
    """One finding for a cause: of several settings of a host that are confirmed the effects add up; else the strongest.

    A part of another cause is left out of what stands beside it.
    """
    strongest = min(
        own,
        key=lambda finding: (_ORDER.index(finding.status), finding.part_of is not None, -abs(finding.share.share or 0)),
    )
    more = [
        finding
        for finding in own
        if finding is not strongest and finding.status == "confirmed" and not (finding.again or strongest.again)
        if finding.part_of == strongest.part_of and finding.effect is not None
    ]
    if strongest.status != "confirmed" or strongest.effect is None or not more:
        return strongest
    effect = sum((finding.effect for finding in more if finding.effect is not None), start=strongest.effect).dropna()
    share = share_of(effect, case.taxes[entry_of(strongest.cause).shows].logs)
    # Two that undo each other are still two causes, and what they make together is still measured.
    return msgspec.structs.replace(strongest, effect=effect, share=share)


def _explains(case: Case, finding: InterventionResult) -> bool:
    """It takes its part of the main tax away, beside all others."""
    metric = case.taxes[entry_of(finding.cause).shows].metric
    return finding.status == "confirmed" and finding.part_of is None and metric == case.main.metric


def _less(tax: pd.Series, effects: Iterable[pd.Series]) -> pd.Series:
    left = tax
    for effect in effects:
        left = (left - effect).dropna()
    return left


def _unexplained(left: pd.Series, case: Case, verdicts: list[Cause], stands: dict[str, InterventionResult]) -> Share:
    """What the confirmed causes leave: the tax less their effects, and less what observation tied to a cause."""
    share = share_of(left, case.main.logs)
    tied = sum(
        verdict.share
        for verdict in verdicts
        if verdict.status == "confirmed"
        and verdict.role == "cause"
        and verdict.part_of is None
        and verdict.share is not None
        if verdict.cause not in stands and verdict.metric == case.main.metric
    )

    def less(part: float | None) -> float | None:
        return None if part is None else part - tied

    return Share(share=less(share.share), lo=less(share.lo), hi=less(share.hi), blocks=share.blocks)
