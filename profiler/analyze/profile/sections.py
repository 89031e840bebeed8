"""The sections of a verdict that ``profile.csv`` and ``symbols.csv`` give."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path

import msgspec

from profiler.analyze.compare import Costs
from profiler.analyze.profile.claim_wording import claim_sentence
from profiler.analyze.profile.counted import counted
from profiler.analyze.profile.matched_files import ALIKE, differences, stand_in_pairs
from profiler.analyze.profile.opcode_costs import claim, opcode_costs, opcode_parts
from profiler.analyze.profile.place_costs import functions_of, place_costs
from profiler.analyze.profile.stacks import BY_OPCODE, BY_PLACE, stack_costs
from profiler.catalogue.caveats import SYMBOLS_DIFFER, caveat
from profiler.catalogue.on_hardware import NOT_ASKED, ON_HARDWARE
from profiler.model import Caveat, Comparison, Run, Verdict
from profiler.model.drilldown import HardwarePart, OpcodeClaim, OpcodeCost, OpcodePart, StackCost


def opcodes_section(verdict: Verdict, costs: Costs, run: Run, folder: Path) -> dict[str, object]:
    """``opcodes``, ``opcode_parts``, ``claims``, ``stacks`` and ``hardware`` of all that is compared with the baseline.

    Raises:
        UsageError: ``profile.csv`` or ``symbols.csv`` cannot be read.
    """
    found = counted(folder)
    rows: list[OpcodeCost] = []
    parts: list[OpcodePart] = []
    claims: list[OpcodeClaim] = []
    stacks: list[StackCost] = []
    for compared in _counted(verdict, costs):
        own = opcode_costs(costs, found, compared.launcher)
        rows += own
        parts += opcode_parts(costs, found, compared.launcher, functions_of(costs, found, compared.launcher))
        if compared.launcher not in costs.roles.baselines:
            stacks += stack_costs(costs, found, compared.launcher, BY_OPCODE)
        claims.append(claim(own, compared.launcher, base=compared.baseline_value or 0.0, here=compared.value or 0.0))
    judged = (claim_ for claim_ in claims if claim_.launcher not in costs.roles.baselines and claim_.opcodes)
    first = next(judged, None)
    said = {} if first is None else {"sentence": claim_sentence(first, verdict.workload.name, costs.roles.baseline)}
    return {
        "opcodes": tuple(rows),
        "opcode_parts": tuple(parts),
        "claims": tuple(claims),
        "stacks": tuple(stacks),
        "hardware": _by_hardware(run),
        **said,
    }


def places_section(verdict: Verdict, costs: Costs, run: Run, folder: Path) -> dict[str, object]:
    """``places``, ``stacks`` and ``hardware`` of all that is compared with the baseline.

    Raises:
        UsageError: ``profile.csv`` or ``symbols.csv`` cannot be read.
    """
    found = counted(folder)
    pairs = stand_in_pairs(run.plan.launchers)
    apart = differences(found.profile, pairs)
    refused = [_refused(run, name, apart.get(name)) for name in pairs if apart.get(name, math.inf) > ALIKE]
    if pairs and not refused:
        found = dataclasses.replace(found, stand_ins=pairs)
    names = [compared.launcher for compared in _counted(verdict, costs)]
    others = [name for name in names if name not in costs.roles.baselines]
    return {
        "symbols_of": run.matched_revision if any(found.stood_in(costs, name) for name in others) else None,
        "warnings": (*verdict.warnings, *refused),
        "places": tuple(row for name in names for row in place_costs(costs, found, name)),
        "stacks": tuple(stack for name in others for stack in stack_costs(costs, found, name, BY_PLACE)),
        "hardware": _by_hardware(run),
    }


def _refused(run: Run, name: str, apart: float | None) -> Caveat:
    how = "was not counted" if apart is None else f"differs by {apart:.3f} instructions an iteration"
    return caveat(SYMBOLS_DIFFER, f"{name} on the files of {run.matched_revision} {how} (at most {ALIKE} may be)")


def _by_hardware(run: Run) -> tuple[HardwarePart, ...]:
    """What no counter of the CPU was asked for, each with the reason that the run found."""
    found = {missing.event: missing.reason for missing in run.missing}
    return msgspec.convert(
        [{"part": part, "value": None, "reason": found.get(part, NOT_ASKED)} for part in ON_HARDWARE],
        tuple[HardwarePart, ...],
    )


def _counted(verdict: Verdict, costs: Costs) -> Iterator[Comparison]:
    for comparison in verdict.comparisons:
        if (
            comparison.metric == "instructions"
            and comparison.baseline == costs.roles.baseline
            and comparison.value is not None
        ):
            yield comparison
