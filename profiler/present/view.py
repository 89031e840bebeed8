"""The answer as it is told, made once from the verdict; terminal, page and finding only lay it out.

First the headline, then few tables, then a line each for what was ruled out, what stays open, how it was measured.
Everything else is folded: sections that a terminal shows on ``-v`` and a page behind a click.
"""

from __future__ import annotations

import shlex

from profiler.analyze.conclude import Analysis
from profiler.catalogue.metrics import title
from profiler.model import BASELINE, Noun, Run, Verdict
from profiler.present import cause_tree, counter_table, forest, headline, own_tables
from profiler.present.cause_tree import CauseRow
from profiler.present.facts import facts, following
from profiler.present.table import Table
from profiler.present.whom import against_baseline, subjects, telling


class View(Noun, frozen=True, kw_only=True):
    """What is shown of one result folder."""

    title: str
    """``pyo3 against python3 on int_loop``: of a page, of a finding."""
    headline: tuple[str, ...]
    """Sentences: the figure, then its cause."""
    tables: tuple[Table, ...]
    """In order, at most three."""
    what: str
    """``1.205 times the instructions``: what the causes are parts of."""
    tree: tuple[CauseRow, ...]
    """The causes of the launcher that the headline is about; one of ``tables`` has them too."""
    facts: tuple[tuple[str, str], ...]
    """Label and text of a line each."""
    command: str
    """That repeats it, with the seed that was drawn."""
    next: tuple[str, str] | None
    """The command to type next, and what it is for."""


def view(analysis: Analysis) -> View:
    """The answer of one folder."""
    verdict, run = analysis.verdict, analysis.run
    names = subjects(verdict)
    tree = cause_tree.tree(verdict, names[0]) if names else ()
    own = own_tables.tables(verdict)
    measured = forest.table(verdict, analysis.points)
    what = _what(verdict, names)
    explained = cause_tree.table(tree, what)
    split = None if tree or own else forest.terms(verdict)
    counters = None if tree or own else counter_table.table(verdict, folded=True)
    first = own if own else (measured,)
    found = [table for table in (*first, explained, split, counters) if table is not None]
    return View(
        title=f"{names[0] if names else 'launchers'} against {BASELINE} on {verdict.workload.name}",
        headline=headline.sentences(verdict, run),
        tables=tuple(found[:3]),
        what=what,
        tree=tree,
        facts=facts(verdict, run, uncounted=counters is None),
        command=f"tax-probe {shlex.join(_repeat(run))}",
        next=following(verdict.command, run),
    )


def _what(verdict: Verdict, names: tuple[str, ...]) -> str:
    """``1.205 times the instructions``: what the shares are shares of."""
    if not names:
        return "it is slower"
    own = [cause for cause in verdict.causes if cause.launcher == names[0] and cause.status == "confirmed"]
    metric = next((cause.metric for cause in own if cause.metric is not None), "instructions")
    known = against_baseline(verdict, names[0])
    comparison = known.get(metric) or next(iter(telling(known)), None)
    if comparison is None:
        return "it is slower"
    return f"{forest.ratio_of(comparison).ratio} times the {title(comparison.metric)}"


def _repeat(run: Run) -> list[str]:
    argv = list(run.argv)
    return argv if any(word.startswith("--seed") for word in argv) else [*argv, "--seed", str(run.plan.seed)]
