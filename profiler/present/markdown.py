"""Tables as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from profiler.present.table import Cell, Table, text_of, with_columns
from profiler.present.visible import visible

_LEFT = {"word", "name", "verdict"}
_DRAWN = {"bar", "lane"}
_SPECIAL = re.compile(r"[\\`*\[\]|]|(?<!\w)_|_(?!\w)")


def to_markdown(table: Table, *, heading: str) -> Iterator[str]:
    """Lines of a section under ``heading`` (``##`` and the like; empty: the title stands over the table elsewhere).

    Drawings are left out.
    """
    if heading:
        yield from (f"{heading} {table.title}", "")
    table = with_columns(table, [at for at, column in enumerate(table.columns) if column.kind not in _DRAWN])
    yield "| " + " | ".join(_escaped(column.title) for column in table.columns) + " |"
    yield "|" + "|".join("---" if column.kind in _LEFT else "---:" for column in table.columns) + "|"
    for row in table.rows:
        yield "| " + " | ".join(map(_escaped, row)) + " |"
    yield ""
    for note in table.notes:
        yield from (_sentence(note), "")


def escaped(text: str) -> str:
    """``text`` as text: what Markdown or HTML would take for more is none."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(visible(text).split())).replace("<", "&lt;")


def _escaped(cell: Cell) -> str:
    return escaped(text_of(cell))


def _sentence(note: str) -> str:
    return note if note.endswith((".", ")")) else f"{note}."
