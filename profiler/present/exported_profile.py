"""A drill-down for other tools: a file in callgrind's format per launcher, and one of speedscope with both sides.

Callgrind Format Specification, valgrind manual; speedscope's file format, https://www.speedscope.app. An opcode is a
function there, and calls all functions that are executed for it: what these call is among them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from profiler.analyze.conclude import compared_costs
from profiler.analyze.profile.counted import OWN, ProfileCounts, counted
from profiler.analyze.profile.place_costs import functions_of
from profiler.analyze.rows import measured, read_all
from profiler.errors import UsageError
from profiler.folder import PROFILE, load_run, recorded
from profiler.model import Run
from profiler.present.drilldown_tables import REMAINDER

if TYPE_CHECKING:
    import pandas as pd

    from profiler.analyze.compare import Costs

PER_ITERATIONS = 1_000_000
"""Callgrind's costs are whole numbers: instructions of so many iterations."""
_UNKNOWN = "???"
_LEAST = 1e-6


def callgrind_files(folder: Path) -> dict[str, bytes]:
    """``NAME.callgrind.out`` of the baseline and of all that is compared with it.

    Raises:
        UsageError: the folder is no drill-down.
    """
    run, costs, found, names = _opened(folder)
    files = {}
    for at, name in enumerate(names):
        base, here = found.of(costs, name)
        for launcher, frame in ((costs.roles.baseline, base), (name, here)) if at == 0 else ((name, here),):
            lines = "\n".join(_callgrind(run, launcher, frame))
            files[f"{quote(launcher, safe='+~@')}.callgrind.out"] = f"{lines}\n".encode()
    return files


def speedscope_files(folder: Path) -> dict[str, bytes]:
    """``NAME.speedscope.json``: the baseline, the launcher, and what the one has more than the other.

    Raises:
        UsageError: the folder is no drill-down.
    """
    _, costs, found, names = _opened(folder)
    return {
        f"{quote(name, safe='+~@')}.speedscope.json": msgspec.json.encode(_speedscope(costs, found, name))
        for name in names
    }


def _opened(folder: Path) -> tuple[Run, Costs, ProfileCounts, tuple[str, ...]]:
    run = load_run(folder)
    if not recorded(folder, PROFILE).exists():
        raise UsageError(
            f"{folder} holds no {PROFILE}", hint="tax-probe opcodes and where count by machine instruction"
        )
    costs, _, names = compared_costs(run, measured(read_all(folder)))
    return run, costs, counted(folder), tuple(name for name in names if name not in costs.roles.baselines)


def _callgrind(run: Run, launcher: str, frame: pd.DataFrame) -> Iterator[str]:
    named = frame.assign(
        image=frame["image"].fillna(_UNKNOWN),
        opcode=frame["opcode"].fillna(REMAINDER),
        cost=(frame["weighted"] * PER_ITERATIONS).round().astype(int),
    )
    yield from ("# callgrind format", "version: 1", f"creator: tax-probe {run.tool_version or ''}".rstrip())
    yield f"cmd: {launcher}, {run.plan.workload.name}"
    yield f"desc: Costs: instructions of {PER_ITERATIONS} iterations, mean over blocks"
    yield f"desc: Calls: how often the opcode ran in {PER_ITERATIONS} iterations"
    yield from ("positions: instr", "events: Ir", "")
    own, called = named[named[OWN]], named[~named[OWN]]
    entries = called.groupby(["image", "function"])["address"].min()
    for (image, opcode), lines in own.groupby(["image", "opcode"]):
        yield from _head(image, opcode)
        yield from _costs(lines)
        site = int(lines["address"].min())
        times = max(1, round(float(lines["weighted_dispatches"].sum()) * PER_ITERATIONS))
        inside = called[called["opcode"] == opcode].groupby(["image", "function"])["cost"].sum().reset_index()
        for there, function, cost in inside.itertuples(index=False):
            yield from (f"cob={there}", f"cfn={function}", f"calls={times} {int(entries[there, function]):#x}")
            yield f"{site:#x} {cost}"
        yield ""
    for (image, function), lines in called.groupby(["image", "function"]):
        yield from _head(image, function)
        yield from _costs(lines)
        yield ""
    yield f"totals: {int(named['cost'].sum())}"


def _head(image: object, function: object) -> tuple[str, str, str]:
    return f"ob={image}", f"fl={_UNKNOWN}", f"fn={function}"


def _costs(lines: pd.DataFrame) -> Iterator[str]:
    for address, cost in lines.groupby("address")["cost"].sum().items():
        yield f"{address:#x} {cost}"


def _speedscope(costs: Costs, found: ProfileCounts, launcher: str) -> dict[str, object]:
    functions = functions_of(costs, found, launcher)
    sides: list[dict[tuple[str, str], float]] = []
    for frame in found.of(costs, launcher):
        stacks: dict[tuple[str, str], float] = defaultdict(float)
        for opcode, function, weighted in zip(
            frame["opcode"].fillna(REMAINDER), functions.reindex(frame.index), frame["weighted"], strict=True
        ):
            stacks[opcode, function] += weighted
        sides.append(stacks)
    base, here = sides
    difference = {stack: here.get(stack, 0.0) - base.get(stack, 0.0) for stack in {**base, **here}}
    baseline = costs.roles.baseline
    shown = {
        f"more in {launcher}": {stack: value for stack, value in difference.items() if value > _LEAST},
        f"more in {baseline}": {stack: -value for stack, value in difference.items() if value < -_LEAST},
        launcher: {stack: value for stack, value in here.items() if value > _LEAST},
        baseline: {stack: value for stack, value in base.items() if value > _LEAST},
    }
    frames: dict[str, int] = {}
    profiles = [
        {
            "type": "sampled",
            "name": f"{name}: instructions an iteration",
            "unit": "none",
            "startValue": 0,
            "endValue": sum(stacks.values()),
            "samples": [[frames.setdefault(frame, len(frames)) for frame in stack] for stack in sorted(stacks)],
            "weights": [stacks[stack] for stack in sorted(stacks)],
        }
        for name, stacks in shown.items()
    ]
    return {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "name": f"{launcher} against {baseline}",
        "shared": {"frames": [{"name": name} for name in frames]},
        "profiles": profiles,
    }
