"""``finding.md``: the answer on two pages, to be attached to a report, with the data's checksums beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from profiler.analyze.conclude import Analysis
from profiler.folder import PROFILE, ROWS, RUN, SYMBOLS, recorded, sha256_of, write_result
from profiler.present import eval_loops
from profiler.present.cause_tree import CauseRow
from profiler.present.markdown import escaped, to_markdown
from profiler.present.reservations import reservations
from profiler.present.view import View
from profiler.present.visible import visible
from profiler.present.whom import subjects

_ATTACHED = (ROWS, PROFILE, SYMBOLS, RUN, "verdict.json", "summary.csv", "causes.csv", "report.html")


def write(folder: Path, analysis: Analysis, shown: View, pictures: tuple[str, ...]) -> None:
    """Write the finding; the data stand beside it and are named with their SHA-256.

    Raises:
        MachineError: the folder cannot be written to.
    """
    write_result(folder, "finding.md", render(folder, analysis, shown, pictures).encode())


def render(folder: Path, analysis: Analysis, shown: View, pictures: tuple[str, ...]) -> str:
    """The text of the finding."""
    return "\n".join(_lines(folder, analysis, shown, pictures))


def _lines(folder: Path, analysis: Analysis, shown: View, pictures: tuple[str, ...]) -> Iterator[str]:
    verdict, run = analysis.verdict, analysis.run
    yield from (f"# {escaped(shown.title)}", "", escaped(" ".join(shown.headline)), "")
    yield from (f"![{Path(path).stem}]({path})\n" for path in pictures)
    loops = None if shown.tree else eval_loops.table(verdict, run)
    for table in (*shown.tables, *(() if loops is None else (loops,))):
        yield from to_markdown(table, heading="##")
    yield from _evidence(shown.tree)
    yield from ("## What is ruled out, and what is open", "")
    yield from (f"- {label}: {escaped(text)}" for label, text in shown.facts if label != "Measured")
    for reservation in reservations(verdict.warnings):
        yield f"- {_code(reservation.code)}: {escaped(reservation.title)}" + (
            f"; {escaped(reservation.remedy)}" if reservation.remedy else ""
        )
    yield from ("", "## How it was measured, and how to repeat it", "")
    yield from (f"    {_line(shown.command)}", "")
    yield f"- {escaped(run.source_sentence)}"
    yield f"- {_measured(shown)}"
    machine = f"{run.machine.get('cpu_model')}, kernel {run.machine.get('kernel')}; begun {run.started_utc}"
    yield f"- {escaped(machine)}"
    target = verdict.target
    of_target = f"CPython {target.version}, build-id"
    yield f"- target {_code(target.real_path)}, {escaped(of_target)} {_code(target.build_id)}" + escaped(
        target.where_it_runs
    )
    shown_of = subjects(verdict)
    images = dict.fromkeys(
        (launcher.image, launcher.build_id)
        for launcher in verdict.launchers
        if launcher.image is not None and launcher.name in shown_of
    )
    yield from (
        f"- {_code(image)}, build-id {_code(build_id)}" for image, build_id in images if image != target.real_path
    )
    yield from ("", "| file | SHA-256 |", "|---|---|")
    for path in (recorded(folder, name) for name in (*_ATTACHED, *pictures)):
        if path.exists():
            yield f"| [{path.relative_to(folder)}]({path.relative_to(folder)}) | `{sha256_of(path.read_bytes())}` |"
    yield ""


def _evidence(tree: tuple[CauseRow, ...]) -> Iterator[str]:
    told = [row for row in tree if row.evidence]
    if not told:
        return
    yield from ("## Proof", "")
    for row in told:
        how = "a place, no cause" if row.kind == "place" else "proved" if row.proved else "seen"
        yield f"{'  ' * row.depth}- {escaped(row.name)} ({how}): {escaped(row.evidence)}"
    yield ""


def _line(text: str) -> str:
    """On one line, as it is typed."""
    return " ".join(visible(text).split())


def _code(text: object) -> str:
    """In backticks, out of which nothing gets."""
    return f"`{_line(str(text)).replace('`', chr(39))}`"


def _measured(shown: View) -> str:
    return escaped(dict(shown.facts).get("Measured", ""))
