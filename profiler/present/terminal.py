"""The answer as tables on a terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from profiler.catalogue.events import BY_NAME
from profiler.model import AGAIN, BASELINE, Comparison, Run, Verdict
from profiler.present import extra, why
from profiler.present.grid import to_rich
from profiler.present.words import amount, detectable, effect, ratio, ratio_interval, title, verdict_word

_STYLE = {"slower": "red", "faster": "green", "same": "default", "unresolved": "yellow"}
_MAIN = ("instructions", "cycles", "ipc", "task-clock", "wall")
"""What the A/A table shows; the rest of it stands in the CSV."""


def print_verdict(verdict: Verdict, run: Run, folder: Path) -> None:
    """Print comparisons, splits, the causes where they were asked for, warnings and the sentence."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=120)
    heading = f"\nsource: {verdict.source}, workload: {verdict.workload.name}, target: {verdict.target.real_path}"
    console.print(heading, markup=False, soft_wrap=True)
    own = extra.grids(verdict)
    for grid in own or ():
        for table in to_rich(grid, console.width):
            console.print(table)
    main = _main_launchers(verdict, run) if own is None else set()
    for baseline, launcher in dict.fromkeys((c.baseline, c.launcher) for c in verdict.comparisons):
        if launcher in main:
            console.print(_comparison_table(verdict, baseline, launcher))
    for launcher in dict.fromkeys(split.launcher for split in verdict.decomposition if split.launcher in main):
        console.print(_split_table(verdict, launcher))
    for grid in extra.grids_besides(verdict):
        for table in to_rich(grid, console.width):
            console.print(table)
    if verdict.causes:
        for table in why.tables(verdict, run) if own is None else why.ladder_and_causes(verdict):
            console.print(table)
    for caveat in verdict.warnings:
        console.print(f"[yellow]warning[/yellow] {caveat.code}: {escape(caveat.message)}")
    console.print(f"\n[bold]{escape(verdict.sentence)}[/bold]\n")
    console.print(f"results: {folder}", markup=False, soft_wrap=True)


def _main_launchers(verdict: Verdict, run: Run) -> set[str]:
    """All launchers of an ``ipc`` run; of a run with a ladder and toggles, those that are no step or variant."""
    if not verdict.causes:
        return {launcher.name for launcher in run.plan.launchers}
    return {
        launcher.name
        for launcher in run.plan.launchers
        if launcher.variant is None and launcher.link not in ("static", "pic") and launcher.name != BASELINE
    }


def _comparison_table(verdict: Verdict, baseline: str, launcher: str) -> Table:
    name = "A/A: the baseline against itself" if launcher == AGAIN else f"{launcher} against {baseline}"
    table = Table(title=f"{name} (per iteration)", title_justify="left", title_style="bold")
    table.add_column("metric", no_wrap=True)
    table.add_column(baseline, justify="right", no_wrap=True)
    table.add_column("again" if launcher == AGAIN else launcher, justify="right", no_wrap=True)
    table.add_column("ratio", justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    table.add_column("detectable", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    left_out: dict[str, list[str]] = {}
    for comparison in verdict.comparisons:
        if (comparison.baseline, comparison.launcher) != (baseline, launcher):
            continue
        if comparison.ratio is None:
            left_out.setdefault(comparison.reason or "not measured", []).append(title(comparison.metric))
        elif launcher != AGAIN or comparison.metric in _MAIN:
            table.add_row(*_cells(comparison))
    if launcher != AGAIN:
        table.caption = "\n".join(f"{', '.join(names)}: {reason}" for reason, names in left_out.items())
    table.caption_justify = "left"
    return table


def _cells(comparison: Comparison) -> tuple[str, ...]:
    simulated = (
        comparison.source == "callgrind" and comparison.metric in BY_NAME and BY_NAME[comparison.metric].simulated
    )
    style = _STYLE[comparison.verdict]
    return (
        title(comparison.metric) + (" (simulated)" if simulated else ""),
        amount(comparison.metric, comparison.baseline_value),
        amount(comparison.metric, comparison.value),
        ratio(comparison.ratio, comparison.lo, comparison.hi),
        ratio_interval(comparison.lo, comparison.hi),
        effect(comparison.smallest_effect),
        f"[{style}]{verdict_word(comparison)}[/{style}]",
    )


def _split_table(verdict: Verdict, launcher: str) -> Table:
    splits = [split for split in verdict.decomposition if split.launcher == launcher]
    table = Table(title=f"{launcher}: where it comes from", title_justify="left", title_style="bold")
    table.add_column("of")
    table.add_column("term")
    table.add_column("ratio", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("share of the log ratio", justify="right")
    notes = [detectable(verdict.comparisons, (split.of for split in splits), [launcher])]
    for split in splits:
        if split.reason:
            notes.append(f"{split.of}: {split.reason}")
        for term in split.terms:
            table.add_row(
                split.of,
                term.term,
                ratio(term.ratio, term.lo, term.hi),
                ratio_interval(term.lo, term.hi),
                "–" if term.share is None else f"{term.share:.1%}",
            )
        table.add_section()
    table.caption = "\n".join(filter(None, notes))
    table.caption_justify = "left"
    return table
