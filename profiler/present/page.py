"""``report.html``: the answer as one file, without script and without network, that folds what stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from profiler.analyze.conclude import Analysis
from profiler.errors import MachineError
from profiler.folder import write_result
from profiler.model import Noun, Run
from profiler.present.attachments import Attachment, attachments
from profiler.present.chapters import Chapter, behind, chapters
from profiler.present.section import Section
from profiler.present.templating import render
from profiler.present.view import View

NAME = "report.html"


class Page(Noun, frozen=True, kw_only=True):
    """All that the template lays out."""

    title: str
    meta: tuple[str, ...]
    heading: str
    lead: tuple[str, ...]
    chapters: tuple[Chapter, ...]
    behind: tuple[Chapter, ...]
    """Folded, one after the other."""
    command: str
    next: tuple[str, str] | None


def write(folder: Path, analysis: Analysis, shown: View, sections: Sequence[Section]) -> None:
    """Write ``report.html`` beside the files that ``folder`` has by now, which it names with their SHA-256.

    Raises:
        MachineError: the folder cannot be written to, or one of its files cannot be read.
    """
    try:
        found = attachments(folder)
    except OSError as error:
        raise MachineError(
            f"cannot read what was recorded in {folder}: {error.strerror}",
            hint=f"let it be read, then tax-probe report {folder}",
        ) from error
    write_result(folder, NAME, html(page(analysis, shown, sections), found))


def html(made: Page, files: Sequence[Attachment]) -> bytes:
    """The page's bytes; ``files`` are named in it, small tables stand in it."""
    return render("page.html", page=made, files=files)


def page(analysis: Analysis, shown: View, sections: Sequence[Section]) -> Page:
    """What stands in the page, from the same view as on the terminal."""
    verdict, run = analysis.verdict, analysis.run
    heading, *lead = shown.headline or (shown.title,)
    return Page(
        title=shown.title,
        meta=tuple(
            filter(
                None,
                (f"tax-probe {verdict.command}", verdict.workload.name, f"CPython {verdict.target.version}", _day(run)),
            )
        ),
        heading=heading,
        lead=tuple(lead),
        chapters=tuple(chapters(analysis, shown)),
        behind=tuple(behind(verdict, run, sections)),
        command=shown.command,
        next=shown.next,
    )


def _day(run: Run) -> str:
    try:
        begun = datetime.fromisoformat(run.started_utc)
    except ValueError:
        return run.started_utc
    return f"{begun.day} {begun:%B %Y}"
