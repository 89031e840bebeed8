"""``finding.md``: the result as a text that can be attached to a report."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Collection, Iterator
from pathlib import Path

from profiler.folder import ROWS, RUN, recorded, write_result
from profiler.model import Run, Verdict
from profiler.present.answer_sections import sections
from profiler.present.figures import path_of
from profiler.present.markdown import to_markdown
from profiler.present.reservations import reservations
from profiler.present.section import Section

_ATTACHED = (ROWS, RUN, "verdict.json", "summary.csv", "causes.csv")


def write(folder: Path, verdict: Verdict, run: Run, pictures: tuple[str, ...]) -> None:
    """Write the finding; the data stand beside it and are named with their SHA-256.

    Raises:
        MachineError: the folder cannot be written to.
    """
    write_result(folder, "finding.md", render(folder, verdict, run, pictures).encode())


def render(folder: Path, verdict: Verdict, run: Run, pictures: tuple[str, ...]) -> str:
    """The text of the finding."""
    lines = [
        f"# What embedding costs: {verdict.workload.name} on CPython {verdict.target.version}",
        "",
        verdict.sentence,
        "",
        "## Setting",
        "",
        f"- target: `{verdict.target.real_path}`, build-id `{verdict.target.build_id}`",
        *(f"- {one.name}: eval loop in `{one.image}`, build-id `{one.build_id}`" for one in verdict.launchers),
        f"- counts: {run.source_sentence}",
        f"- machine: {run.machine.get('cpu_model')}, kernel {run.machine.get('kernel')}",
        f"- {len(run.plan.blocks)} blocks, seed {run.plan.seed}, begun {run.started_utc}",
        f"- outputs bit-exact in all launchers: {verdict.workload.bit_exact}",
        "",
        *(line for section in sections(verdict, run) for line in _section(section, pictures)),
        *_reservations(verdict),
        "## Repeat it",
        "",
        f"    tax-probe {shlex.join(_repeat(run))}",
        "",
        "Files:",
        "",
        *(
            f"- [{path.relative_to(folder)}]({path.relative_to(folder)}) sha256 `{_sha256(path)}`"
            for path in (recorded(folder, name) for name in (*_ATTACHED, *pictures))
            if path.exists()
        ),
        "",
    ]
    return "\n".join(lines)


def _section(section: Section, pictures: Collection[str]) -> Iterator[str]:
    """A heading, its pictures, and its tables, with headings of their own where they are several."""
    yield from (f"## {section.title}", "")
    for path in filter(pictures.__contains__, map(path_of, section.pictures)):
        yield from (f"![{Path(path).stem}]({path})", "")
    for table in section.tables:
        yield from to_markdown(table, heading="###" if len(section.tables) > 1 else "")


def _reservations(verdict: Verdict) -> Iterator[str]:
    if not verdict.warnings:
        return
    yield from ("## Reservations", "")
    for one in reservations(verdict.warnings):
        remedy = f"; {one.remedy}" if one.remedy else ""
        yield f"- `{one.code}`: {one.title}{remedy}"
        yield from (f"  - {message}" for message in one.messages)
    yield ""


def _repeat(run: Run) -> list[str]:
    argv = list(run.argv)
    return argv if any(word.startswith("--seed") for word in argv) else [*argv, "--seed", str(run.plan.seed)]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
