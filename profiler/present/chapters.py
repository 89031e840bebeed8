"""What a page tells under which heading, in order: of every command, from the same view."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any

import msgspec

from profiler.analyze.conclude import Analysis
from profiler.model import Cause, Noun, Run, Verdict
from profiler.model.amortization import Amortization
from profiler.model.drilldown import Drilldown, Whereabouts
from profiler.model.option_effects import Rebuilding
from profiler.model.statement_costs import StatementCosts
from profiler.model.verdict import part
from profiler.present import (
    before_after,
    block_table,
    build_grid,
    counter_table,
    eval_loops,
    figures,
    forest,
    nested_causes,
    own_tables,
    panels,
    self_checks,
    steps,
)
from profiler.present.cause_tree import TITLES
from profiler.present.html_table import HtmlTable, html_table
from profiler.present.nested_causes import CauseBox
from profiler.present.panels import Panel
from profiler.present.products import Product, products
from profiler.present.reservations import reservations
from profiler.present.section import Section
from profiler.present.table import Table
from profiler.present.templating import without_folders
from profiler.present.view import View
from profiler.present.whom import subjects

_STATUS = {"confirmed": "confirmed", "refuted": "ruled out", "unresolved": "not decided", "not-tested": "not tested"}
_CHECK = {True: "passed", False: "failed", None: "not checked"}
_OF_DRILLDOWNS = {
    "opcodes": "dot plot: each opcode's ratio beside the claimed band",
    "opcode_parts": "bars: what each opcode adds, by function",
    "statements": "dot plot: each statement's ratio beside the claimed band",
    "flame": "flame graph of the difference: red where more is executed here, blue where less",
}
"""Figures of drill-downs, and what is drawn."""
_FOLDED_PRODUCTS = 2
"""Products beyond so many stand behind a fold."""


class Chapter(Noun, frozen=True, kw_only=True):
    """A heading, and what stands under it: drawings first, then tables, then lines."""

    title: str
    lead: str = ""
    boxes: tuple[tuple[CauseBox, ...], ...] = ()
    whole: str = ""
    """What the boxes are parts of."""
    pictures: tuple[tuple[str, str], ...] = ()
    """Drawings as they stand in files: ``data:`` with the bytes, and what is drawn."""
    panels: tuple[Panel, ...] = ()
    legend: str = ""
    tables: tuple[HtmlTable, ...] = ()
    products: tuple[Product, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    items: tuple[str, ...] = ()
    folds: tuple[Chapter, ...] = ()


def chapters(analysis: Analysis, shown: View) -> Iterator[Chapter]:
    verdict, run = analysis.verdict, analysis.run
    yield from _sweep(verdict)
    yield from _drilled(verdict, shown)
    yield from _drawn("Each suspect, with it and without it", before_after.table(verdict))
    yield from _why(shown)
    yield from _drawn(
        "The tax taken away",
        steps.table(verdict, shown.tree),
        "The unchanged program, and what is left of its tax when options are taken away.",
        stem=True,
    )
    yield from _rebuilt(verdict)
    yield from _drawn(
        "What it costs, per iteration",
        forest.table(verdict, analysis.points),
        legend="Dot and line: ratio with its 95 % interval, paired by block. Small strokes: one block each. Exact: "
        "equal in all blocks.",
    )
    yield from _products(verdict)
    yield from _drawn("What counters are read for", counter_table.table(verdict))
    yield from _blocks(analysis)
    facts = tuple((label, text) for label, text in shown.facts if label != "Measured")
    suspects = _suspects(verdict)
    if facts or suspects:
        yield Chapter(title="What was ruled out, and what is open", facts=facts, folds=suspects)
    yield from _drawn("The instrument checked", self_checks.table(verdict), f"Source: {run.source_sentence}.")
    yield from _files(verdict, run)


def _drawn(
    title: str, table: Table | None, lead: str = "", *, stem: bool = False, legend: str = ""
) -> Iterator[Chapter]:
    if table is not None:
        yield Chapter(title=title, lead=lead, tables=(html_table(table, stem=stem),), legend=legend)


def _sweep(verdict: Verdict) -> Iterator[Chapter]:
    if part(verdict, Amortization) is None:
        return
    yield Chapter(
        title="By how much work there is",
        panels=panels.crossovers(verdict),
        legend="Whole process ÷ that of python3, start-up and work, with 95 % intervals; the line is the model fitted "
        "to all points. Dashed and shaded: the crossover with its interval.",
        tables=tuple(map(html_table, own_tables.tables(verdict))),
    )


def _drilled(verdict: Verdict, shown: View) -> Iterator[Chapter]:
    if all(part(verdict, kind) is None for kind in (Drilldown, Whereabouts, StatementCosts)):
        return
    drawn = {
        name: data for name, data in figures.drawn(verdict, shown).items() if PurePath(name).stem in _OF_DRILLDOWNS
    }
    yield Chapter(
        title="Where the difference sits",
        pictures=tuple(
            (f"data:image/svg+xml;base64,{b64encode(data).decode()}", _OF_DRILLDOWNS[PurePath(name).stem])
            for name, data in drawn.items()
        ),
        legend="The difference by opcode, and of each opcode by function; what a function has of an opcode is in "
        "proportion to the calls that lead there."
        if part(verdict, Drilldown) is not None and drawn
        else "",
        tables=tuple(html_table(table) for table in shown.tables),
    )


def _why(shown: View) -> Iterator[Chapter]:
    if not shown.tree:
        return
    evidence = tuple((row.name, without_folders(row.evidence)) for row in shown.tree if row.evidence)
    yield Chapter(
        title=f"Why {shown.what}",
        boxes=nested_causes.boxes(shown.tree),
        whole=shown.what,
        tables=(nested_causes.rows(shown.tree),),
        folds=(Chapter(title="What each of these stands on", facts=evidence),) if evidence else (),
    )


def _rebuilt(verdict: Verdict) -> Iterator[Chapter]:
    found = part(verdict, Rebuilding)
    if found is None:
        return
    grid = build_grid.table(verdict)
    combinations = tuple(
        html_table(
            msgspec.structs.replace(
                table, notes=tuple(note.replace(": -v", ", which stand in full below") for note in table.notes)
            )
        )
        for table in own_tables.tables(verdict)
    )
    if grid is not None or combinations:
        yield Chapter(
            title="All that was built",
            tables=(html_table(grid),) if grid is not None else combinations,
            folds=(Chapter(title="By cost", tables=combinations),) if grid is not None else (),
        )
    if found.remedy is not None:
        yield Chapter(
            title="The best library as a drop-in",
            lead="What was checked of the library that takes the tax away.",
            facts=tuple(
                (f"{check.name}: {_CHECK[check.passed]}", without_folders(check.evidence))
                for check in found.remedy.checks
            ),
        )


def _products(verdict: Verdict) -> Iterator[Chapter]:
    found = products(verdict)
    if not found:
        return
    rest = found[_FOLDED_PRODUCTS:]
    notes = dict.fromkeys(product.note for product in found if product.note)
    yield Chapter(
        title="What the time is made of",
        products=found[:_FOLDED_PRODUCTS],
        legend=" ".join(
            ("The terms multiply; one whose interval holds 1 says so.", *(f"{_capital(note)}." for note in notes))
        ),
        folds=(Chapter(title=f"{len(rest)} more launchers", products=rest),) if rest else (),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:].removesuffix(".")


def _blocks(analysis: Analysis) -> Iterator[Chapter]:
    found = block_table.table(analysis.verdict, analysis.points)
    if found is not None:
        yield Chapter(title="Block by block", lead=f"{found.title}.", tables=(html_table(found),))


def _suspects(verdict: Verdict) -> tuple[Chapter, ...]:
    names = subjects(verdict)[:1]
    own = [cause for cause in verdict.causes if cause.launcher in names]
    return (Chapter(title="Every suspect, with its evidence", facts=tuple(map(_suspect, own))),) if own else ()


def _suspect(cause: Cause) -> tuple[str, str]:
    return f"{TITLES.get(cause.cause, cause.cause)}: {_STATUS[cause.status]}", without_folders(cause.evidence)


def _files(verdict: Verdict, run: Run) -> Iterator[Chapter]:
    found = eval_loops.table(verdict, run)
    programs: list[dict[str, Any]] = list(run.interpreters.get("programs", ()))
    folds = tuple(
        Chapter(title=f"How {_named(program)} was told", items=tuple(map(without_folders, program.get("evidence", ()))))
        for program in programs
        if program.get("evidence")
    )
    said = tuple(without_folders(str(sentence)) for sentence in run.interpreters.get("contradictions", ()))
    contradictions = (Chapter(title="Where sysconfig contradicts the files", items=said),) if said else ()
    if found is not None or folds:
        yield Chapter(
            title="The files that ran",
            tables=() if found is None else (html_table(found),),
            folds=(*folds, *contradictions),
        )


def _named(program: dict[str, Any]) -> str:
    name = Path(str(program.get("real_path", program.get("path", "a file")))).name
    return f"{name} ({program['package']})" if program.get("package") else name


def behind(verdict: Verdict, run: Run, sections: Sequence[Section]) -> Iterator[Chapter]:
    drawn = panels.chunks(verdict)
    if drawn:
        yield Chapter(
            title="Chunks of a living process, in their order",
            panels=drawn,
            legend="Relative to the second half of each process, median over blocks; left of the dashed line first "
            "runs, which stand in no other figure.",
        )
    for section in sections:
        yield Chapter(
            title=f"In full: {section.title}", tables=tuple(html_table(_cut(table)) for table in section.tables)
        )
    found = reservations(verdict.warnings)
    if found:
        yield Chapter(
            title="Reservations",
            facts=tuple(
                (
                    reservation.title,
                    " ".join(
                        (
                            *(f"{_capital(text)}." for text in reservation.messages),
                            *((reservation.remedy,) if reservation.remedy else ()),
                        )
                    ),
                )
                for reservation in found
            ),
        )
    yield Chapter(title="How it was measured", items=tuple(_setting(verdict, run)))


def _cut(table: Table) -> Table:
    """``table`` without the folders of the paths in it."""
    rows = (tuple(without_folders(cell) if isinstance(cell, str) else cell for cell in row) for row in table.rows)
    return msgspec.structs.replace(table, rows=tuple(rows), notes=tuple(map(without_folders, table.notes)))


def _setting(verdict: Verdict, run: Run) -> Iterator[str]:
    machine, load = run.machine, (run.machine.get("pyperf") or {}).get("load_avg_1min")
    virtual = machine.get("hypervisor")
    cpus = machine.get("cpus_online")
    yield ", ".join(
        filter(
            None,
            (
                str(machine.get("cpu_model") or "a CPU that is not named"),
                "virtual" if virtual else "",
                f"{cpus} CPUs" if cpus else "",
                f"kernel {machine['kernel']}" if machine.get("kernel") else "",
                f"load {load} at the start" if load is not None else "",
            ),
        )
    )
    yield run.source_sentence
    took = "unfinished" if run.measured_s is None else f"{run.measured_s:.0f} s in all"
    yield f"{len(run.plan.blocks)} blocks, each with all launchers in random order; seed {run.plan.seed}; {took}"
    yield f"begun {run.started_utc}"
    target = verdict.target
    named = Path(target.real_path).name
    yield f"target {named}, CPython {target.version}, build-id {target.build_id}{target.where_it_runs}"
    equal = {True: "outputs equal bit for bit in all launchers", False: "outputs differ", None: "outputs not compared"}
    yield equal[verdict.workload.bit_exact]
    yield "“slower” and “faster” hold for all metrics of a launcher together (Holm)"
