"""The sections of a verdict that ``profile.csv`` and ``symbols.csv`` give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from profiler.analyze.compare import Costs
from profiler.analyze.profile.claim_wording import claim_sentence
from profiler.analyze.profile.counted import counted
from profiler.analyze.profile.opcode_costs import claim, opcode_costs, opcode_parts
from profiler.analyze.profile.place_costs import functions_of, place_costs
from profiler.model import Comparison, Verdict
from profiler.model.drilldown import OpcodeClaim, OpcodeCost, OpcodePart


def opcodes_section(verdict: Verdict, costs: Costs, folder: Path) -> dict[str, object]:
    """``opcodes``, ``opcode_parts`` and ``claims`` of all that is compared with the baseline.

    Raises:
        UsageError: ``profile.csv`` or ``symbols.csv`` cannot be read.
    """
    found = counted(folder)
    rows: list[OpcodeCost] = []
    parts: list[OpcodePart] = []
    claims: list[OpcodeClaim] = []
    for compared in _counted(verdict, costs):
        own = opcode_costs(costs, found, compared.launcher)
        rows += own
        parts += opcode_parts(costs, found, compared.launcher, functions_of(costs, found, compared.launcher))
        claims.append(claim(own, compared.launcher, base=compared.baseline_value or 0.0, here=compared.value or 0.0))
    judged = (claim_ for claim_ in claims if claim_.launcher not in costs.roles.baselines and claim_.opcodes)
    first = next(judged, None)
    said = {} if first is None else {"sentence": claim_sentence(first, verdict.workload.name, costs.roles.baseline)}
    return {"opcodes": tuple(rows), "opcode_parts": tuple(parts), "claims": tuple(claims), **said}


def places_section(verdict: Verdict, costs: Costs, folder: Path) -> dict[str, object]:
    """``places`` of all that is compared with the baseline.

    Raises:
        UsageError: ``profile.csv`` or ``symbols.csv`` cannot be read.
    """
    found = counted(folder)
    return {
        "places": tuple(
            row for compared in _counted(verdict, costs) for row in place_costs(costs, found, compared.launcher)
        )
    }


def _counted(verdict: Verdict, costs: Costs) -> Iterator[Comparison]:
    for comparison in verdict.comparisons:
        if (
            comparison.metric == "instructions"
            and comparison.baseline == costs.roles.baseline
            and comparison.value is not None
        ):
            yield comparison
