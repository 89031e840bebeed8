"""Whose eval loop ran in each launcher, and how that file was built."""

from __future__ import annotations

from pathlib import PurePath

from profiler.analyze.causes.files import recorded
from profiler.model import BASELINE, Run, Verdict
from profiler.present.table import Column, Table, columns
from profiler.present.whom import subjects

_WORDS = {True: "yes", False: "no", None: "?"}


def table(verdict: Verdict, run: Run) -> Table | None:
    """A row for each file, with the launchers that run it; None where nobody saw whose it was."""
    files = recorded(run)
    shown = {BASELINE, *subjects(verdict)}
    by_file: dict[tuple[str, str | None], list[str]] = {}
    for launcher in verdict.launchers:
        if launcher.name in shown and launcher.image is not None:
            by_file.setdefault((launcher.image, launcher.build_id), []).append(launcher.name)
    if not by_file:
        return None
    return Table(
        title="whose eval loop ran",
        columns=(
            *columns("name", "whose eval loop ran", "file"),
            *columns("verdict", "PGO", "PIC"),
            Column(title="build-id", kind="verdict", spare=True),
        ),
        rows=tuple(
            (
                ", ".join(names),
                PurePath(image).name,
                _WORDS[files.get(image, {}).get("pgo")],
                _WORDS[files.get(image, {}).get("pic")],
                (build_id or "–")[:12],
            )
            for (image, build_id), names in by_file.items()
        ),
    )
