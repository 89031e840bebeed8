"""What a ratio is made of: time as a product of its terms."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from profiler.analyze.numbers import share
from profiler.catalogue.metrics import title
from profiler.model import Decomposition, Term, Verdict
from profiler.present.forest import term_ratio
from profiler.present.section import Section
from profiler.present.table import Cell, Table, columns, notes
from profiler.present.words import detectable


def section(verdict: Verdict, *, shown: Collection[str]) -> Section:
    """The splits of ``shown`` launchers."""
    found = [split for split in verdict.decomposition if split.launcher in shown]
    return Section(title="Split", tables=_tables(verdict, found))


def others(verdict: Verdict, *, shown: Collection[str]) -> Section:
    """Those of all other launchers."""
    found = [split for split in verdict.decomposition if split.launcher not in shown]
    return Section(title="Other splits", tables=_tables(verdict, found), folded=True)


def _tables(verdict: Verdict, splits: Sequence[Decomposition]) -> tuple[Table, ...]:
    if not splits:
        return ()
    rows = [
        (split.launcher, title(split.of), *_cells(verdict, split, term))
        for split in splits
        for term in split.terms
        if term.ratio is not None
    ]
    reach = detectable(verdict.comparisons, (split.of for split in splits), {split.launcher for split in splits})
    table = Table(
        title="what the ratio is made of",
        columns=(
            *columns("word", "launcher", "of", "term"),
            *columns("ratio", "ratio"),
            *columns("interval", "95 % interval"),
            *columns("share", "share of the log ratio"),
        ),
        rows=tuple(rows),
        notes=notes(*_reasons(splits), reach),
    )
    return (table,)


def _cells(verdict: Verdict, split: Decomposition, term: Term) -> tuple[Cell, ...]:
    ratio = term_ratio(verdict, split, term)
    return term.term, ratio.ratio, ratio.spread, share(term.share)


def _reasons(splits: Sequence[Decomposition]) -> list[str]:
    """Each reason once, with the launchers that it is about unless these are all."""
    about: dict[tuple[str, str], list[str]] = {}
    for split in splits:
        if split.reason:
            about.setdefault((split.of, split.reason), []).append(split.launcher)
    everyone = len({split.launcher for split in splits})
    return [
        f"{title(of)}: {reason}" if len(names) == everyone else f"{title(of)} of {', '.join(names)}: {reason}"
        for (of, reason), names in about.items()
    ]
