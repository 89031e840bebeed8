"""What the opcodes say of the claim, in a sentence or two."""

from __future__ import annotations

from profiler.analyze.numbers import digits
from profiler.model.drilldown import OpcodeClaim

_ALIKE = 0.001
_EXPLAINED = 0.002
"""So near to the measured ratio, the mixture of opcodes explains it."""


def claim_sentence(claim: OpcodeClaim, workload: str, baseline: str) -> str:
    """The answer first, then the spread, then what the loop's own ratio is made of; of a claim with opcodes."""
    assert claim.least is not None
    assert claim.median is not None
    assert claim.most is not None
    if claim.whole is not None and abs(claim.least - 1) + abs(claim.most - 1) + abs(claim.whole - 1) < _ALIKE:
        return f"Each of {claim.opcodes} opcodes that {workload} executes costs as much in " + (
            f"{claim.launcher} as in {baseline}."
        )
    band = f"{claim.low:.2f} to {claim.high:.2f}"
    spread = (
        f"they go from {digits(claim.least)} to {digits(claim.most)} times {baseline}'s instructions, "
        f"median {digits(claim.median)}"
    )
    word = "Yes" if claim.inside == claim.opcodes else "No"
    inside = "none costs" if not claim.inside else f"{claim.inside} {'costs' if claim.inside == 1 else 'cost'}"
    first = (
        f"{word}: of {claim.opcodes} opcodes that {workload} executes {inside} {band} times as much in "
        f"{claim.launcher}; {spread}."
    )
    if claim.whole is None:
        return first
    if claim.weighted is None:
        return f"{first} The loop's ratio is {digits(claim.whole)}: either executes opcodes that the other does not."
    if abs(claim.weighted - claim.whole) <= _EXPLAINED:
        return f"{first} The loop's {digits(claim.whole)} is their mean, weighted by what each takes in {baseline}."
    return (
        f"{first} Their mean, weighted by what each takes in {baseline}, is {digits(claim.weighted)}, and the loop's "
        f"ratio {digits(claim.whole)}, with what is in no opcode."
    )
