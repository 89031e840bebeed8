"""What a drill-down comes first to, in a sentence or two."""

from __future__ import annotations

from profiler.analyze.numbers import count, digits, share
from profiler.catalogue.caveats import NO_OPCODES
from profiler.model import BASELINE, Verdict
from profiler.model.drilldown import Drilldown, OpcodeClaim, Whereabouts
from profiler.model.verdict import part
from profiler.present.drilldown_tables import adds, main_rows
from profiler.present.whom import subjects

_ALIKE = 0.001
_EXPLAINED = 0.002
"""So near to the measured ratio, the mixture of opcodes explains it."""


def sentences(verdict: Verdict) -> list[str]:
    """Of the launcher that was asked about first; none where the run was no drill-down."""
    names = subjects(verdict)
    drilled, found = part(verdict, Drilldown), part(verdict, Whereabouts)
    said = []
    if names and drilled is not None:
        said += [
            _claim(claim, verdict) if claim.opcodes else _untold(verdict, claim)
            for claim in drilled.claims
            if claim.launcher == names[0]
        ]
    if names and found is not None:
        said += _places(found, names[0], verdict.workload.name)
    return said


def _claim(claim: OpcodeClaim, verdict: Verdict) -> str:
    assert claim.least is not None
    assert claim.median is not None
    assert claim.most is not None
    if claim.whole is not None and abs(claim.least - 1) + abs(claim.most - 1) + abs(claim.whole - 1) < _ALIKE:
        return f"Each of {claim.opcodes} opcodes that {verdict.workload.name} executes costs as much in " + (
            f"{claim.launcher} as in {BASELINE}."
        )
    band = f"{claim.low:.2f} to {claim.high:.2f}"
    spread = (
        f"they go from {digits(claim.least)} to {digits(claim.most)} times {BASELINE}'s instructions, "
        f"median {digits(claim.median)}"
    )
    word = "Yes" if claim.inside == claim.opcodes else "No"
    inside = "none costs" if not claim.inside else f"{claim.inside} {'costs' if claim.inside == 1 else 'cost'}"
    first = (
        f"{word}: of {claim.opcodes} opcodes that {verdict.workload.name} executes {inside} {band} times as much in "
        f"{claim.launcher}; {spread}."
    )
    if claim.whole is None:
        return first
    if claim.weighted is None:
        return f"{first} The loop's ratio is {digits(claim.whole)}: either executes opcodes that the other does not."
    if abs(claim.weighted - claim.whole) <= _EXPLAINED:
        return f"{first} The loop's {digits(claim.whole)} is their mean, weighted by what each takes in {BASELINE}."
    return (
        f"{first} Their mean, weighted by what each takes in {BASELINE}, is {digits(claim.weighted)}, and the loop's "
        f"ratio {digits(claim.whole)}: not both execute the same opcodes."
    )


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
