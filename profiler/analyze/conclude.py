"""From a result folder to the verdict document: the whole analysis of ``rows.csv``, ``calls.csv`` and ``run.json``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from profiler.analyze import claims
from profiler.analyze.agreement import disagreement
from profiler.analyze.boundary import Boundary
from profiler.analyze.causes import version
from profiler.analyze.causes.cause_verdicts import judge
from profiler.analyze.causes.ladder import climb
from profiler.analyze.causes.option_verdicts import rebuilding
from profiler.analyze.causes.tls import with_calls
from profiler.analyze.compare import Costs, compare
from profiler.analyze.costing import costs_of
from profiler.analyze.decompose import decompose
from profiler.analyze.doubts import told_of
from profiler.analyze.estimates import estimates
from profiler.analyze.placement import misplaced
from profiler.analyze.points import Points, block_points
from profiler.analyze.profile.sections import opcodes_section, places_section
from profiler.analyze.removals import eliminate, reference_rows
from profiler.analyze.rows import DAMAGED, LINES, measured, read_all
from profiler.analyze.statement_ratios import all_at_once, statements_section
from profiler.analyze.steady_state import not_steady, series
from profiler.analyze.sweep_model import amortize
from profiler.analyze.variance import components
from profiler.catalogue.caveats import A_A_DIFFERS, A_A_USELESS, ALLOCATOR_BOUNDARY, DAMAGED_ROWS, UNFINISHED, caveat
from profiler.folder import CALLS, PROFILE, ROWS, SYMBOLS, load_run, read_lines, recorded
from profiler.model import (
    SCHEMA,
    Caveat,
    Launcher,
    LauncherResult,
    Run,
    Section,
    Unexplained,
    Verdict,
    WorkloadResult,
)

if TYPE_CHECKING:
    import pandas as pd


def conclude(folder: Path) -> Verdict:
    """The verdict of a result folder; needs no perf, no valgrind and no target.

    Raises:
        UsageError: the folder is not a readable result folder, or holds no complete block.
    """
    return analyse(folder).verdict


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """A result folder, analysed."""

    verdict: Verdict
    run: Run
    points: tuple[Points, ...]
    """What its comparisons say block by block."""


def analyse(folder: Path) -> Analysis:
    """The verdict of a result folder, and what stands behind it.

    Raises:
        UsageError: the folder is not a readable result folder, or holds no complete block.
    """
    run = load_run(folder)
    verdict, costs = _conclude(run, folder)
    verdict = version.said_first(verdict, run)
    return Analysis(verdict=verdict, run=run, points=block_points(costs, verdict.comparisons))


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """What a section is made from."""

    run: Run
    folder: Path
    frame: pd.DataFrame
    """All rows that were measured."""
    costs: Costs
    names: tuple[str, ...]
    """Launchers that are compared."""


def _causes(verdict: Verdict, known: _Measured) -> dict[str, object]:
    causes, left = judge(known.costs, known.run)
    return {
        "ladder": climb(known.costs, known.run.plan.launchers),
        "causes": causes,
        "unexplained": left.get(known.costs.roles.embedder or "", verdict.unexplained),
        "unexplained_of": left,
        "sentence": claims.sentence(verdict.comparisons, known.run, causes, left, verdict.withdrawn),
    }


def _rebuilt(verdict: Verdict, known: _Measured) -> dict[str, object]:
    return rebuilding(verdict, known.run, known.costs, known.folder)


def _sweep(verdict: Verdict, known: _Measured) -> dict[str, object]:
    return amortize(verdict, known.run, known.frame)


def _eliminations(verdict: Verdict, known: _Measured) -> dict[str, object]:
    return eliminate(verdict, known.run, known.frame)


def _opcodes(verdict: Verdict, known: _Measured) -> dict[str, object]:
    return opcodes_section(verdict, known.costs, known.run, known.folder)


def _statements(verdict: Verdict, known: _Measured) -> dict[str, object]:
    plan = known.run.plan
    return statements_section(known.frame, plan.workload, plan.roles, plan.launchers)


def _places(verdict: Verdict, known: _Measured) -> dict[str, object]:
    return places_section(verdict, known.costs, known.run, known.folder)


@dataclass(frozen=True, kw_only=True)
class _Part:
    """How a section of the verdict is made."""

    fields: Callable[[Verdict, _Measured], dict[str, object]]
    """The fields that it adds to the verdict, or says in another way."""
    rows: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame
    """On which of the rows the comparisons beside it stand."""
    compared: Callable[[Launcher], bool] = lambda launcher: True
    """Which launchers stand in them."""


_SECTIONS: dict[Section, _Part] = {
    "causes": _Part(fields=_causes),
    "rebuilt": _Part(fields=_rebuilt),
    "sweep": _Part(fields=_sweep, compared=lambda launcher: launcher.variant is None),
    "eliminations": _Part(fields=_eliminations, rows=reference_rows),
    "opcodes": _Part(fields=_opcodes),
    "places": _Part(fields=_places, compared=lambda launcher: launcher.variant is None),
    "statements": _Part(fields=_statements, rows=all_at_once),
}
"""Sections are added in this order."""


def compared_rows(run: Run, frame: pd.DataFrame) -> pd.DataFrame:
    """Those of the measured rows on which the verdict's comparisons stand."""
    for part in _parts(run):
        frame = part.rows(frame)
    return frame


def compared_costs(run: Run, frame: pd.DataFrame) -> tuple[Costs, tuple[Boundary, ...], tuple[str, ...]]:
    """What the comparisons of a verdict stand on, from its measured rows: costs in all metrics that A/A leaves
    standing, who sat on an allocator boundary, and the launchers that are compared.
    """
    costs, boundaries = costs_of(run, compared_rows(run, frame))
    parts = _parts(run)
    return (
        costs,
        boundaries,
        tuple(launcher.name for launcher in run.plan.launchers if all(part.compared(launcher) for part in parts)),
    )


