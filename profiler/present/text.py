"""Tables on a terminal: figures and verdicts are never cut, words may be broken, and drawings go first."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable
from rich.text import Text

from profiler.folder import json_document
from profiler.model import Noun
from profiler.present.streams import printing
from profiler.present.table import Bar, Cell, Table, Tone, text_of, with_columns
from profiler.present.visible import visible

WITHOUT_TERMINAL = 80
"""Characters of a line where nobody looks: in a file or a pipe."""
STYLES: dict[Tone, str] = {"worse": "red", "better": "green", "open": "yellow", "plain": "default", "faint": "dim"}
_NARROWEST = 18
"""Words may be broken down to this width, figures never."""
_FRAME = 3
"""Characters that a column takes beside its cells."""
_BAR = 16
_LEFT = {"word", "verdict", "bar"}


class _Stdout(Console):
    """A reader that leaves is the command line's matter, not a reason to exit with 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console() -> Console:
    """Of stdout; of a fixed width where that is no terminal."""
    found = _Stdout(highlight=False)
    return found if found.is_terminal else _Stdout(highlight=False, width=WITHOUT_TERMINAL)


def print_answer(answer: Noun, lines: Callable[[Console], Iterable[Text]], *, as_json: bool, indent: int = 2) -> None:
    """Write ``answer`` to stdout: as one JSON document, or as the ``lines`` that fit the terminal.

    Raises:
        MachineError: stdout cannot be written to.
    """
    with printing():
        if as_json:
            sys.stdout.write(json_document(answer, indent=indent).decode())
            return
        out = console()
        for line in lines(out):
            out.print(line, soft_wrap=True)


def to_rich(table: Table, width: int) -> tuple[RichTable | Text, ...]:
    """For a terminal of ``width`` characters: title, side by side what fits there, the other columns below, notes."""
    parts = _parts(table, width)
    if len(parts) > 1:
        table = with_columns(table, [at for at, column in enumerate(table.columns) if column.kind != "bar"])
        parts = _parts(table, width)
    # Rich would break titles and captions at the width of the table, however narrow.
    return (
        *((Text(visible(table.title), style="bold"),) if table.title else ()),
        *(_drawn(with_columns(table, part)) for part in parts),
        *(Text(visible(note), style="dim italic") for note in table.notes),
    )


def _drawn(table: Table) -> RichTable:
    drawn = RichTable()
    for at, column in enumerate(table.columns):
        drawn.add_column(
            escape(visible(column.title)),
            justify="left" if column.kind in _LEFT else "right",
            no_wrap=column.kind != "word",
            min_width=_least(table, at),
            overflow="fold",
        )
    for row in table.rows:
        drawn.add_row(*map(_cell, row))
    return drawn


def _cell(cell: Cell) -> str:
    if isinstance(cell, Bar):
        left = min(_BAR, max(0, round(cell.start * _BAR)))
        return " " * left + ("█" * min(_BAR - left, max(0, round(cell.end * _BAR) - left)) or "▏")
    text = escape(visible(text_of(cell)))
    return text if isinstance(cell, str) else f"[{STYLES[cell.tone]}]{text}[/{STYLES[cell.tone]}]"


def _parts(table: Table, width: int) -> list[list[int]]:
    """Column numbers of each table: the first, and the words that follow it, stand in all of them."""
    kinds = [column.kind for column in table.columns]
    leading = [at for at in range(len(kinds)) if set(kinds[1 : at + 1]) <= {"word"}]
    parts = [list(leading)]
    for at in range(len(leading), len(kinds)):
        if parts[-1] != leading and sum(_least(table, part) + _FRAME for part in (*parts[-1], at)) >= width:
            parts.append(list(leading))
        parts[-1].append(at)
    return parts


def _least(table: Table, at: int) -> int:
    if table.columns[at].kind == "bar":
        return _BAR + 1
    longest = max(len(text_of(cell)) for cell in (table.columns[at].title, *(row[at] for row in table.rows)))
    return min(longest, _NARROWEST) if table.columns[at].kind == "word" else longest
