"""Each cause of the catalogue with its verdict: by intervention where one was made, else by what was seen.

A cause is a part of the tax in the metric in which it acts: instructions per iteration, which every source but software
counts exactly; cycles or wall time for what changes no instruction, and then only hardware counters or times can tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from profiler.analyze.case import Case, Finding, cause_of, make_case
from profiler.analyze.compare import Costs
from profiler.analyze.effects import UNKNOWN, Share, is_clear, share_of
from profiler.analyze.intervened import findings, rest
from profiler.analyze.observed import frequency, no_tax, seen, throttling, untested
from profiler.analyze.tls import tls
from profiler.causes import CAUSES, EMBEDDER, CauseEntry
from profiler.model import Cause, Run, Unexplained
from profiler.treatments import is_host

if TYPE_CHECKING:
    import pandas as pd

_ORDER = ("confirmed", "unresolved", "refuted")
"""Of several findings on one cause the first in this order stands: one refuted toggle does not clear a cause."""


def judge(costs: Costs, run: Run) -> tuple[tuple[Cause, ...], dict[str, Unexplained]]:
    """Causes of the embedder's tax, then of every user's host; and what stays unexplained of each, by launcher.

    What stays unexplained is measured and not defined away: see ``intervened.rest``.
    """
    causes: list[Cause] = []
    left: dict[str, Unexplained] = {}
    for launcher in run.plan.launchers:
        if launcher.name == EMBEDDER or is_host(launcher):
            found, share = _judge_case(costs, run, make_case(costs, launcher, run.plan.source))
            causes.extend(found)
            left[launcher.name] = Unexplained(share=share.share, lo=share.lo, hi=share.hi)
    return tuple(causes), left


def _judge_case(costs: Costs, run: Run, case: Case) -> tuple[list[Cause], Share]:
    found = findings(costs, run, case)
    by_cause = {entry.id: [one for one in found if one.cause == entry.id] for entry in CAUSES}
    explained = [chosen.effect for own in by_cause.values() if (chosen := _strongest(own)) and _explains(chosen)]
    taxed = not case.main.logs.empty and is_clear(case.main.logs, case.main.margin)
    left = rest(costs, run, case, [effect for effect in explained if effect is not None])
    unexplained = share_of(left, case.main.logs) if taxed else UNKNOWN
    verdicts = [_verdict(costs, run, case, entry, by_cause[entry.id], left, unexplained) for entry in CAUSES]
    return verdicts, unexplained


def _verdict(  # noqa: PLR0917 - one call, from one place
    costs: Costs, run: Run, case: Case, entry: CauseEntry, own: list[Finding], left: pd.Series, unexplained: Share
) -> Cause:
    measured = {
        "frequency": lambda: frequency(costs, case),
        "throttling": lambda: throttling(costs, run, case),
        "tls": lambda: tls(costs, run, case, _known(run, case, entry)),
    }
    direct = measured.get(entry.id, lambda: None)()
    if direct is not None:
        return direct
    tax = case.taxes[entry.shows]
    if not tax.logs.empty and not is_clear(tax.logs, tax.margin):
        return no_tax(case, entry)
    strongest, known = _strongest(own), _known(run, case, entry)
    if strongest is not None and not tax.logs.empty:
        evidence = "; ".join(one.evidence for one in own)
        if known is not None and _ORDER.index(known.status) < _ORDER.index(strongest.status):
            return msgspec.structs.replace(known, evidence=f"{known.evidence}; {evidence}")
        return cause_of(case, entry, strongest.status, "intervened", evidence, strongest.share)
    return known or seen(run, case, entry, left, unexplained) or untested(run, case, entry)


def _known(run: Run, case: Case, entry: CauseEntry) -> Cause | None:
    """What ``rebuild`` found of the embedder's library with this workload."""
    if case.launcher.name != EMBEDDER:
        return None
    return next((one for one in run.known_causes if one.cause == entry.id and one.status in _ORDER), None)


def _strongest(own: list[Finding]) -> Finding | None:
    """By status, then by the size of the share; of equals the first."""
    return min(own, key=lambda one: (_ORDER.index(one.status), -abs(one.share.share or 0.0)), default=None)


def _explains(finding: Finding) -> bool:
    return finding.status == "confirmed" and finding.effect is not None
