"""What the statements say of the claim, in a sentence."""

from __future__ import annotations

from profiler.analyze.numbers import digits
from profiler.model.statement_costs import StatementClaim

_ALIKE = 0.001


def statement_sentence(claim: StatementClaim, baseline: str) -> str:
    """The answer first, then the spread."""
    if claim.quartiles is None or claim.least is None or claim.most is None:
        return f"What single statements cost in {claim.launcher} could not be resolved from the noise of its processes."
    if abs(claim.least - 1) + abs(claim.most - 1) < _ALIKE:
        return f"Each of {claim.statements} statements costs as much in {claim.launcher} as in {baseline}."
    inside = "none costs" if not claim.inside else f"{claim.inside} {'costs' if claim.inside == 1 else 'cost'}"
    word = "Yes" if claim.inside == claim.statements else "No"
    first, middle, third = map(digits, claim.quartiles)
    unit = "instructions" if claim.metric == "instructions" else "CPU time"
    return (
        f"{word}: of {claim.statements} statements {inside} {claim.low:.2f} to {claim.high:.2f} times as much in "
        f"{claim.launcher}; they go from {digits(claim.least)} to {digits(claim.most)} times {baseline}'s {unit}, "
        f"quartiles {first}, {middle} and {third}."
    )
