"""Several runs side by side: headline first on a terminal, everything in ``compare.json`` and ``comparison.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.markup import escape
from rich.padding import Padding

from profiler.analyze.change_wording import is_exact
from profiler.analyze.numbers import digits, pair, told, value
from profiler.catalogue.metrics import METRIC, title
from profiler.folder import json_document, write_result
from profiler.model.across import Across, AcrossChange, AcrossFolder
from profiler.present.across_page import report
from profiler.present.layout import lay_out
from profiler.present.markdown import to_markdown
from profiler.present.page import NAME as REPORT
from profiler.present.reservations import reservations
from profiler.present.streams import answering
from profiler.present.table import UNKNOWN, Cell, Mark, Table, columns, filled
from profiler.present.terminal import marks_of
from profiler.present.text import console
from profiler.present.visible import visible
from profiler.present.words import effect, mark

_BESIDE = ("cycles", "wall")
DOCUMENT, PAGE = "compare.json", "comparison.md"
_LINES = 40
"""What a terminal shows without being scrolled."""
_FRAME = 2
"""Lines of a table beside its rows: one before it, and its head."""
_LEAST = 3
"""Rows of changes that are shown whatever stands above them."""
_MOST_ROWS = 8
"""Launchers that a terminal shows."""
_MOST = 5
"""Differences that a terminal shows."""
_PAIRED = {"blocks": "same blocks", "placements": "same placements", "none": "independent", None: ""}


def show(document: Across, *, format_: str, folder: Path | None) -> None:
    """Print it on stdout: one JSON document, or at most ``_LINES`` lines of 80 characters for people.

    Raises:
        MachineError: stdout cannot be written to.
    """
    with answering("make room, or let --out DIR keep it elsewhere"):
        if format_ == "json":
            sys.stdout.write(as_json(document).decode())
        else:
            _print(document, folder)


def _print(document: Across, folder: Path | None) -> None:
    out = console()
    said = [*_difference_lines(document, out.width), *_warning_lines(document)]
    matrix, folders = _matrix(document, _MOST_ROWS), [_folder_line(folder) for folder in document.folders]
    # What does not fit stands in the document; two lines are left for notes, and two for where it is.
    taken = [document.sentence, *folders, *said]
    room = _LINES - sum(-(-len(line) // out.width) for line in taken) - len(matrix.rows) - 2 * _FRAME - 7
    out.print(f"\n[bold]{escape(visible(document.sentence))}[/bold]\n")
    for line in folders:
        out.print(visible(line), markup=False, soft_wrap=True)
    for line in said:
        out.print(Padding(escape(visible(line)), (0, 0, 0, 2)))
    for table in (matrix, _changes(document, _main(document), shown=max(_LEAST, room))):
        out.print()
        for drawn in lay_out(table, out.width, marks_of(out)):
            out.print(drawn)
    if folder is not None:
        out.print(f"results: {folder}", markup=False, soft_wrap=True)


def write(folder: Path, document: Across) -> None:
    """Write ``compare.json``, ``comparison.md`` and ``report.html``.

    Raises:
        MachineError: the folder cannot be written to.
    """
    write_result(folder, DOCUMENT, as_json(document))
    write_result(folder, PAGE, page(document).encode())
    tables = (_matrix(document), _differences(document), _all(document))
    write_result(folder, REPORT, report(document, _main(document), *tables))


def as_json(document: Across) -> bytes:
    """The document as it stands in ``compare.json``."""
    return json_document(document)


def page(document: Across) -> str:
    """The text that can be attached to a report: what changed, in what the runs differ, all figures."""
    lines = [
        f"# What changed: {document.workload}",
        "",
        document.sentence,
        "",
        "## Runs",
        "",
        *(f"- {_folder_line(folder)}" for folder in document.folders),
        "",
        *to_markdown(_differences(document), heading="##"),
        *to_markdown(_matrix(document), heading="##"),
        *to_markdown(_all(document), heading="##"),
    ]
    if document.warnings:
        lines += ["## Reservations", ""]
        lines += [f"- `{warning.code}`: {warning.message}" for warning in document.warnings] + [""]
    return "\n".join(lines)


def _folder_line(folder: AcrossFolder) -> str:
    day = folder.started_utc[:16].replace("T", " ")
    return f"{folder.label}: {folder.path} ({folder.command}, {day}, {folder.source}, CPython {folder.version})"


def _difference_lines(document: Across, width: int) -> Iterator[str]:
    """A line each, machine and target first; what does not fit is counted."""
    labels = [folder.label for folder in document.folders]
    for difference in document.differences[:_MOST]:
        most = max(8, (width - len(difference.what) - 4) // len(labels) - 4)
        values = "; ".join(
            f"{label} {_short(value, most)}" for label, value in zip(labels, difference.values, strict=True)
        )
        yield f"{difference.what}: {values}"
    if not document.differences:
        yield "machine, target, images and measurement are the same, as far as is known"
    elif len(document.differences) > _MOST:
        yield f"and {len(document.differences) - _MOST} differences more (--format json)"


def _short(value: str | None, most: int) -> str:
    if value is None or len(value) <= most:
        return value or UNKNOWN
    # Paths differ at their end.
    return f"…{value[1 - most :]}" if value.startswith("/") else f"{value[: most - 1]}…"


def _warning_lines(document: Across) -> Iterator[str]:
    for reservation in reservations(document.warnings):
        yield f"warning {reservation.code}: {reservation.title}" + (
            f" → {reservation.remedy}" if reservation.remedy else ""
        )


def _differences(document: Across) -> Table:
    return Table(
        title="In what the runs differ",
        columns=columns("word", "", *(folder.label for folder in document.folders)),
        rows=tuple(
            (f"{difference.kind}: {difference.what}", *(value or UNKNOWN for value in difference.values))
            for difference in document.differences
        ),
        notes=() if document.differences else ("nothing that is known",),
    )


def _matrix(document: Across, most: int | None = None) -> Table:
    left = 0 if most is None else len(document.matrix) - most
    exact = all(folder.source in METRIC[document.headline].exact_by for folder in document.folders)
    return Table(
        title=f"{title(document.headline)}, ratio to the baseline of the same run",
        columns=(
            *columns("word", "launcher"),
            *columns("ratio", *(folder.label for folder in document.folders)),
        ),
        rows=tuple(
            (
                row.launcher,
                *(
                    UNKNOWN if cell is None else str(told(cell.ratio, cell.lo, cell.hi, exact=exact))
                    for cell in row.ratios
                ),
            )
            for row in document.matrix[:most]
        ),
        notes=(f"{left} launchers more: --format json",) if left > 0 else (),
    )


def _main(document: Across) -> list[AcrossChange]:
    """Of launchers in their own right in what answers the question; of several folders in the headline metric alone."""
    own = {name for folder in document.folders for name in folder.launchers}
    wanted = (document.headline, *_BESIDE) if len(document.folders) == 2 else (document.headline,)
    found = [c for c in document.changes if c.launcher in own and c.metric in wanted and c.ratio is not None]
    # The headline first, then what takes longer to read.
    return sorted(found, key=lambda c: (c.metric != document.headline, c.metric))


def _changes(document: Across, found: Sequence[AcrossChange], *, shown: int) -> Table:
    left = len(found) - shown
    two = len(document.folders) == 2
    of = f"{document.folders[1].label} ÷ {document.folders[0].label}" if two else f"÷ {document.folders[0].label}"
    more = f"{left} rows more: --format json" if left > 0 else None
    unknown = _unknown(document)
    return filled(
        Table(
            title=f"change, {of}" + ("" if two else f", {title(document.headline)}"),
            columns=(
                *columns("word", "of"),
                *columns("word", "metric" if two else "in"),
                *columns("ratio", "change"),
                *columns("interval", ""),
                *columns("verdict", "verdict"),
            ),
            rows=tuple(
                (
                    _subject(c, document),
                    title(c.metric) if two else c.folder,
                    *pair(c.ratio, c.lo, c.hi, exact=c.exact),
                    _mark(c),
                )
                for c in found[:shown]
            ),
            notes=tuple(note for note in (more, unknown) if note),
        )
    )


def _unknown(document: Across) -> str | None:
    """Why the headline has no change, where no launcher has one."""
    found = [c for c in document.changes if c.metric == document.headline]
    if any(c.ratio is not None for c in found) or not found:
        return None
    return f"no {title(document.headline)}: {found[0].reason}"


def _subject(change: AcrossChange, document: Across) -> str:
    baseline = document.folders[0].launchers[0]
    return change.launcher if change.of == "cost" else f"{change.launcher} ÷ {baseline}"


def _mark(change: AcrossChange) -> Mark:
    return mark(change.metric, change.verdict, once=change.ratio is not None and change.lo is None)


def _all(document: Across) -> Table:
    """Every change that is known, with the figures it is between; what is not known by its reason, once."""
    known = [c for c in document.changes if c.ratio is not None]
    reasons: dict[str, dict[str, None]] = {}
    for c in document.changes:
        if c.ratio is None:
            reasons.setdefault(c.reason or "not known", {})[title(c.metric)] = None
    return filled(
        Table(
            title="All changes",
            columns=(
                *columns("word", "of", "in", "metric"),
                *columns("figure", "before", "after"),
                *columns("ratio", "change"),
                *columns("interval", ""),
                *columns("share", "detectable"),
                *columns("verdict", "verdict"),
                *columns("word", "blocks", "compared"),
            ),
            rows=tuple(_row(c, document) for c in known),
            notes=tuple(f"no {', '.join(names)}: {reason}" for reason, names in reasons.items()),
        )
    )


def _row(c: AcrossChange, document: Across) -> tuple[Cell, ...]:
    figures: Iterable[str] = (
        (value(c.metric, c.before), value(c.metric, c.after))
        if c.of == "cost"
        else tuple(UNKNOWN if figure is None else digits(figure) for figure in (c.before, c.after))
    )
    return (
        _subject(c, document),
        c.folder,
        title(c.metric),
        *figures,
        *pair(c.ratio, c.lo, c.hi, exact=c.exact),
        "" if is_exact(c) else effect(c.detectable),
        _mark(c),
        " and ".join(map(str, c.blocks)),
        _PAIRED[c.pairing],
    )
