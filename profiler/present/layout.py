"""A table laid out for a terminal: figures, ratios and intervals first and whole, drawings and names in what is left.

What goes where there is no room, in this order: drawings, spare columns, the middle of names. A table that is still too
wide is told in parts, each beside the names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from rich.text import Text

from profiler.present.table import Axis, Bar, Cell, Column, Lane, Mark, Table, Tone, text_of, with_columns
from profiler.present.visible import visible

STYLES: dict[Tone, str] = {
    "worse": "color(202)", "better": "color(33)", "open": "default", "plain": "default", "faint": "dim",
}  # fmt: skip
_LEFT = {"word", "name", "verdict", "bar", "lane", "interval"}
_DRAWN = {"bar", "lane"}
_DRAWING = (10, 24)
_SHORTEST_NAME = 10
_LONGEST_GROUP = 12


class Marks(NamedTuple):
    """What lanes and bars are drawn with."""

    point: str
    line: str
    begin: str
    end: str
    one: str
    full: str
    thin: str
    below: str
    above: str
    gap: str
    """In the place of what was cut out."""


_LETTERS = {
    "├": "|", "└": "`", "─": "-", "│": "|", "±": "+/-", "×": "x", "÷": "/", "–": "-", "−": "-", "…": "...", "→": "->",
    "⁶": "^6",
}  # fmt: skip
_IN_ASCII = str.maketrans(_LETTERS)
UNICODE = Marks("●", "─", "├", "┤", "┊", "█", "▏", "◂", "▸", "…")
ASCII = Marks("o", "-", "[", "]", ":", "#", "|", "<", ">", "~")


def spelled(text: str, marks: Marks) -> str:
    """``text`` in the letters that there are: where these are ASCII's, every sign as what it stands for."""
    seen = visible(text)
    return seen.translate(_IN_ASCII).encode("ascii", "replace").decode() if marks is ASCII else seen


def _spelled(table: Table, marks: Marks) -> Table:
    def of(cell: Cell) -> Cell:
        match cell:
            case str():
                return spelled(cell, marks)
            case Mark():
                return Mark(text=spelled(cell.text, marks), tone=cell.tone)
        return cell

    return msgspec.structs.replace(
        table,
        columns=tuple(msgspec.structs.replace(column, title=spelled(column.title, marks)) for column in table.columns),
        rows=tuple(tuple(map(of, row)) for row in table.rows),
        notes=tuple(spelled(note, marks) for note in table.notes),
    )


def lay_out(table: Table, width: int, marks: Marks = UNICODE) -> tuple[Text, ...]:
    """The lines of ``table``, none longer than ``width``."""
    table = _spelled(table, marks)
    if table.groups and max(len(text_of(row[0])) for row in table.rows) > _LONGEST_GROUP:
        table = _with_own_lines(table)
    found: list[Text] = []
    for part in _parts(_fitting(table, width), width):
        widths = _widths(part, width)
        found.append(_heading(part, widths, marks))
        found += [_row(part, row, widths, marks) for row in part.rows]
    for note in table.notes:
        found += _wrapped(note, width)
    return tuple(found)


def _with_own_lines(table: Table) -> Table:
    """Names of groups on lines of their own, above what belongs to them."""
    rest = len(table.columns) - 2
    rows: list[tuple[Cell, ...]] = []
    for row in table.rows:
        if row[0]:
            rows.append((row[0], *("" for _ in range(rest))))
        rows.append(("  " + text_of(row[1]), *row[2:]))
    return Table(title=table.title, columns=(table.columns[0], *table.columns[2:]), rows=tuple(rows), notes=table.notes)


def _fitting(table: Table, width: int) -> Table:
    """``table`` without what goes first where it does not fit."""
    while _needed(table, shortest=False) > width:
        gone = _drawing(table)
        gone = _spare(table) if gone is None else gone
        if gone is None:
            return table
        table = with_columns(table, [at for at in range(len(table.columns)) if at != gone])
    return table


def _spare(table: Table) -> int | None:
    return next((at for at, column in enumerate(table.columns) if column.spare), None)


def _drawing(table: Table) -> int | None:
    return next((at for at, column in enumerate(table.columns) if column.kind in _DRAWN), None)


def _parts(table: Table, width: int) -> list[Table]:
    """``table`` as it is, or in parts where even short names leave too little room."""
    if _needed(table, shortest=True) <= width:
        return [table]
    leading = [at for at, column in enumerate(table.columns) if column.kind == "name"]
    parts: list[list[int]] = [[]]
    for at in range(len(table.columns)):
        if at in leading:
            continue
        both = [*parts[-1], at]
        if (
            parts[-1]
            and table.columns[at].kind != "interval"
            and _needed(with_columns(table, [*leading, *both]), shortest=True) > width - _LONGEST_GROUP
        ):
            parts.append([at])
        else:
            parts[-1] = both
    return [with_columns(table, [*leading, *part]) for part in parts]


def _needed(table: Table, *, shortest: bool) -> int:
    return sum(_least(table, at, shortest=shortest) for at in range(len(table.columns))) + _gaps(table)


def _gaps(table: Table) -> int:
    return sum(len(_gap(column)) for column in table.columns[1:])