def _parts(run: Run) -> list[_Part]:
    return [part for section, part in _SECTIONS.items() if section in run.plan.sections]


def _conclude(run: Run, folder: Path) -> tuple[Verdict, Costs]:
    everything = read_all(folder)
    frame = measured(everything)
    costs, boundaries, names = compared_costs(run, frame)
    costs = with_calls(costs, folder)
    verdict = _compared(run, everything, frame, costs, names)
    verdict = msgspec.structs.replace(
        verdict,
        warnings=(
            *run.warnings,
            *map(_boundary_caveat, boundaries),
            *misplaced(run.plan, frame)[1],
            *_health(costs, run),
            *_damaged(everything, costs, run, folder),
            *disagreement(frame),
            *not_steady(verdict.series, costs.roles),
        ),
    )
    known = _Measured(run=run, folder=folder, frame=frame, costs=costs, names=names)
    for part in _parts(run):
        verdict = msgspec.structs.replace(verdict, **part.fields(verdict, known))
    return verdict, costs


def _compared(run: Run, everything: pd.DataFrame, frame: pd.DataFrame, costs: Costs, names: tuple[str, ...]) -> Verdict:
    """What every verdict has."""
    comparisons = compare(costs, names)
    doubts = tuple(costs.doubts.values())
    return Verdict(
        schema=SCHEMA,
        command=run.command,
        source=run.plan.source,
        target=run.target,
        workload=WorkloadResult(
            name=run.plan.workload.name,
            # A differing output ends the run before its row is written; the check here is on what was recorded.
            bit_exact=None
            if frame.empty
            else bool((frame.groupby(["workload", "m"], observed=True)["output_sha256"].nunique() == 1).all()),
        ),
        launchers=tuple(
            LauncherResult(
                name=launcher.name,
                kind=launcher.kind,
                variant=launcher.variant,
                image=launcher.image,
                build_id=launcher.build_id,
                link=launcher.link,
                init=launcher.init,
                allocator=launcher.allocator,
            )
            for launcher in run.plan.launchers
            if launcher.role != "twin"
        ),
        comparisons=comparisons,
        scatter=components(costs.table, frame, costs.roles),
        series=tuple(
            series_
            for series_ in series(run.plan, everything)
            if series_.launcher in costs.roles.baselines
            or not (series_.metric in costs.doubts and costs.doubts[series_.metric].proven)
        ),
        decomposition=tuple(
            split for name in names if name not in costs.roles.baselines for split in decompose(costs, name)
        ),
        ladder=(),
        causes=(),
        unexplained=Unexplained(share=None, lo=None, hi=None),
        sentence=claims.sentence(comparisons, run, (), {}, doubts),
        warnings=(),
        withdrawn=doubts,
        estimates=estimates(costs, names),
    )


def _damaged(everything: pd.DataFrame, costs: Costs, run: Run, folder: Path) -> Iterator[Caveat]:
    """Lines that were left out, and lines that are gone."""
    calls = 0 if costs.calls is None else costs.calls.attrs.get(DAMAGED, 0)
    gone = max(0, (run.lines or 0) - everything.attrs[LINES] - everything.attrs[DAMAGED])
    for name, lines, how in (
        (ROWS, everything.attrs[DAMAGED], "damaged and left out"),
        (ROWS, gone, "gone"),
        (CALLS, calls, "damaged and left out"),
        *((name, _dropped(folder, name), "damaged and left out") for name in (PROFILE, SYMBOLS)),
    ):
        if lines:
            said = f"{lines} {'line' if lines == 1 else 'lines'} of {name} {'is' if lines == 1 else 'are'} {how}"
            yield caveat(DAMAGED_ROWS, f"{said}: the figures stand on the rest")


def _dropped(folder: Path, name: str) -> int:
    if not recorded(folder, name).exists():
        return 0
    lines = read_lines(folder, name)
    return lines.dropped if lines.marked else 0


def _boundary_caveat(boundary: Boundary) -> Caveat:
    where = f"block {boundary.block}"
    why = "at this block's heap phase the work straddles an allocator pool, or its hash seed takes another path"
    rest = "Its rows are kept; the comparison is made on the other blocks"
    if boundary.phase is not None:
        where += f", heap phase {boundary.phase}"
        why = "at this heap phase the work straddles an allocator pool"
        rest = "Its rows are kept; the block's figure stands on its other phases"
    return caveat(
        ALLOCATOR_BOUNDARY,
        f"{where}: {boundary.launcher} took {boundary.per_iteration:.2f} instructions per iteration "
        f"where it usually takes {boundary.usual:.2f} ({boundary.excess:+.1%}): {why}. {rest}",
    )


def _health(costs: Costs, run: Run) -> tuple[Caveat, ...]:
    """Doubts about the run itself: metrics that A/A takes out, and an unfinished plan."""
    found = [
        caveat(A_A_DIFFERS, f"{doubt.metric} is withdrawn: {doubt.reason}")
        for doubt in costs.doubts.values()
        if doubt.kind == "differs"
    ]
    useless = [f"{doubt.metric} ({told_of(doubt)})" for doubt in costs.doubts.values() if doubt.kind == "useless"]
    if useless:
        found.append(
            caveat(
                A_A_USELESS,
                f"withdrawn: {', '.join(useless)}: the baseline's own two runs leave more than a factor of two open",
            )
        )
    if run.measured_s is None:
        found.append(caveat(UNFINISHED, "the run was interrupted; figures stand on the blocks that are complete"))
    return tuple(found)
