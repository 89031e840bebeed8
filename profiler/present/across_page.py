"""``report.html`` of ``compare``: the matrix of ratios, what changed, and in what the runs differ, as one file."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import PurePath

from profiler.analyze.numbers import pair
from profiler.catalogue.metrics import title
from profiler.model.across import Across, AcrossChange
from profiler.present.chapters import Chapter
from profiler.present.forest import axis_of
from profiler.present.html_table import html_table
from profiler.present.page import Page, html
from profiler.present.reservations import reservations
from profiler.present.table import Cell, Column, Lane, Table, Tone, columns

_TONES: dict[str, Tone] = {"slower": "worse", "faster": "better"}


def report(document: Across, changes: Sequence[AcrossChange], *tables: Table) -> bytes:
    """The page's bytes: ``changes`` are those that answer; ``tables`` the matrix, the differences, and all changes."""
    matrix, differences, everything = tables
    kept = reservations(document.warnings)
    chapters = (
        Chapter(title="The runs side by side", tables=(html_table(matrix),)),
        *((Chapter(title="What changed", tables=(html_table(_lanes(document, changes)),)),) if changes else ()),
        Chapter(title="In what the runs differ", tables=(html_table(differences),)),
        *(
            (
                Chapter(
                    title="Reservations",
                    facts=tuple((reservation.title, "; ".join(reservation.messages)) for reservation in kept),
                ),
            )
            if kept
            else ()
        ),
    )
    return html(
        Page(
            title=f"What changed: {document.workload}",
            meta=(
                "tax-probe compare",
                document.workload,
                *(f"{folder.label}: {folder.started_utc[:10]}" for folder in document.folders),
            ),
            heading=document.sentence,
            lead=(),
            chapters=chapters,
            behind=(Chapter(title="All changes", tables=(html_table(everything),)),),
            command=f"tax-probe compare {shlex.join(PurePath(folder.path).name for folder in document.folders)}",
            next=None,
        ),
        (),
    )


def _lanes(document: Across, changes: Sequence[AcrossChange]) -> Table:
    """The changes with their intervals drawn on one axis."""
    bounds = (bound for c in changes for bound in (c.lo, c.ratio, c.hi) if bound is not None)
    rows: list[tuple[Cell, ...]] = []
    for c in changes:
        lane = Lane(value=c.ratio, lo=c.lo, hi=c.hi, tone=_TONES.get(c.verdict, "open"))
        of = f"{c.launcher}{'' if c.of == 'cost' else ', its tax'}"
        ratio, spread = pair(c.ratio, c.lo, c.hi, exact=c.exact)
        rows.append((of, f"{title(c.metric)}, {c.folder} ÷ {c.reference}", ratio, spread, lane))
    return Table(
        title=f"since {document.folders[0].label}",
        columns=(
            *columns("name", "of", "in"),
            *columns("ratio", "change"),
            *columns("interval", ""),
            Column(title="", kind="lane", axis=axis_of(bounds)),
        ),
        rows=tuple(rows),
    )