def _gap(column: Column) -> str:
    return " " if column.kind == "interval" and not column.title else "  "


def _least(table: Table, at: int, *, shortest: bool) -> int:
    kind = table.columns[at].kind
    if kind in _DRAWN:
        return _DRAWING[0]
    longest = _longest(table, at)
    return min(longest, _SHORTEST_NAME) if kind in ("name", "word") and shortest else longest


def _longest(table: Table, at: int) -> int:
    """Of the cells, and of the title where it cannot stand over the columns that follow and have none."""
    cells = max((len(text_of(row[at])) for row in table.rows), default=0)
    if at + 1 < len(table.columns) and not table.columns[at + 1].title and table.columns[at + 1].kind != "lane":
        return cells
    return max(cells, len(table.columns[at].title))


def _widths(table: Table, width: int) -> list[int]:
    widths = [_least(table, at, shortest=False) for at in range(len(table.columns))]
    left = width - sum(widths) - _gaps(table)
    for at in sorted(range(len(widths)), key=lambda at: -widths[at]):
        if table.columns[at].kind in ("name", "word") and left < 0:
            cut = min(-left, max(0, widths[at] - _SHORTEST_NAME))
            widths[at] -= cut
            left += cut
    for at, column in enumerate(table.columns):
        if column.kind in _DRAWN and left > 0:
            more = min(left, _DRAWING[1] - widths[at])
            widths[at] += more
            left -= more
    return widths


def _heading(table: Table, widths: Sequence[int], marks: Marks) -> Text:
    """Titles, each over its column and those without one that follow; over a lane its ticks."""
    line = Text()
    at = 0
    while at < len(widths):
        column, width = table.columns[at], widths[at]
        line.append(_gap(column) if at else "")
        at += 1
        if column.kind == "lane":
            line.append(" " * width if column.axis is None else _ticks(column.axis, width), style="dim")
            continue
        room = width
        while at < len(widths) and not table.columns[at].title and table.columns[at].kind != "lane":
            room += len(_gap(table.columns[at])) + widths[at]
            at += 1
        title = shortened(column.title, room, marks.gap)
        title = title if column.kind in _LEFT or len(title) > width else title.rjust(width)
        line.append(title.ljust(room), style="bold")
    line.rstrip()
    return line


def _ticks(axis: Axis, width: int) -> str:
    line = [" "] * width
    for value, text in axis.ticks:
        begin = round(axis.at(value) * (width - 1)) - len(text) // 2
        if 0 <= begin <= width - len(text) and all(c == " " for c in line[max(0, begin - 1) : begin + len(text) + 1]):
            line[begin : begin + len(text)] = text
    return "".join(line)


def _row(table: Table, row: Sequence[Cell], widths: Sequence[int], marks: Marks) -> Text:
    line = Text()
    for at, (column, cell, width) in enumerate(zip(table.columns, row, widths, strict=True)):
        line.append(_gap(column) if at else "")
        line.append_text(_cell(column, cell, width, marks))
    line.rstrip()
    return line


def _cell(column: Column, cell: Cell, width: int, marks: Marks) -> Text:
    match cell:
        case Bar():
            return Text(_bar(cell, width, marks).ljust(width))
        case Lane():
            return Text(_lane(cell, column.axis, width, marks), style=STYLES[cell.tone])
        case str():
            text = shortened(cell, width, marks.gap)
            return Text(text.ljust(width) if column.kind in _LEFT else text.rjust(width))
        case _:
            return Text(cell.text.ljust(width), style=STYLES[cell.tone])


def _bar(bar: Bar, width: int, marks: Marks) -> str:
    begin, end = (min(width, max(0, round(part * width))) for part in (bar.start, bar.end))
    return " " * min(begin, width - 1) + (marks.full * (end - begin) or marks.thin)


def _lane(lane: Lane, axis: Axis | None, width: int, marks: Marks) -> str:
    line = [" "] * width
    if axis is None:
        return "".join(line)

    def at(value: float) -> int:
        return round(axis.at(value) * (width - 1))

    if axis.one is not None:
        line[min(width - 1, max(0, at(axis.one)))] = marks.one
    if lane.lo is not None and lane.hi is not None:
        begin, end = at(lane.lo), at(lane.hi)
        line[max(0, begin) : min(width, end + 1)] = marks.line * (min(width, end + 1) - max(0, begin))
        line[min(width - 1, max(0, begin))] = marks.begin if begin >= 0 else marks.below
        line[max(0, min(width - 1, end))] = marks.end if end < width else marks.above
    if lane.value is not None:
        line[min(width - 1, max(0, at(lane.value)))] = marks.point
    return "".join(line)[:width]


def shortened(text: str, width: int, gap: str = "…") -> str:
    """``text`` without its middle where it is longer than ``width``."""
    if len(text) <= width:
        return text
    keep = width - 1
    return f"{text[: keep - keep // 2]}{gap}{text[len(text) - keep // 2 :]}" if keep > 0 else text[:width]


def _wrapped(note: str, width: int) -> list[Text]:
    import textwrap

    return [Text("  " + line, style="dim") for line in textwrap.wrap(note, max(20, width - 2))]
