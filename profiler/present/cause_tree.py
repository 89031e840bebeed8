"""The causes of one launcher's tax as a tree: parts beneath their whole, what is left beside them, adding up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from profiler.analyze.causes.nested import adding_up, beneath, untold
from profiler.analyze.numbers import digits, share, shares
from profiler.catalogue.causes import CAUSES
from profiler.model import Cause, Noun, Verdict
from profiler.present.table import Bar, Column, Table, columns

TITLES = {entry.id: entry.title for entry in CAUSES}
_NONE = 0.0005
"""A rest that would be told as 0.0 %."""


class CauseRow(Noun, frozen=True, kw_only=True):
    """One row of the tree."""

    kind: Literal["cause", "rest", "place"]
    """``rest``: what the causes of a level leave; ``place``: where the difference sits, which is no cause."""
    depth: int
    last: bool
    """No sibling follows."""
    name: str
    cause: str | None
    """Its id."""
    share: float | None
    """Of the tax; of a place, of the difference. Siblings of one level add up, the rest is one of them."""
    start: float
    """Where its bar begins: the shares of the siblings before it."""
    least: float | None
    most: float | None
    """Over orders."""
    without: float | None
    """Measured ratio to the baseline when this alone is taken away."""
    proved: bool
    """It was removed, or given."""
    evidence: str


def tree(verdict: Verdict, launcher: str) -> tuple[CauseRow, ...]:
    """Confirmed causes, what they leave, then the places; empty where none is confirmed."""
    own = [cause for cause in verdict.causes if cause.launcher == launcher]
    causal = [cause for cause in own if cause.role == "cause" and cause.status == "confirmed"]
    if not causal:
        return ()
    left = verdict.unexplained_of.get(launcher, verdict.unexplained)
    tops = adding_up(causal)
    rows = list(_level(tops, causal, 0, 0.0, None if left.share is None else left.share))
    rows += [_row(cause, 0, False, 0.0, kind="place") for cause in own if _is_told_place(cause)]
    return tuple(rows)


def _is_told_place(cause: Cause) -> bool:
    return cause.role == "place" and cause.share is not None and abs(cause.share) >= 0.02


def _level(
    siblings: tuple[Cause, ...], causal: list[Cause], depth: int, start: float, rest: float | None
) -> Iterator[CauseRow]:
    has_rest = rest is not None and abs(rest) >= _NONE
    for at, cause in enumerate(siblings):
        yield _row(cause, depth, at == len(siblings) - 1 and not has_rest, start)
        inner = [part for level, part in beneath([cause, *_parts(causal, cause)]) if level == 1]
        if inner:
            yield from _level(tuple(inner), causal, depth + 1, start, untold(causal, cause))
        start += cause.share or 0.0
    if has_rest:
        yield CauseRow(
            kind="rest",
            depth=depth,
            last=True,
            name="overlap of these" if rest is not None and rest < 0 else "not told apart" if depth else "unexplained",
            cause=None,
            share=rest,
            start=start if rest is not None and rest >= 0 else start + (rest or 0.0),
            least=None,
            most=None,
            without=None,
            proved=False,
            evidence="",
        )


def _parts(causal: list[Cause], whole: Cause) -> list[Cause]:
    return [cause for cause in causal if cause.part_of == whole.cause]


def _row(cause: Cause, depth: int, last: bool, start: float, kind: Literal["cause", "place"] = "cause") -> CauseRow:
    return CauseRow(
        kind=kind,
        depth=depth,
        last=last,
        name=TITLES.get(cause.cause, cause.cause),
        cause=cause.cause,
        share=cause.share,
        start=start,
        least=cause.share_least,
        most=cause.share_most,
        without=cause.without,
        proved=cause.strength == "intervened",
        evidence=cause.evidence,
    )


def table(rows: tuple[CauseRow, ...], ratio: str) -> Table | None:
    """The tree as a table under ``why 1.205 times the instructions``; None without rows."""
    if not rows:
        return None
    said = ["share: mean over the orders of taking options away; without: this one taken away"]
    return Table(
        title=f"why {ratio}",
        columns=(
            *columns("name", f"why {ratio}"),
            Column(title="", kind="bar"),
            *columns("share", "share"),
            *columns("interval", "by order"),
            *columns("ratio", "without"),
            Column(title="", kind="verdict", spare=True),
        ),
        rows=tuple(
            (
                _branch(row) + row.name + (" (a place)" if row.kind == "place" else ""),
                "" if row.share is None or row.kind == "place" else Bar(start=row.start, end=row.start + row.share),
                share(row.share),
                shares(row.least, row.most),
                "" if row.without is None else digits(row.without),
                "" if row.kind != "cause" else "proved" if row.proved else "seen",
            )
            for row in rows
        ),
        notes=tuple(said) if any(row.least is not None for row in rows) else (),
    )


def _branch(row: CauseRow) -> str:
    if row.depth == 0:
        return ""
    return "   " * (row.depth - 1) + ("└─ " if row.last else "├─ ")
