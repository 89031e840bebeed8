"""What a drill-down comes first to, in a sentence or two."""

from __future__ import annotations

from profiler.analyze.numbers import count, share
from profiler.analyze.profile.claim_wording import claim_sentence
from profiler.catalogue.caveats import NO_OPCODES
from profiler.model import BASELINE, Verdict
from profiler.model.drilldown import Drilldown, OpcodeClaim, Whereabouts
from profiler.model.verdict import part
from profiler.present.drilldown_tables import adds, main_rows
from profiler.present.whom import drilled as drilled_of


def sentences(verdict: Verdict) -> list[str]:
    """Of the launcher that was asked about first, or of the baseline alone; none where the run was no drill-down."""
    names = drilled_of(verdict)
    drilled, found = part(verdict, Drilldown), part(verdict, Whereabouts)
    said = []
    if drilled is not None:
        said += [
            claim_sentence(claim, verdict.workload.name, BASELINE) if claim.opcodes else _untold(verdict, claim)
            for claim in drilled.claims
            if claim.launcher == names[0]
        ]
    if found is not None:
        said += _places(found, names[0], verdict.workload.name)
    return said


def _untold(verdict: Verdict, claim: OpcodeClaim) -> str:
    why = next((warning.message for warning in verdict.warnings if warning.code == NO_OPCODES.code), "")
    return (
        f"What each opcode costs in {claim.launcher} cannot be told: {why.partition('; ')[0] or 'none was executed'}."
    )


def _places(found: Whereabouts, launcher: str, workload: str) -> list[str]:
    images = [row for row in main_rows(found, launcher, "image") if row.name is not None]
    whole = sum(row.difference for row in main_rows(found, launcher, "image"))
    if not images or not round(whole, 3):
        return [f"{launcher} executes as many instructions as {BASELINE} on {workload}: there is nothing to find."]
    first = images[0]
    functions = [row for row in main_rows(found, launcher, "function") if row.name is not None][:3]
    kinds = [row for row in main_rows(found, launcher, "kind") if row.name is not None][:3]
    said = [
        f"Of {count(abs(whole))} instructions {'more' if whole > 0 else 'fewer'} an iteration {share(first.share)} "
        f"{'are' if first.share else 'is'} in {first.name}."
    ]
    if functions:
        said.append(f"By function: {', '.join(f'{row.name} {adds(row.difference)}' for row in functions)}.")
    if kinds:
        said.append(f"By kind: {', '.join(f'{row.name} {adds(row.difference)}' for row in kinds)}.")
    return said
