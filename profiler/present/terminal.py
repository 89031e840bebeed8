"""The answer on a terminal: headline, tables, a line for each fact, what to type next; ``-v`` unfolds the rest."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from profiler.model import Caveat
from profiler.present.layout import ASCII, UNICODE, Marks, lay_out, spelled
from profiler.present.reservations import reservations
from profiler.present.section import Section
from profiler.present.text import WITHOUT_TERMINAL, console, to_rich
from profiler.present.view import View
from profiler.present.visible import visible

_LABEL = 13
MOST_LINES = 40
_LINES = 3
"""Of a fact, before ``-v`` shows it whole."""


def print_view(
    shown: View, folder: Path, folded: tuple[Section, ...], caveats: tuple[Caveat, ...], *, verbose: bool
) -> None:
    """Print the answer of ``folder``; its sections and caveats in full where ``verbose``."""
    out = console()
    for line in lines(shown, folder, out.width, marks_of(out), verbose=verbose):
        out.print(line, soft_wrap=True)
    if verbose:
        _print_folded(out, folded, caveats)


def lines(shown: View, folder: Path, width: int, marks: Marks, *, verbose: bool) -> list[Text]:
    """The answer's lines, none longer than ``width`` but for paths and commands, which are to be copied; at most
    ``MOST_LINES`` where a terminal is wide enough, facts being told in fewer lines before anything else is.
    """
    for most in (None,) if verbose else range(_LINES, 0, -1):
        found = list(_lines(shown, folder, width, marks, most))
        if len(found) <= MOST_LINES:
            return found
    if verbose or width < WITHOUT_TERMINAL:
        return found
    return list(_lines(shown, folder, width, marks, 1, spared=len(found) - MOST_LINES))


def _lines(shown: View, folder: Path, width: int, marks: Marks, most: int | None, *, spared: int = 0) -> Iterator[Text]:
    """``spared``: lines by which the last table is to be shorter."""
    yield from headline(shown.headline, width, marks)
    for number, table in enumerate(shown.tables, start=1):
        yield Text()
        laid = lay_out(table, width, marks)
        if spared and number == len(shown.tables) and len(laid) > spared + 2:
            yield from laid[: -spared - 1]
            yield Text(spelled(f"  … {spared + 1} more lines (-v)", marks), style="dim")
        else:
            yield from laid
    yield Text()
    for label, text in shown.facts:
        yield from fact(label, text, width, marks, most)
    yield _labelled("Report", f"{folder}/report.html  (finding.md, verdict.json, *.csv)")
    if shown.next is not None:
        command, what = shown.next
        yield _labelled("Next", command)
        yield from fact("", what, width, marks)


def headline(sentences: Sequence[str], width: int, marks: Marks) -> Iterator[Text]:
    """What is read first."""
    for line in textwrap.wrap(spelled(" ".join(sentences), marks), width, break_on_hyphens=False):
        yield Text(line, style="bold")


def fact(label: str, text: str, width: int, marks: Marks, most: int | None = None) -> Iterator[Text]:
    """A labelled line, broken into ``most`` lines at most (None: as many as it takes)."""
    wrapped = textwrap.wrap(
        spelled(text, marks),
        max(24, width - _LABEL),
        max_lines=most,
        placeholder=spelled(" … (-v)", marks),
        break_on_hyphens=False,
        break_long_words=False,
    )
    for at, line in enumerate(wrapped):
        yield _labelled("" if at else label, line)


def _labelled(label: str, line: str) -> Text:
    return Text.assemble((f"{label:<{_LABEL}}", "bold"), visible(line))


def marks_of(out: Console) -> Marks:
    return ASCII if out.options.ascii_only else UNICODE


def _print_folded(out: Console, folded: tuple[Section, ...], caveats: tuple[Caveat, ...]) -> None:
    for section in folded:
        for table in section.tables:
            out.print()
            for part in to_rich(table, out.width):
                out.print(part)
    for reservation in reservations(caveats):
        out.print(f"[bold]warning[/bold] {escape(visible(reservation.code))}: {escape(visible(reservation.title))}")
        for line in (*reservation.messages, *((f"→ {reservation.remedy}",) if reservation.remedy else ())):
            out.print(Padding(escape(visible(line)), (0, 0, 0, 2)))
