"""The answer as tables on a terminal."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape
from rich.padding import Padding

from profiler.model import Run, Verdict
from profiler.present.answer_sections import sections
from profiler.present.reservations import reservations
from profiler.present.text import console, to_rich


def print_verdict(verdict: Verdict, run: Run, folder: Path) -> None:
    """Print what is not folded, warnings and the sentence."""
    out = console()
    heading = f"\nsource: {verdict.source}, workload: {verdict.workload.name}, target: {verdict.target.real_path}"
    out.print(heading, markup=False, soft_wrap=True)
    for section in sections(verdict, run):
        for table in section.tables if not section.folded else ():
            for part in to_rich(table, out.width):
                out.print(part)
    for one in reservations(verdict.warnings):
        out.print(f"[yellow]warning[/yellow] {one.code}: {escape(one.title)}")
        for line in (*one.messages, *((f"→ {one.remedy}",) if one.remedy else ())):
            out.print(Padding(escape(line), (0, 0, 0, 2)))
    out.print(f"\n[bold]{escape(verdict.sentence)}[/bold]\n")
    out.print(f"results: {folder}", markup=False, soft_wrap=True)
