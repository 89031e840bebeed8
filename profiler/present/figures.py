"""Drawings of a result folder as SVG files, for texts that cannot draw: from the same view as the page.

Text is text, ids are none, the plate behind is white: a drawing reads the same on a light and on a dark page. The same
rows give the same file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from profiler.folder import write_result
from profiler.model import Noun, Verdict
from profiler.model.drilldown import Drilldown, Whereabouts
from profiler.model.statement_costs import StatementCosts
from profiler.model.verdict import part
from profiler.present import before_after, flame, nested_causes, opcode_pictures, panels
from profiler.present.html_table import HtmlCell, HtmlTable, html_table
from profiler.present.layout import shortened
from profiler.present.panels import Panel
from profiler.present.table import Table
from profiler.present.templating import render
from profiler.present.view import View

_WIDTH = 800
"""Of a drawing, in user units; its letters are 13 high and some 7.3 wide."""
_LETTER = 7.3
_LEFT, _GAP = 16, 14
_MOST_NAME = 40


class ForestRow(Noun, frozen=True, kw_only=True):
    """A row's words, shortened to their room, and its lane."""

    name: str
    told: str
    lane: HtmlCell
    word: str
    tone: str


def write(folder: Path, verdict: Verdict, shown: View) -> tuple[str, ...]:
    """Draw what there is to draw: ``causes``, ``forest``, ``amortize``, ``opcodes``, ``opcode_parts``,
    ``statements``, ``flame``, ``series``.

    Returns:
        The files written, relative to ``folder``.

    Raises:
        MachineError: the folder cannot be written to.
    """
    made = drawn(verdict, shown)
    for path, data in made.items():
        write_result(folder, path, data)
    return tuple(made)


def drawn(verdict: Verdict, shown: View) -> dict[str, bytes]:
    """The drawings, by where they stand in a result folder."""
    return {path_of(name): data for name, data in _drawings(verdict, shown)}


def path_of(picture: str) -> str:
    """Where a picture stands in its folder."""
    return f"figures/{picture}.svg"


def _drawings(verdict: Verdict, shown: View) -> Iterator[tuple[str, bytes]]:
    boxes = nested_causes.boxes(shown.tree)
    if boxes:
        legend = nested_causes.legend(shown.tree)
        yield "causes", render("causes.svg", levels=boxes, whole=shown.what, legend=legend, letter=_LETTER)
    curves = panels.crossovers(verdict)
    drawn = (table for table in (*shown.tables, before_after.table(verdict)) if table is not None)
    forest = next(
        (table for table in drawn if any(column.kind == "lane" and column.axis for column in table.columns)), None
    )
    if forest is not None and not curves and not _drilled(verdict):
        yield "forest", _forest(forest, shown.title)
    if curves:
        label = "whole process of each launcher ÷ that of python3, by M; shaded: the crossover with its interval"
        yield "amortize", _panels(curves, label)
    drawn_dots, drawn_bars = opcode_pictures.dots(verdict), opcode_pictures.bars(verdict)
    if drawn_dots is not None:
        yield "opcodes", render("opcodes.svg", plot=drawn_dots)
    drawn_statements = opcode_pictures.statement_dots(verdict)
    if drawn_statements is not None:
        yield "statements", render("opcodes.svg", plot=drawn_statements)
    if drawn_bars is not None:
        yield "opcode_parts", render("opcode-parts.svg", plot=drawn_bars)
    drawn_flame = flame.flame(verdict)
    if drawn_flame is not None:
        yield "flame", render("flame.svg", flame=drawn_flame)
    series = panels.chunks(verdict)
    if series:
        yield "series", _panels(series, "chunks of a process in their order, relative to its second half")


def _drilled(verdict: Verdict) -> bool:
    return any(part(verdict, kind) is not None for kind in (Drilldown, Whereabouts, StatementCosts))


def _forest(table: Table, label: str) -> bytes:
    found = html_table(table)
    lane = next(at for at, column in enumerate(found.columns) if column.kind == "lane")
    rows = [_row(found, row, lane) for row in found.rows]
    begin = _LEFT + _LETTER * max(len(row.name) for row in rows) + _GAP
    end_of_told = begin + _LETTER * max(len(row.told) for row in rows)
    words = _LETTER * max(len(row.word) for row in rows)
    left, right = end_of_told + 1.5 * _GAP, _WIDTH - _LEFT - words - _GAP
    return render(
        "forest.svg",
        label=label,
        head=found.columns[lane],
        rows=rows,
        told_at=round(end_of_told, 1),
        left=round(left, 1),
        width=round(right - left, 1),
        word_at=round(right + _GAP, 1),
    )


def _row(table: HtmlTable, row: tuple[HtmlCell, ...], lane: int) -> ForestRow:
    kinds = [column.kind for column in table.columns]
    name = ", ".join(
        " ".join(filter(None, (cell.text, cell.beside)))
        for cell, kind in zip(row, kinds, strict=True)
        if kind == "name"
    )
    told = next((cell for cell, kind in zip(row, kinds, strict=True) if kind == "ratio"), HtmlCell())
    word = next((cell for cell, kind in zip(row, kinds, strict=True) if kind == "verdict"), HtmlCell())
    return ForestRow(
        name=shortened(name, _MOST_NAME),
        told=" ".join(filter(None, (told.text, told.beside))),
        lane=row[lane],
        word=word.text,
        tone=word.tone,
    )


def _panels(found: tuple[Panel, ...], label: str) -> bytes:
    return render("panels.svg", panels=found, label=label)
