"""The causes drawn: boxes that lie in one another as the causes do, and a row for each with its range."""

from __future__ import annotations

import re

from msgspec.structs import replace

from profiler.analyze.numbers import digits, share, shares
from profiler.model import Noun
from profiler.present.cause_tree import CauseRow
from profiler.present.html_table import HtmlTable, html_table
from profiler.present.table import Axis, Column, Lane, Mark, Table, columns

_TINTS = ("c1", "c2", "c3", "c5")
_WHOLE, _REST, _PLACE = "c0", "c4", "none"
_PERCENT = Axis(lo=0.0, hi=1.0, ticks=tuple((at / 4, str(25 * at)) for at in range(5)), one=0.0)
_THIN = 0.012
"""A narrower box has no words."""


class CauseBox(Noun, frozen=True, kw_only=True):
    """One box: where it lies in per cent of the whole, and what it says."""

    name: str
    share: str
    colour: str
    """``c0`` what has parts, ``c1`` to ``c5`` tints of one hue, ``c4`` grey: what is left."""
    at: float
    width: float
    needs: int
    """Letters of its longest word: so wide it has to be for its name to stand in it."""
    named: bool
    """It may have words."""


def boxes(tree: tuple[CauseRow, ...]) -> tuple[tuple[CauseBox, ...], ...]:
    """By depth, from left to right; empty without shares. Places are no parts and have none."""
    by_depth: dict[int, list[CauseBox]] = {}
    for row, box in _boxes(tree):
        by_depth.setdefault(row.depth, []).append(box)
    return tuple(tuple(sorted(level, key=lambda box: box.at)) for _, level in sorted(by_depth.items()))


def legend(tree: tuple[CauseRow, ...]) -> tuple[CauseBox, ...]:
    """The same boxes in the order of the tree: a whole, then its parts."""
    return tuple(box for _, box in _boxes(tree))


def _boxes(tree: tuple[CauseRow, ...]) -> list[tuple[CauseRow, CauseBox]]:
    shown = [(row, colour) for row, colour in zip(tree, colours(tree), strict=True) if _is_drawn(row)]
    whole = max([1.0, *(row.start + (row.share or 0.0) for row, _ in shown)])
    return [(row, _box(row, colour, whole)) for row, colour in shown]


def _is_drawn(row: CauseRow) -> bool:
    return row.kind != "place" and row.share is not None and row.share > 0


def _box(row: CauseRow, colour: str, whole: float) -> CauseBox:
    assert row.share is not None
    begin, end = (min(1.0, max(0.0, part / whole)) for part in (row.start, row.start + row.share))
    return CauseBox(
        name=row.name,
        share=share(row.share),
        colour=colour,
        at=round(100 * begin, 2),
        width=round(100 * (end - begin), 2),
        needs=max(map(len, (*re.split(r"\s|(?<=-)", row.name), share(row.share)))),
        named=end - begin > _THIN,
    )


def colours(tree: tuple[CauseRow, ...]) -> tuple[str, ...]:
    """A class for each row: one hue, what is left is grey."""
    found, tint = [], 0
    for at, row in enumerate(tree):
        if row.kind == "place":
            found.append(_PLACE)
        elif row.kind == "rest":
            found.append(_REST)
        elif at + 1 < len(tree) and tree[at + 1].depth > row.depth:
            found.append(_WHOLE)
        else:
            found.append(_TINTS[tint % len(_TINTS)])
            tint += 1
    return tuple(found)


def rows(tree: tuple[CauseRow, ...]) -> HtmlTable:
    """A row for each cause: its share, over which orders it ranges, the ratio without it, whether that was proved."""
    found = colours(tree)
    table = Table(
        title="",
        columns=(
            *columns("name", "cause"),
            *columns("share", "share"),
            *columns("interval", ""),
            Column(title="per cent", kind="lane", axis=_PERCENT),
            *columns("ratio", "without it"),
            *columns("verdict", ""),
        ),
        rows=tuple(
            (
                row.name,
                share(row.share),
                shares(row.least, row.most),
                Lane(value=row.share, lo=row.least, hi=row.most, tone="plain"),
                "" if row.without is None else digits(row.without),
                Mark(text=_word(row), tone="plain" if row.proved else "faint"),
            )
            for row in tree
        ),
        notes=_notes(tree),
    )
    told = html_table(table, tones=["open" if colour == _PLACE else colour for colour in found])
    cells = [
        (replace(cells[0], swatch=colour, depth=row.depth), *cells[1:])
        for cells, row, colour in zip(told.rows, tree, found, strict=True)
    ]
    return replace(told, rows=tuple(cells))


def _word(row: CauseRow) -> str:
    return {"rest": "", "place": "a place", "cause": "proved" if row.proved else "seen"}[row.kind]


def _notes(tree: tuple[CauseRow, ...]) -> tuple[str, ...]:
    said = ["Shares are of the logarithm of the ratio, so that siblings add up."]
    if any(row.least is not None for row in tree):
        said.append(
            "Of a share that depends on the order in which options are taken away: its mean over the orders, and "
            "beside it from the least to the most, in per cent."
        )
    if any(row.without is not None for row in tree):
        said.append("Without it: the measured ratio when this one alone is taken away.")
    if any(row.kind == "place" for row in tree):
        said.append("A place says where the difference sits; its setting is equal on both sides, so it is no cause.")
    proved = "Proved: it was taken away, or given, and the difference moved; seen: it differs, no more."
    return (" ".join([*said, proved]),)
