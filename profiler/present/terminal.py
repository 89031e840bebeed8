"""The answer as tables on a terminal."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from profiler.model import Run, Verdict
from profiler.present.sections import sections
from profiler.present.text import console, to_rich
from profiler.present.words import caveats


def print_verdict(verdict: Verdict, run: Run, folder: Path) -> None:
    """Print what is not folded, warnings and the sentence."""
    out = console()
    heading = f"\nsource: {verdict.source}, workload: {verdict.workload.name}, target: {verdict.target.real_path}"
    out.print(heading, markup=False, soft_wrap=True)
    for section in sections(verdict, run):
        for table in section.tables if not section.folded else ():
            for part in to_rich(table, out.width):
                out.print(part)
    for caveat in caveats(verdict):
        out.print(f"[yellow]warning[/yellow] {caveat.code}: {escape(caveat.message)}")
    out.print(f"\n[bold]{escape(verdict.sentence)}[/bold]\n")
    out.print(f"results: {folder}", markup=False, soft_wrap=True)
